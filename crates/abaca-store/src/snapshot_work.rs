//! What operations read and write of snapshot instances. Every write is guarded by the fence the
//! operation was made with; `false` means that the instance was taken over or is gone.

use abaca_model::{
    ShareId, ShareInstanceId, SnapshotId, SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use sea_query::{Expr, ExprTrait, LockType, Order, Query, SelectStatement, UpdateStatement};

use crate::error::Result;
use crate::export_work::{self, NewExportLocation, Owner};
use crate::metadata;
use crate::row::Row;
use crate::share_work::managed_at;
use crate::tx::Tx;

/// A snapshot instance as an operation needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotWork {
    /// The instance.
    pub id: SnapshotInstanceId,
    /// Its snapshot.
    pub snapshot_id: SnapshotId,
    /// The project that owns the snapshot.
    pub project_id: String,
    /// The share instance it is taken of.
    pub share_instance_id: ShareInstanceId,
    /// `host@backend#pool` of that share instance.
    pub host: Option<String>,
    /// Its share's type promised that its snapshots can be mounted.
    pub is_mountable: bool,
    /// Its status.
    pub status: SnapshotStatus,
    /// Where the bytes are.
    pub provider_location: Option<String>,
    /// Its fence.
    pub fence: i64,
}

/// The snapshot instance with this id.
///
/// # Errors
/// What the database says.
pub async fn load(tx: &mut Tx, id: SnapshotInstanceId) -> Result<Option<SnapshotWork>> {
    let mut select = select();
    select.and_where(Expr::col((INSTANCES, "id")).eq(id.to_string()));
    tx.optional(&select, snapshot_work).await
}

const INSTANCES: &str = "snapshot_instances";

fn select() -> SelectStatement {
    let instance = INSTANCES;
    Query::select()
        .columns([
            (instance, "id"),
            (instance, "snapshot_id"),
            ("snapshots", "project_id"),
            (instance, "share_instance_id"),
            ("share_instances", "host"),
            ("shares", "mount_snapshot_support"),
            (instance, "status"),
            (instance, "provider_location"),
            (instance, "fence"),
        ])
        .from(instance)
        .inner_join("snapshots", Expr::col(("snapshots", "id")).equals((instance, "snapshot_id")))
        .inner_join(
            "share_instances",
            Expr::col(("share_instances", "id")).equals((instance, "share_instance_id")),
        )
        .inner_join("shares", Expr::col(("shares", "id")).equals(("snapshots", "share_id")))
        .to_owned()
}

fn snapshot_work(row: &Row<'_>) -> Result<SnapshotWork> {
    Ok(SnapshotWork {
        id: row.parsed(0)?,
        snapshot_id: row.parsed(1)?,
        project_id: row.string(2)?,
        share_instance_id: row.parsed(3)?,
        host: row.optional_string(4)?,
        is_mountable: row.boolean(5)?,
        status: row.parsed(6)?,
        provider_location: row.optional_string(7)?,
        fence: row.integer(8)?,
    })
}

fn guarded(id: SnapshotInstanceId, fence: i64, now: Timestamp) -> UpdateStatement {
    Query::update()
        .table("snapshot_instances")
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("fence").eq(fence))
        .to_owned()
}

/// What a backend said of a snapshot it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where the bytes are.
    pub provider_location: String,
    /// Where they can be mounted.
    pub exports: Vec<NewExportLocation>,
}

/// Records that the snapshot is in its backend, and with `status` that it can be used.
///
/// # Errors
/// What the database says.
pub async fn made(
    tx: &mut Tx,
    id: SnapshotInstanceId,
    fence: i64,
    made: &Made,
    status: Option<SnapshotStatus>,
    now: Timestamp,
) -> Result<bool> {
    let mut update = guarded(id, fence, now);
    update.value("progress", "100%").value("provider_location", made.provider_location.as_str());
    if let Some(status) = status {
        update.value("status", status.as_str());
    }
    if tx.execute(&update).await? == 0 {
        return Ok(false);
    }
    export_work::replace(tx, Owner::SnapshotInstance(id), &made.exports, now).await?;
    Ok(true)
}

/// Records since when a snapshot is the service's that its backend held already. Its instance must
/// have been guarded in this transaction.
///
/// # Errors
/// What the database says.
pub async fn managed(tx: &mut Tx, work: &SnapshotWork, now: Timestamp) -> Result<()> {
    metadata::put(tx, metadata::Owner::Snapshot(work.snapshot_id), &managed_at(now)).await
}

/// The snapshot of a share that is at a provider location, if there is one.
///
/// # Errors
/// What the database says.
pub async fn located(
    tx: &mut Tx,
    share: ShareId,
    provider_location: &str,
) -> Result<Option<SnapshotId>> {
    let select = Query::select()
        .column("snapshot_id")
        .from(INSTANCES)
        .and_where(Expr::col("share_id").eq(share.to_string()))
        .and_where(Expr::col("provider_location").eq(provider_location))
        .limit(1)
        .to_owned();
    tx.optional(&select, |row| row.parsed(0)).await
}

