//! The only SQL: one small layer over SQLite, PostgreSQL and MariaDB (or MySQL), and one file per
//! resource on top of it.
//!
//! The layer is [`Db`] (a pool), [`Tx`] (a transaction, or a reading connection) and [`Row`]
//! (borrowed columns). Statements are built with sea-query for the dialect at hand. Every integer
//! column is a `BIGINT`, a boolean is 0 or 1, a time is microseconds UTC, an id is its hyphenated
//! text: so each value has one Rust type on all three.

mod db;
mod error;
mod groups;
mod growth;
mod hosts;
mod like;
mod list;
mod migrate;
mod mysql;
mod postgres;
mod row;
mod sqlite;
mod tx;
mod type_tables;

pub mod access_rules;
pub mod access_work;
pub mod affinity;
pub mod audit;
pub mod availability_zones;
pub mod export_locations;
pub mod export_work;
pub mod messages;
pub mod metadata;
pub mod migration_work;
pub mod operations;
pub mod quota;
pub mod replicas;
pub mod resource_locks;
pub mod services;
pub mod share_group_types;
pub mod share_instances;
pub mod share_migrations;
pub mod share_types;
pub mod share_work;
pub mod shares;
pub mod snapshot_export_locations;
pub mod snapshot_instances;
pub mod snapshot_work;
pub mod snapshots;
#[cfg(feature = "testing")]
pub mod testing;

pub use db::{AsStoreError, Db, Dialect, PoolStatus, retry_conflicts};
pub use error::{Error, Result};
pub use list::{Direction, Page, Position, SortValue};
pub use migrate::{AppliedMigration, MigrationStatus};
pub use row::Row;
pub use tx::Tx;
