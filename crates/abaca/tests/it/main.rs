//! HTTP-boundary tests, one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod access_rules;
mod authorisation;
mod availability_zones;
mod cli;
mod dictionary_filters;
mod export_locations;
mod extensions;
mod framework;
mod manage;
mod messages;
mod metadata;
mod metrics;
mod migration;
mod openapi;
mod quotas;
mod resource_locks;
mod scheduler;
mod scheduler_stats;
mod services;
mod share_group_types;
mod share_instances;
mod share_replicas;
mod share_types;
mod shares;
mod snapshot_instances;
mod snapshots;
mod socket;
mod support;
mod workers;
