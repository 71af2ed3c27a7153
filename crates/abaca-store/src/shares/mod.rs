//! Shares as tenants see them: one row each, whose status and host are those of its instances.

mod filter;
mod list;
mod recycle_bin;
mod sort;

use std::collections::BTreeMap;

use abaca_model::{Share, ShareCapabilities, ShareId, TaskState, Timestamp};
use sea_query::{Expr, ExprTrait, LockType, Query, SelectStatement};

use crate::error::Result;
use crate::metadata;
use crate::row::Row;
use crate::tx::Tx;

pub use filter::{Filter, Scope};
pub use list::{
    ListedExport, ListedPlace, ListedShare, Page, ShareRow, count, fold_details, fold_summaries,
    position, show,
};
pub use recycle_bin::{expired, set_deletion};
pub use sort::SortKey;

pub(crate) const TABLE: &str = "shares";
const METADATA: &str = metadata::OF_SHARES.name;
const COLUMNS: [&str; 20] = [
    "id",
    "project_id",
    "user_id",
    "name",
    "description",
    "size",
    "share_proto",
    "is_public",
    "share_type_id",
    "source_snapshot_id",
    "snapshot_support",
    "create_share_from_snapshot_support",
    "revert_to_snapshot_support",
    "mount_snapshot_support",
    "replication_type",
    "created_at",
    "updated_at",
    "mount_point_name",
    "task_state",
    "scheduled_to_be_deleted_at",
];

fn select(id: ShareId) -> SelectStatement {
    let mut select = Query::select();
    select
        .from(TABLE)
        .columns(COLUMNS.map(|column| (TABLE, column)))
        .and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    select
}

/// Its metadata is read apart.
fn record(row: &Row<'_>) -> Result<Share> {
    Ok(Share {
        id: row.parsed(0)?,
        project_id: row.string(1)?,
        user_id: row.string(2)?,
        name: row.optional_string(3)?,
        description: row.optional_string(4)?,
        size: row.integer(5)?,
        share_proto: row.string(6)?,
        is_public: row.boolean(7)?,
        share_type_id: row.parsed(8)?,
        source_snapshot_id: row.optional_parsed(9)?,
        capabilities: ShareCapabilities {
            snapshot_support: row.boolean(10)?,
            create_share_from_snapshot_support: row.boolean(11)?,
            revert_to_snapshot_support: row.boolean(12)?,
            mount_snapshot_support: row.boolean(13)?,
            replication_type: row.optional_string(14)?,
        },
        metadata: BTreeMap::new(),
        created_at: row.time(15)?,
        updated_at: row.optional_time(16)?,
        mount_point_name: row.optional_string(17)?,
        task_state: row.optional_parsed(18)?,
        scheduled_to_be_deleted_at: row.optional_time(19)?,
    })
}

/// The share with this id, without its metadata.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: ShareId) -> Result<Option<Share>> {
    tx.optional(&select(id), record).await
}

/// As [`get`]; nobody else can change the share until this transaction ends.
///
/// # Errors
/// What the database says.
pub async fn get_locked(tx: &mut Tx, id: ShareId) -> Result<Option<Share>> {
    let mut select = select(id);
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
    tx.optional(&select, record).await
}

/// Adds a share and its metadata. Its size counts against quota from now on.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, share: &Share) -> Result<()> {
    let capabilities = &share.capabilities;
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(COLUMNS).values_panic([
        share.id.to_string().into(),
        share.project_id.as_str().into(),
        share.user_id.as_str().into(),
        share.name.clone().into(),
        share.description.clone().into(),
        share.size.into(),
        share.share_proto.as_str().into(),
        i64::from(share.is_public).into(),
        share.share_type_id.to_string().into(),
        share.source_snapshot_id.map(|id| id.to_string()).into(),
        i64::from(capabilities.snapshot_support).into(),
        i64::from(capabilities.create_share_from_snapshot_support).into(),
        i64::from(capabilities.revert_to_snapshot_support).into(),
        i64::from(capabilities.mount_snapshot_support).into(),
        capabilities.replication_type.clone().into(),
        share.created_at.micros().into(),
        share.updated_at.map(Timestamp::micros).into(),
        share.mount_point_name.clone().into(),
        share.task_state.map(TaskState::as_str).into(),
        share.scheduled_to_be_deleted_at.map(Timestamp::micros).into(),
    ]);
    tx.execute(&insert).await?;
    metadata::put(tx, metadata::Owner::Share(share.id), &share.metadata).await
}

/// What a tenant may change of a share; `None` leaves it, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The name.
    pub name: Option<Option<String>>,
    /// The description.
    pub description: Option<Option<String>>,
    /// Visible to every project.
    pub is_public: Option<bool>,
}

/// Changes a share. `false`: there is none.
///
/// # Errors
/// What the database says.
pub async fn update(tx: &mut Tx, id: ShareId, change: &Change, now: Timestamp) -> Result<bool> {
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()));
    if let Some(name) = &change.name {
        update.value("name", name.clone());
    }
    if let Some(description) = &change.description {
        update.value("description", description.clone());
    }
    if let Some(is_public) = change.is_public {
        update.value("is_public", i64::from(is_public));
    }
    Ok(tx.execute(&update).await? == 1)
}

/// Records where a migration of the share stands.
///
/// # Errors
/// What the database says.
pub async fn set_task_state(
    tx: &mut Tx,
    id: ShareId,
    state: Option<TaskState>,
    now: Timestamp,
) -> Result<()> {
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("task_state", state.map(TaskState::as_str))
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()));
    tx.execute(&update).await.map(drop)
}

/// Remembers the size in GiB that a share is about to grow to. It counts against quota for as long
/// as an instance of the share is `extending` or `reverting`.
///
/// # Errors
/// What the database says.
pub async fn request_size(tx: &mut Tx, id: ShareId, size: i64) -> Result<()> {
    let mut update = Query::update();
    update.table(TABLE).value("requested_size", size).and_where(Expr::col("id").eq(id.to_string()));
    tx.execute(&update).await.map(drop)
}