/// Sets the status of the instance.
///
/// # Errors
/// What the database says.
pub async fn set_status(
    tx: &mut Tx,
    id: SnapshotInstanceId,
    fence: i64,
    status: SnapshotStatus,
    now: Timestamp,
) -> Result<bool> {
    let update = guarded(id, fence, now).value("status", status.as_str()).to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Removes the instance, and with its last instance the snapshot.
///
/// # Errors
/// What the database says.
pub async fn remove(tx: &mut Tx, work: &SnapshotWork, fence: i64) -> Result<bool> {
    lock_snapshot(tx, work.snapshot_id).await?;
    let delete = Query::delete()
        .from_table("snapshot_instances")
        .and_where(Expr::col("id").eq(work.id.to_string()))
        .and_where(Expr::col("fence").eq(fence))
        .to_owned();
    if tx.execute(&delete).await? == 0 {
        return Ok(false);
    }
    let others = Query::select()
        .column("id")
        .from("snapshot_instances")
        .and_where(Expr::col("snapshot_id").eq(work.snapshot_id.to_string()))
        .limit(1)
        .to_owned();
    if tx.optional(&others, |_| Ok(())).await?.is_none() {
        let delete = Query::delete()
            .from_table("snapshots")
            .and_where(Expr::col("id").eq(work.snapshot_id.to_string()))
            .to_owned();
        tx.execute(&delete).await?;
    }
    Ok(true)
}

/// The snapshot instances in a share instance, ordered by id.
///
/// # Errors
/// What the database says.
pub async fn of_share_instance(tx: &mut Tx, id: ShareInstanceId) -> Result<Vec<SnapshotWork>> {
    let mut select = select();
    select
        .and_where(Expr::col((INSTANCES, "share_instance_id")).eq(id.to_string()))
        .order_by((INSTANCES, "id"), Order::Asc);
    tx.all(&select, snapshot_work).await
}

/// Another instance of the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// The instance.
    pub work: SnapshotWork,
    /// The replica state of its share instance.
    pub replica_state: Option<String>,
}

/// The instances of a snapshot other than `id`, ordered by id.
///
/// # Errors
/// What the database says.
pub async fn siblings(
    tx: &mut Tx,
    snapshot: SnapshotId,
    id: SnapshotInstanceId,
) -> Result<Vec<Sibling>> {
    let mut select = select();
    select
        .column(("share_instances", "replica_state"))
        .and_where(Expr::col((INSTANCES, "snapshot_id")).eq(snapshot.to_string()))
        .and_where(Expr::col((INSTANCES, "id")).ne(id.to_string()))
        .order_by((INSTANCES, "id"), Order::Asc);
    tx.all(&select, |row| {
        Ok(Sibling { work: snapshot_work(row)?, replica_state: row.optional_string(9)? })
    })
    .await
}

/// What was being deleted with its replica, whose deletion came to nothing, can be deleted again.
///
/// # Errors
/// What the database says.
pub async fn fail_deletions(tx: &mut Tx, id: ShareInstanceId, now: Timestamp) -> Result<()> {
    let update = Query::update()
        .table(INSTANCES)
        .value("status", SnapshotStatus::ErrorDeleting.as_str())
        .value("updated_at", now.micros())
        .and_where(Expr::col("share_instance_id").eq(id.to_string()))
        .and_where(Expr::col("status").eq(SnapshotStatus::Deleting.as_str()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// Whether a share instance has snapshot instances.
///
/// # Errors
/// What the database says.
pub async fn any_of(tx: &mut Tx, id: ShareInstanceId) -> Result<bool> {
    let select = Query::select()
        .column("id")
        .from("snapshot_instances")
        .and_where(Expr::col("share_instance_id").eq(id.to_string()))
        .limit(1)
        .to_owned();
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// Makes whoever else adds, deletes or removes an instance of this snapshot wait: of the last two, one
/// must see that it is the last, and who deletes all must see all.
///
/// # Errors
/// What the database says.
pub async fn lock_snapshot(tx: &mut Tx, id: SnapshotId) -> Result<()> {
    if tx.dialect().has_row_locks() {
        let mut select = Query::select();
        select.column("id").from("snapshots").and_where(Expr::col("id").eq(id.to_string()));
        tx.optional(select.lock(LockType::Update), |_| Ok(())).await?;
    }
    Ok(())
}

/// The snapshot instances that a service holds: id and status, ordered by id.
///
/// # Errors
/// What the database says.
pub async fn held_by(
    tx: &mut Tx,
    service: &str,
) -> Result<Vec<(SnapshotInstanceId, SnapshotStatus)>> {
    let select = Query::select()
        .columns([("snapshot_instances", "id"), ("snapshot_instances", "status")])
        .from("snapshot_instances")
        .inner_join(
            "share_instances",
            Expr::col(("share_instances", "id"))
                .equals(("snapshot_instances", "share_instance_id")),
        )
        .and_where(crate::hosts::on_service(Expr::col(("share_instances", "host")), service))
        .order_by(("snapshot_instances", "id"), Order::Asc)
        .to_owned();
    tx.all(&select, |row| Ok((row.parsed(0)?, row.parsed(1)?))).await
}
