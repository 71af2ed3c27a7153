//! What the operation that moves a share writes to the instances at both ends.

use abaca_model::{
    AccessRulesStatus, AccessState, ShareCapabilities, ShareId, ShareInstanceId, ShareStatus,
    ShareTypeId, SnapshotId, SnapshotInstance, SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use sea_query::{Expr, ExprTrait, LockType, Order, Query};

use crate::access_rules::{self, Of};
use crate::access_work;
use crate::error::{Error, Result};
use crate::export_work::{self, Owner};
use crate::snapshot_instances;
use crate::tx::Tx;

/// The fence of what the migration itself has made: as long as it stands, nobody else took it over.
pub const FENCE: i64 = 1;

/// A snapshot at one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotAt {
    /// Its instance there.
    pub id: SnapshotInstanceId,
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// Its status there.
    pub status: SnapshotStatus,
    /// Where its bytes are.
    pub provider_location: Option<String>,
    /// Its fence.
    pub fence: i64,
}

/// The snapshot instances of a share instance, ordered by their snapshots; nobody else can change
/// them until this transaction ends.
///
/// # Errors
/// What the database says.
pub async fn snapshots_at(tx: &mut Tx, id: ShareInstanceId) -> Result<Vec<SnapshotAt>> {
    let mut select = Query::select();
    select
        .columns(["id", "snapshot_id", "status", "provider_location", "fence"])
        .from("snapshot_instances")
        .and_where(Expr::col("share_instance_id").eq(id.to_string()))
        .order_by("snapshot_id", Order::Asc);
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
    tx.all(&select, |row| {
        Ok(SnapshotAt {
            id: row.parsed(0)?,
            snapshot_id: row.parsed(1)?,
            status: row.parsed(2)?,
            provider_location: row.optional_string(3)?,
            fence: row.integer(4)?,
        })
    })
    .await
}

/// Gives each of these snapshots, which are locked, an instance at the destination. From now on they
/// are `migrating` here and `migrating_to` there.
///
/// # Errors
/// What the database says.
pub async fn take_snapshots_along(
    tx: &mut Tx,
    share_id: ShareId,
    (source, destination): (ShareInstanceId, ShareInstanceId),
    snapshots: &[SnapshotAt],
    now: Timestamp,
) -> Result<()> {
    let (from, to) = (SnapshotStatus::Available, SnapshotStatus::Migrating);
    let changed = change_snapshots(tx, source, from, to, now).await?;
    if changed != snapshots.len() as u64 {
        return Err(Error::Conflict("a snapshot was changed meanwhile".into()));
    }
    for snapshot in snapshots {
        let instance = SnapshotInstance {
            id: SnapshotInstanceId::random(),
            snapshot_id: snapshot.snapshot_id,
            share_id,
            share_instance_id: destination,
            status: SnapshotStatus::MigratingTo,
            progress: Some("0%".to_owned()),
            provider_location: None,
            fence: FENCE,
            created_at: now,
            updated_at: None,
        };
        snapshot_instances::insert(tx, &instance).await?;
    }
    Ok(())
}

/// Makes the snapshot instances of a share instance that have the status `from` have the status
/// `to`; returns how many. What an administrator set them to stays.
///
/// # Errors
/// What the database says.
pub async fn change_snapshots(
    tx: &mut Tx,
    id: ShareInstanceId,
    from: SnapshotStatus,
    to: SnapshotStatus,
    now: Timestamp,
) -> Result<u64> {
    let update = Query::update()
        .table("snapshot_instances")
        .value("status", to.as_str())
        .value("updated_at", now.micros())
        .and_where(Expr::col("share_instance_id").eq(id.to_string()))
        .and_where(Expr::col("status").eq(from.as_str()))
        .to_owned();
    tx.execute(&update).await
}

