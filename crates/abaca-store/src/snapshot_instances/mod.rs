//! Snapshot instances: a snapshot in each place its share lives in.
//!
//! Lists are read in pages by key; their rows are handed on as borrowed columns, so that a list of
//! any length is written without a record per row.

mod list;

use abaca_model::{SnapshotId, SnapshotInstance, SnapshotInstanceId, SnapshotStatus, Timestamp};
use sea_query::{Expr, ExprTrait, LockType, Order, Query, SelectStatement};

use crate::error::{Error, Result};
use crate::row::Row;
use crate::tx::Tx;

pub use list::{
    Filter, InstanceDetails, ListedInstance, Page, Shape, SortKey, count, fold, position,
};

const TABLE: &str = "snapshot_instances";
const SNAPSHOTS: &str = "snapshots";
const RECORD: [&str; 10] = [
    "id",
    "snapshot_id",
    "share_id",
    "share_instance_id",
    "status",
    "progress",
    "provider_location",
    "fence",
    "created_at",
    "updated_at",
];

fn join_snapshot(select: &mut SelectStatement) {
    select.inner_join(SNAPSHOTS, Expr::col((SNAPSHOTS, "id")).equals((TABLE, "snapshot_id")));
}

fn select_record() -> SelectStatement {
    let mut select = Query::select();
    select.from(TABLE).columns(RECORD.map(|column| (TABLE, column)));
    select
}

fn record(row: &Row<'_>) -> Result<SnapshotInstance> {
    Ok(SnapshotInstance {
        id: row.parsed(0)?,
        snapshot_id: row.parsed(1)?,
        share_id: row.parsed(2)?,
        share_instance_id: row.parsed(3)?,
        status: row.parsed(4)?,
        progress: row.optional_string(5)?,
        provider_location: row.optional_string(6)?,
        fence: row.integer(7)?,
        created_at: row.time(8)?,
        updated_at: row.optional_time(9)?,
    })
}

/// The instance with this id.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: SnapshotInstanceId) -> Result<Option<SnapshotInstance>> {
    let mut select = select_record();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    tx.optional(&select, record).await
}

/// Whose snapshot an instance is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The snapshot's project.
    pub project_id: String,
    /// The user who made it.
    pub user_id: String,
}

/// As [`get`], with whose it is.
///
/// # Errors
/// What the database says.
pub async fn get_with_owner(
    tx: &mut Tx,
    id: SnapshotInstanceId,
) -> Result<Option<(SnapshotInstance, Owner)>> {
    let mut select = select_record();
    select
        .columns([(SNAPSHOTS, "project_id"), (SNAPSHOTS, "user_id")])
        .and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    join_snapshot(&mut select);
    tx.optional(&select, |row| {
        Ok((record(row)?, Owner { project_id: row.string(10)?, user_id: row.string(11)? }))
    })
    .await
}

/// As [`get`]; nobody else can change the instance until this transaction ends.
///
/// # Errors
/// What the database says.
pub async fn get_locked(tx: &mut Tx, id: SnapshotInstanceId) -> Result<Option<SnapshotInstance>> {
    let mut select = select_record();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    lock(tx, &mut select);
    tx.optional(&select, record).await
}

/// Every instance of a snapshot, the oldest first; nobody else can change them until this
/// transaction ends.
///
/// # Errors
/// What the database says.
pub async fn of_snapshot_locked(tx: &mut Tx, id: SnapshotId) -> Result<Vec<SnapshotInstance>> {
    let mut select = select_record();
    select
        .and_where(Expr::col((TABLE, "snapshot_id")).eq(id.to_string()))
        .order_by((TABLE, "created_at"), Order::Asc)
        .order_by((TABLE, "id"), Order::Asc);
    lock(tx, &mut select);
    tx.all(&select, record).await
}

/// Whether the deletion of any instance has been deferred.
///
/// # Errors
/// What the database says.
pub async fn any_deferred(tx: &mut Tx) -> Result<bool> {
    let deferred = SnapshotStatus::DEFERRED.map(SnapshotStatus::as_str);
    let mut select = Query::select();
    select.column("id").from(TABLE).and_where(Expr::col("status").is_in(deferred)).limit(1);
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

fn lock(tx: &Tx, select: &mut SelectStatement) {
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
}

/// Adds an instance.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, instance: &SnapshotInstance) -> Result<()> {
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(RECORD).values_panic([
        instance.id.to_string().into(),
        instance.snapshot_id.to_string().into(),
        instance.share_id.to_string().into(),
        instance.share_instance_id.to_string().into(),
        instance.status.as_str().into(),
        instance.progress.clone().into(),
        instance.provider_location.clone().into(),
        instance.fence.into(),
        instance.created_at.micros().into(),
        instance.updated_at.map(Timestamp::micros).into(),
    ]);
    tx.execute(&insert).await.map(drop)
}

/// Takes a locked instance over from whatever works on it: sets its status and raises its fence,
/// which is returned.
///
/// # Errors
/// What the database says; a conflict when the instance was not locked and has changed.
pub async fn take_over(
    tx: &mut Tx,
    instance: &SnapshotInstance,
    status: SnapshotStatus,
    now: Timestamp,
) -> Result<i64> {
    let fence = instance.fence + 1;
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("status", status.as_str())
        .value("fence", fence)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(instance.id.to_string()))
        .and_where(Expr::col("fence").eq(instance.fence));
    match tx.execute(&update).await? {
        1 => Ok(fence),
        _ => Err(Error::Conflict("the snapshot instance was changed meanwhile".into())),
    }
}
