//! Replicas: the share instances of a replicated share. One of them is `active`; the others follow
//! it. Which one it is changes in one transaction, under the share's lock.

use abaca_model::{
    ShareId, ShareInstance, ShareInstanceId, ShareStatus, SnapshotId, SnapshotStatus, Timestamp,
};
use sea_query::{Cond, Expr, ExprTrait, Order, Query};

use crate::error::Result;
use crate::share_instances::TABLE;
use crate::tx::Tx;

/// The replica that tenants write to.
pub const ACTIVE: &str = "active";
/// It has what the active one had at its last update.
pub const IN_SYNC: &str = "in_sync";
/// It has something older.
pub const OUT_OF_SYNC: &str = "out_of_sync";
/// It is not known what it has.
pub const ERROR: &str = "error";

/// The active one of a share's instances; an available one rather than another.
#[must_use]
pub fn active(instances: &[ShareInstance]) -> Option<&ShareInstance> {
    let active =
        || instances.iter().filter(|replica| replica.replica_state.as_deref() == Some(ACTIVE));
    active().find(|replica| replica.status == ShareStatus::Available).or_else(|| active().next())
}

/// Where the backend keeps the bytes of an instance, if that was noted.
///
/// # Errors
/// What the database says.
pub async fn location(tx: &mut Tx, id: ShareInstanceId) -> Result<Option<String>> {
    let select = Query::select()
        .column("provider_location")
        .from(TABLE)
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    Ok(tx.optional(&select, |row| row.optional_string(0)).await?.flatten())
}

/// Notes where the backend keeps the bytes of an instance.
///
/// # Errors
/// What the database says.
pub async fn set_location(tx: &mut Tx, id: ShareInstanceId, location: &str) -> Result<()> {
    let update = Query::update()
        .table(TABLE)
        .value("provider_location", location)
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// The generation of a share's replicas: who follows whom.
///
/// # Errors
/// What the database says.
pub async fn generation(tx: &mut Tx, id: ShareId) -> Result<i64> {
    let select = Query::select()
        .column("replication_generation")
        .from("shares")
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    Ok(tx.optional(&select, |row| row.integer(0)).await?.unwrap_or_default())
}

/// Raises the generation of a share that is locked; returns the new one. A time in microseconds
/// where that is higher, so that it is also higher than all that a backend has seen when the
/// database comes from a backup.
///
/// # Errors
/// What the database says.
pub async fn raise_generation(tx: &mut Tx, id: ShareId, now: Timestamp) -> Result<i64> {
    let generation = Ord::max(now.micros(), generation(tx, id).await? + 1);
    let update = Query::update()
        .table("shares")
        .value("replication_generation", generation)
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    tx.execute(&update).await?;
    Ok(generation)
}

/// Sets the replica state of an instance, unless it was taken over: then `false`.
///
/// # Errors
/// What the database says.
pub async fn set_state(
    tx: &mut Tx,
    id: ShareInstanceId,
    fence: i64,
    state: &str,
    now: Timestamp,
) -> Result<bool> {
    let update = Query::update()
        .table(TABLE)
        .value("replica_state", state)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("fence").eq(fence))
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Lets clients only read a replica that is locked, whatever its access rules say, or no longer so.
/// `false`: it was like that already. The backend is to be told.
///
/// # Errors
/// What the database says.
pub async fn set_read_only(tx: &mut Tx, id: ShareInstanceId, read_only: bool) -> Result<bool> {
    let update = Query::update()
        .table(TABLE)
        .value("cast_rules_to_readonly", i64::from(read_only))
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("cast_rules_to_readonly").ne(i64::from(read_only)))
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Makes one replica of a share that is locked the active one, and the rest followers: in one
/// transaction, so that there is one at every moment. With `readable`, the former active one may
/// be read but no longer written to. `false`: the replica was taken over.
///
/// # Errors
/// What the database says.
pub async fn promote(
    tx: &mut Tx,
    share: ShareId,
    id: ShareInstanceId,
    fence: i64,
    readable: bool,
    now: Timestamp,
) -> Result<bool> {
    let update = Query::update()
        .table(TABLE)
        .value("replica_state", ACTIVE)
        .value("status", ShareStatus::Available.as_str())
        .value("cast_rules_to_readonly", 0_i64)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("fence").eq(fence))
        .to_owned();
    if tx.execute(&update).await? == 0 {
        return Ok(false);
    }
    let others = || {
        Cond::all()
            .add(Expr::col("share_id").eq(share.to_string()))
            .add(Expr::col("id").ne(id.to_string()))
    };
    let former = Query::update()
        .table(TABLE)
        .value("cast_rules_to_readonly", i64::from(readable))
        .value("updated_at", now.micros())
        .cond_where(others().add(Expr::col("replica_state").eq(ACTIVE)))
        .to_owned();
    tx.execute(&former).await?;
    let followers = Query::update()
        .table(TABLE)
        .value("replica_state", OUT_OF_SYNC)
        .cond_where(others().add(Expr::col("replica_state").is_in([ACTIVE, IN_SYNC])))
        .to_owned();
    tx.execute(&followers).await?;
    Ok(true)
}

