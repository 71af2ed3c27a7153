//! HTTP-boundary tests, one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod authorisation;
mod availability_zones;
mod cli;
mod framework;
mod metrics;
mod scheduler_stats;
mod services;
mod share_types;
mod snapshot_instances;
mod snapshots;
mod socket;
mod support;
