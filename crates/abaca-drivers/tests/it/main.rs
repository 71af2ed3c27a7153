//! Tests of the backends through the crate's public door.
#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

mod again;
mod backends;
mod btrfs;
mod conformance;
mod file_systems;
mod kill;
mod mover;
mod ordinary_user;
