//! The [`Driver`] trait, its conformance suite and the backends.
//!
//! The engine calls a driver only after its own transaction committed, and may call it again
//! after a crash. So every mutation is idempotent, and a ground-truth query stands beside it.

mod access;
mod btrfs;
mod catalogue;
#[cfg(feature = "conformance")]
pub mod conformance;
mod directory;
mod driver;
mod error;
mod manage;
mod migration;
mod objects;
mod settings;
mod simulated;
mod stats;

pub use access::{
    AccessLevel, AccessList, AccessRule, AccessTarget, AccessType, RuleOutcome, RuleOutcomes,
};
pub use catalogue::{BuildError, DriverInfo, build, check, drivers};
pub use driver::Driver;
pub use error::{DriverError, DriverResult, ObjectKind};
pub use manage::{ManageShare, ManageSnapshot};
pub use migration::{
    CopyProgress, Migrated, MigratedSnapshot, Migration, MigrationAbilities, MigrationSource,
    ShareTree, TreeState,
};
pub use objects::{
    Export, NewReplica, NewShare, NewSnapshot, Promoted, ReplicaSource, ReplicaSync, RevertShare,
    ShareObject, SnapshotObject, SnapshotRef, SweepReport, SyncReplica,
};
pub use settings::{SettingKey, SettingKind, Settings, SettingsError};
pub use stats::PoolStats;
