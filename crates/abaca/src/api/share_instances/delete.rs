//! An administrator deletes a share instance, whatever its status.

use abaca_model::{OperationKind, ShareInstance, ShareStatus, SnapshotStatus, Timestamp};
use abaca_store::access_rules::Of;
use abaca_store::replicas::ACTIVE;
use abaca_store::{
    access_work, migration_work, retry_conflicts, share_instances, share_work, shares,
    snapshot_instances,
};

use super::{load, set_by_hand};
use crate::api::by_hand;
use crate::api::operation::{self, Work};
use crate::api::resource_locks::locked_against_deletion;
use crate::api::{ApiError, Call, Reply};
use crate::engine::arguments::Delete;

/// `POST /share_instances/{id}/action` with `force_delete`, before 2.7 `os-force_delete`. The share
/// goes with its last instance.
pub(crate) async fn force_delete(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let (instance, share) = load::find(&call, &mut tx).await?.ok_or_else(ApiError::no_route)?;
    drop(tx);
    let target = load::target(&share);
    call.authorise("share_instance:force_delete", &target).await?;
    call.authorise("share:delete", &target).await?;
    let now = Timestamp::now();
    retry_conflicts(|| begin(&call, &instance, now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

async fn begin(call: &Call, found: &ShareInstance, now: Timestamp) -> Result<(), ApiError> {
    let id = found.id;
    let mut tx = call.app.db.write().await?;
    // The share first, as everyone who asks for its locks, or places one.
    shares::get_locked(&mut tx, found.share_id).await?.ok_or_else(ApiError::no_route)?;
    let instances = share_instances::of_share_locked(&mut tx, found.share_id).await?;
    let instance = instances.iter().find(|other| other.id == id).ok_or_else(ApiError::no_route)?;
    // With its last instance the share goes, whatever keeps it from being deleted.
    if let Some(message) = locked_against_deletion(&mut tx, instance.share_id).await? {
        return Err(ApiError::Forbidden(message));
    }
    check_replicas(instance, &instances)?;
    // Its snapshot instances go with it; those of a share that is nowhere else are the only ones.
    let of_instance = snapshot_instances::Filter {
        share_instance_id: Some(id),
        ..snapshot_instances::Filter::default()
    };
    let count = snapshot_instances::count(&mut tx, &of_instance).await?;
    if count > 0 && !is_elsewhere(instance, &instances) {
        return Err(ApiError::conflict(format!(
            "Share instance {id} still has {count} dependent snapshot instances."
        )));
    }
    let host = operation::host_if_up(&mut tx, call, instance.host.as_deref()).await?;
    let arguments = Delete { force: true, after_snapshots: count > 0, ..Delete::default() };
    for snapshot in migration_work::retire_snapshots(&mut tx, id, now).await? {
        let work = Work {
            kind: OperationKind::DeleteSnapshot,
            resource_id: snapshot.id.uuid(),
            fence: snapshot.fence,
            host,
        };
        operation::enqueue(&mut tx, call, &work, &arguments).await?;
        let resource = ("snapshot_instance", snapshot.id.uuid());
        let change = (snapshot.status.as_str(), SnapshotStatus::Deleting.as_str());
        by_hand::record(call, &mut tx, "force_delete", resource, change, now).await?;
    }
    let status = ShareStatus::Deleting;
    let work = Work {
        kind: OperationKind::DeleteShare,
        resource_id: id.uuid(),
        fence: set_by_hand(&mut tx, call, "force_delete", instance, status, now).await?,
        host,
    };
    if instance.replica_state.is_none() && is_elsewhere(instance, &instances) {
        // Nobody is to find it any more, nor wait for what becomes of its rules.
        share_work::record_exports(&mut tx, id, &[], now).await?;
        access_work::forget(&mut tx, Of::Shares, id.uuid()).await?;
    }
    operation::enqueue(&mut tx, call, &work, &arguments).await?;
    Ok(tx.commit().await?)
}

/// The replicas of a share are nothing without one that is active.
fn check_replicas(instance: &ShareInstance, instances: &[ShareInstance]) -> Result<(), ApiError> {
    let is_active = |other: &ShareInstance| other.replica_state.as_deref() == Some(ACTIVE);
    let active = instances.iter().filter(|other| is_active(other)).count();
    if is_active(instance) && active == 1 && instances.len() > 1 {
        return Err(ApiError::conflict(format!(
            "Share instance {} is the only active replica of a share that has others.",
            instance.id
        )));
    }
    Ok(())
}

/// Whether the share is, with its snapshots, in another place: not in one that it only moves to.
fn is_elsewhere(instance: &ShareInstance, instances: &[ShareInstance]) -> bool {
    instances.iter().any(|other| {
        let stays = matches!(other.status, ShareStatus::Available | ShareStatus::Migrating);
        other.id != instance.id && stays
    })
}
