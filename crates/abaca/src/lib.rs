//! Abaca: the Shared File Systems service. The binary in `main.rs` only parses the command line.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod engine;
pub mod identity;
pub mod policy;
pub mod telemetry;
