//! The paths under which a snapshot instance can be mounted.

use abaca_model::{ExportLocationId, SnapshotId, SnapshotInstanceId, Timestamp};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;

/// A path under which a snapshot instance can be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotExportLocation {
    /// Its id.
    pub id: ExportLocationId,
    /// The snapshot instance it leads to.
    pub snapshot_instance_id: SnapshotInstanceId,
    /// What a client mounts.
    pub path: String,
    /// Shown to administrators only.
    pub is_admin_only: bool,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

const TABLE: &str = "snapshot_instance_export_locations";
const COLUMNS: [&str; 6] =
    ["id", "snapshot_instance_id", "path", "is_admin_only", "created_at", "updated_at"];

fn of_instance(id: SnapshotInstanceId) -> SelectStatement {
    let mut select = Query::select();
    select
        .from(TABLE)
        .columns(COLUMNS)
        .and_where(Expr::col("snapshot_instance_id").eq(id.to_string()));
    select
}

fn location(row: &Row<'_>) -> Result<SnapshotExportLocation> {
    Ok(SnapshotExportLocation {
        id: row.parsed(0)?,
        snapshot_instance_id: row.parsed(1)?,
        path: row.string(2)?,
        is_admin_only: row.boolean(3)?,
        created_at: row.time(4)?,
        updated_at: row.optional_time(5)?,
    })
}

/// Every export location of an instance, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn all(tx: &mut Tx, id: SnapshotInstanceId) -> Result<Vec<SnapshotExportLocation>> {
    let mut select = of_instance(id);
    select.order_by("created_at", Order::Asc).order_by("id", Order::Asc);
    tx.all(&select, location).await
}

/// Every export location of a snapshot's instances, the oldest first, but of those that a migration
/// is still filling.
///
/// # Errors
/// What the database says.
pub async fn all_of_snapshot(tx: &mut Tx, id: SnapshotId) -> Result<Vec<SnapshotExportLocation>> {
    let instances = Query::select()
        .column("id")
        .from("snapshot_instances")
        .and_where(Expr::col("snapshot_id").eq(id.to_string()))
        .and_where(Expr::col("status").ne("migrating_to"))
        .take();
    let mut select = Query::select();
    select
        .from(TABLE)
        .columns(COLUMNS)
        .and_where(Expr::col("snapshot_instance_id").in_subquery(instances))
        .order_by("created_at", Order::Asc)
        .order_by("id", Order::Asc);
    tx.all(&select, location).await
}

/// One export location of an instance.
///
/// # Errors
/// What the database says.
pub async fn get(
    tx: &mut Tx,
    instance: SnapshotInstanceId,
    id: ExportLocationId,
) -> Result<Option<SnapshotExportLocation>> {
    let mut select = of_instance(instance);
    select.and_where(Expr::col("id").eq(id.to_string()));
    tx.optional(&select, location).await
}