/// Whether a replica is to be given what the active one has, without being asked: what one in the
/// replica state `error` holds may be the only copy of something.
#[must_use]
pub fn follows(replica: &ShareInstance) -> bool {
    let state = replica.replica_state.as_deref();
    replica.status == ShareStatus::Available
        && state.is_some_and(|state| FOLLOWING.contains(&state))
}

const FOLLOWING: [&str; 2] = [IN_SYNC, OUT_OF_SYNC];

/// The replicas of a service, `host@backend`, that follow an active one: see [`follows`].
///
/// # Errors
/// What the database says.
pub async fn followers_of_service(tx: &mut Tx, service: &str) -> Result<Vec<ShareInstanceId>> {
    let select = Query::select()
        .column("id")
        .from(TABLE)
        .and_where(Expr::col("replica_state").is_in(FOLLOWING))
        .and_where(Expr::col("status").eq(ShareStatus::Available.as_str()))
        .and_where(crate::hosts::on_service(Expr::col((TABLE, "host")), service))
        .order_by("id", Order::Asc)
        .to_owned();
    tx.all(&select, |row| row.parsed(0)).await
}

/// The snapshots that the active replica has or is being given, and that `replica` has no instance of;
/// `with_failed`: or one that is of no use.
///
/// # Errors
/// What the database says.
pub async fn missing_snapshots(
    tx: &mut Tx,
    active: ShareInstanceId,
    replica: ShareInstanceId,
    with_failed: bool,
) -> Result<Vec<SnapshotId>> {
    let (instances, own) = ("snapshot_instances", "own");
    let mut kept = Query::select();
    kept.column((own, "snapshot_id"))
        .from_as(instances, own)
        .and_where(Expr::col((own, "share_instance_id")).eq(replica.to_string()));
    if with_failed {
        let failed = FAILED.map(SnapshotStatus::as_str);
        kept.and_where(Expr::col((own, "status")).is_not_in(failed));
    }
    let select = Query::select()
        .column("snapshot_id")
        .from(instances)
        .and_where(Expr::col((instances, "share_instance_id")).eq(active.to_string()))
        .and_where(Expr::col((instances, "status")).is_in(HELD.map(SnapshotStatus::as_str)))
        .and_where(Expr::col((instances, "snapshot_id")).not_in_subquery(kept))
        .order_by("snapshot_id", Order::Asc)
        .to_owned();
    tx.all(&select, |row| row.parsed(0)).await
}

/// The statuses of a snapshot instance in a replica that is of no use, and can be made anew.
pub const FAILED: [SnapshotStatus; 2] = [SnapshotStatus::Error, SnapshotStatus::ErrorDeleting];

/// The statuses of a snapshot instance in the active replica that the others shall have too.
pub const HELD: [SnapshotStatus; 3] =
    [SnapshotStatus::Available, SnapshotStatus::Creating, SnapshotStatus::Restoring];
