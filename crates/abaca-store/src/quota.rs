//! Consuming quota, one transaction of a project after the other.
//!
//! Usage is summed from the rows ([`crate::shares::usage`], [`crate::snapshots::usage`]) by the
//! transaction that adds to them, behind this lock: two requests can't both take what is left.

use sea_query::{OnConflict, Query};

use crate::error::Result;
use crate::tx::Tx;

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