/// Takes the snapshot instances of a share instance over, to be deleted; returns them with their new
/// fences and the statuses they had. From now on they are exported nowhere, and have no access rules.
///
/// # Errors
/// What the database says.
pub async fn retire_snapshots(
    tx: &mut Tx,
    id: ShareInstanceId,
    now: Timestamp,
) -> Result<Vec<SnapshotAt>> {
    let mut snapshots = snapshots_at(tx, id).await?;
    let update = Query::update()
        .table("snapshot_instances")
        .value("status", SnapshotStatus::Deleting.as_str())
        .value("fence", Expr::col("fence").add(1))
        .value("updated_at", now.micros())
        .and_where(Expr::col("share_instance_id").eq(id.to_string()))
        .to_owned();
    tx.execute(&update).await?;
    for snapshot in &mut snapshots {
        snapshot.fence += 1;
        export_work::replace(tx, Owner::SnapshotInstance(snapshot.id), &[], now).await?;
        access_work::forget(tx, Of::Snapshots, snapshot.id.uuid()).await?;
    }
    Ok(snapshots)
}

/// Makes all rules of a share instance read-only, or what they are, and has them all applied again.
/// `false`: they are so already, and nothing has to be done.
///
/// # Errors
/// What the database says.
pub async fn cast_rules(tx: &mut Tx, id: ShareInstanceId, to_read_only: bool) -> Result<bool> {
    let update = Query::update()
        .table("share_instances")
        .value("cast_rules_to_readonly", i64::from(to_read_only))
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("cast_rules_to_readonly").ne(i64::from(to_read_only)))
        .to_owned();
    if tx.execute(&update).await? == 0 {
        return Ok(false);
    }
    let settled = [AccessState::Active, AccessState::Applying];
    let update = Query::update()
        .table(Of::Shares.states())
        .value("state", AccessState::QueuedToApply.as_str())
        .and_where(Expr::col(Of::Shares.instance()).eq(id.to_string()))
        .and_where(Expr::col("state").is_in(settled.map(AccessState::as_str)))
        .to_owned();
    tx.execute(&update).await?;
    Ok(true)
}

/// Lets the rules that an instance has hold for another one too, once a backend has been told.
/// Returns whether there are any. Those that it has already stay as they are.
///
/// # Errors
/// What the database says.
pub async fn copy_rules(tx: &mut Tx, of: Of, from: uuid::Uuid, to: uuid::Uuid) -> Result<bool> {
    access_rules::follow(tx, of, from, to, false).await?;
    Ok(!access_rules::states(tx, of, to).await?.is_empty())
}

/// The state of the access rules of a share instance; `None`: it is gone.
///
/// # Errors
/// What the database says.
pub async fn rules_status(tx: &mut Tx, id: ShareInstanceId) -> Result<Option<AccessRulesStatus>> {
    let select = Query::select()
        .column("access_rules_status")
        .from("share_instances")
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    tx.optional(&select, |row| row.parsed(0)).await
}

/// The share is now at the destination, with its snapshots. `false`: that was taken over.
///
/// # Errors
/// What the database says.
pub async fn arrive(tx: &mut Tx, id: ShareInstanceId, now: Timestamp) -> Result<bool> {
    let update = Query::update()
        .table("share_instances")
        .value("status", ShareStatus::Available.as_str())
        .value("progress", "100%")
        .value("launched_at", now.micros())
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("fence").eq(FENCE))
        .to_owned();
    if tx.execute(&update).await? == 0 {
        return Ok(false);
    }
    let (from, to) = (SnapshotStatus::MigratingTo, SnapshotStatus::Available);
    change_snapshots(tx, id, from, to, now).await?;
    Ok(true)
}

/// Gives a share another type, and what that promises.
///
/// # Errors
/// What the database says.
pub async fn change_type(
    tx: &mut Tx,
    id: ShareId,
    share_type_id: ShareTypeId,
    promised: &ShareCapabilities,
) -> Result<()> {
    let update = Query::update()
        .table("shares")
        .value("share_type_id", share_type_id.to_string())
        .value("snapshot_support", i64::from(promised.snapshot_support))
        .value(
            "create_share_from_snapshot_support",
            i64::from(promised.create_share_from_snapshot_support),
        )
        .value("revert_to_snapshot_support", i64::from(promised.revert_to_snapshot_support))
        .value("mount_snapshot_support", i64::from(promised.mount_snapshot_support))
        .value("replication_type", promised.replication_type.clone())
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}
