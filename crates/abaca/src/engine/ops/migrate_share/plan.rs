//! What a migration has found out so far, and remembers between its steps.

use abaca_drivers::{MigrationSource, ShareTree, TreeState};
use abaca_store::share_migrations::ShareMigration;
use serde::{Deserialize, Serialize};

use crate::engine::failure::Failure;

/// The JSON of `share_migrations.plan`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The zone of the destination.
    #[serde(default)]
    pub(super) zone: String,
    /// Where the source is, in its family's words; `None`: its driver has no family, or is not to be
    /// asked.
    #[serde(default)]
    pub(super) source: Option<MigrationSource>,
    /// Where the bytes of the source are; `None`: in no directory.
    #[serde(default)]
    pub(super) tree: Option<ShareTree>,
    /// What was in `tree` before the first byte was copied. `None`: clients may write, or an older
    /// version copied it.
    #[serde(default)]
    pub(super) copied: Option<TreeState>,
    /// The destination's driver takes it over; otherwise the data mover copies it.
    #[serde(default)]
    pub(super) by_driver: bool,
    /// Nobody writes to the source while it is copied.
    #[serde(default)]
    pub(super) read_only: bool,
}

impl Plan {
    pub(super) fn of(migration: &ShareMigration) -> Result<Self, Failure> {
        serde_json::from_str(&migration.plan).map_err(|error| {
            Failure::permanent("The service's record of this migration is damaged.", error)
        })
    }
}
