//! Abaca: the Shared File Systems service. The binary in `main.rs` only parses the command line.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
mod default_share_type;
pub mod engine;
pub mod identity;
pub mod listen;
pub mod policy;
pub mod telemetry;
