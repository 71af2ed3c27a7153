//! Quota: the limits that were set, and what is used of them.
//!
//! Usage is summed from the rows by the transaction that adds to them, behind [`lock_project`]: two
//! requests can't both take what is left. Nothing is counted, so nothing drifts.

mod limits;
mod usage;

use abaca_model::ShareTypeId;
use abaca_model::quota::Scope;
use sea_query::{OnConflict, Query};

pub use limits::{class, clear, limits, limits_of_users, set, set_class};
pub use usage::{of_all, of_replicas, of_shares, of_snapshots};

use crate::error::Result;
use crate::tx::Tx;

/// The name of the class whose limits are the defaults of every project.
pub const DEFAULT_CLASS: &str = "default";

/// Whose limits or usage are meant, within a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The project's own.
    Project,
    /// A user's.
    User(&'a str),
    /// Those of what is of a share type.
    ShareType(ShareTypeId),
}

impl Subject<'_> {
    /// The kind of limit.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Project => Scope::Project,
            Self::User(_) => Scope::User,
            Self::ShareType(_) => Scope::ShareType,
        }
    }
}

/// Makes every other transaction that consumes this project's quota wait until this one ends. To be
/// taken before usage is summed, and before any other row is locked.
///
/// # Errors
/// What the database says.
pub async fn lock_project(tx: &mut Tx, project_id: &str) -> Result<()> {
    // The one writer of SQLite is alone anyway.
    if !tx.dialect().has_row_locks() {
        return Ok(());
    }
    // An update of nothing, since it locks the row where it is there already.
    let mut insert = Query::insert();
    insert
        .into_table("quota_projects")
        .columns(["project_id"])
        .values_panic([project_id.into()])
        .on_conflict(OnConflict::column("project_id").update_column("project_id").to_owned());
    tx.execute(&insert).await.map(drop)
}
