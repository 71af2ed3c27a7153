//! A tenant gives a share the bytes of its latest snapshot.

use abaca_model::{
    AccessRulesStatus, OperationKind, Share, ShareInstance, ShareStatus, Snapshot, SnapshotId,
    SnapshotInstance, SnapshotStatus, Timestamp,
};
use abaca_store::{
    Tx, operations, retry_conflicts, share_instances, shares, snapshot_instances, snapshots,
};

use super::load::{self, target};
use super::resize::check_quota;
use crate::api::operation::{self, Work};
use crate::api::quotas::{Payer, Quota};
use crate::api::share_instances::{leave_out_left, spokesman};
use crate::api::{ApiError, Call, Reply, snapshots as snapshot_routes};
use crate::engine::arguments::RevertShare;

/// `POST /shares/{id}/action` with `revert`.
pub(crate) async fn revert(call: Call) -> Result<Reply, ApiError> {
    let wanted = call.action_body()?.text("snapshot_id")?.ok_or_else(|| {
        ApiError::bad_request("Invalid value for snapshot_id. Expecting the id of a snapshot.")
    })?;
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    let snapshot = snapshot_routes::find(&call, &mut tx, wanted).await?;
    drop(tx);
    call.authorise("share:revert_to_snapshot", &target(&share)).await?;
    let snapshot = snapshot.ok_or_else(|| unknown(wanted))?.snapshot;
    check_origin(&share, &snapshot)?;
    let now = Timestamp::now();
    retry_conflicts(|| begin(&call, &share, &snapshot, now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

fn unknown(snapshot: &str) -> ApiError {
    ApiError::bad_request(format!("Snapshot {snapshot} could not be found."))
}

/// What never changes of share and snapshot.
fn check_origin(share: &Share, snapshot: &Snapshot) -> Result<(), ApiError> {
    if !share.capabilities.revert_to_snapshot_support {
        return Err(ApiError::bad_request(format!(
            "Share {} can't be reverted to snapshot {}: its share type does not offer it.",
            share.id, snapshot.id
        )));
    }
    if snapshot.share_id != share.id {
        return Err(ApiError::bad_request(format!(
            "Snapshot {} is not a snapshot of share {}.",
            snapshot.id, share.id
        )));
    }
    Ok(())
}

/// One transaction: share and snapshot are taken over, and the operation knows both.
async fn begin(
    call: &Call,
    share: &Share,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut tx = call.app.db.write().await?;
    let quota = Quota::lock(call, &mut tx, Payer::of_share(share)).await?;
    let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    load::not_soft_deleted(&share, "Can't revert")?;
    let mut instances = share_instances::of_share_locked(&mut tx, share.id).await?;
    leave_out_left(&mut instances);
    let instance = spokesman(&instances).ok_or_else(ApiError::no_route)?;
    let copies = snapshot_instances::of_snapshot_locked(&mut tx, snapshot.id).await?;
    let copy = copies.iter().find(|copy| copy.share_instance_id == instance.id);
    let copy = copy.ok_or_else(|| unknown(&snapshot.id.to_string()))?;
    check_status(instance, copy)?;
    if let Some(problem) = load::busy(&share) {
        return Err(ApiError::conflict(problem));
    }
    check_latest(&mut tx, &share, snapshot.id).await?;
    check_access(&share, &instances)?;
    if snapshot.size > share.size {
        check_quota(&quota, &mut tx, &share, snapshot.size).await?;
    }
    // Also of a smaller one: what an earlier extend asked for must not count now.
    shares::request_size(&mut tx, share.id, snapshot.size).await?;
    let fence = share_instances::take_over(&mut tx, instance, ShareStatus::Reverting, now).await?;
    let restoring = SnapshotStatus::Restoring;
    let arguments = RevertShare {
        snapshot_instance: copy.id,
        snapshot_fence: snapshot_instances::take_over(&mut tx, copy, restoring, now).await?,
        size: snapshot.size,
        generation: generation(&mut tx, instance, now).await?,
    };
    let work = Work {
        kind: OperationKind::RevertShare,
        resource_id: instance.id.uuid(),
        fence,
        host: instance.host.as_deref(),
    };
    operation::enqueue(&mut tx, call, &work, &arguments).await?;
    Ok(tx.commit().await?)
}

/// Higher than that of any earlier revert of the share: by the log of those that a host whose clock
/// was ahead began, by the time of those that a restored backup of the database does not know.
async fn generation(
    tx: &mut Tx,
    instance: &ShareInstance,
    now: Timestamp,
) -> Result<u64, ApiError> {
    let id = instance.id.uuid();
    let known = operations::arguments_of(tx, id, OperationKind::RevertShare).await?;
    let known = known.iter().filter_map(|arguments| serde_json::from_str(arguments).ok());
    let last = known.map(|arguments: RevertShare| arguments.generation).max().unwrap_or_default();
    Ok(u64::try_from(now.micros()).unwrap_or_default().max(last.saturating_add(1)))
}

fn check_status(share: &ShareInstance, snapshot: &SnapshotInstance) -> Result<(), ApiError> {
    if share.status != ShareStatus::Available || share.host.is_none() {
        return Err(ApiError::conflict(format!(
            "Share {} has status '{}'; it must be 'available' to be reverted to a snapshot.",
            share.share_id, share.status
        )));
    }
    if snapshot.status != SnapshotStatus::Available {
        return Err(ApiError::conflict(format!(
            "Snapshot {} has status '{}'; it must be 'available' to be restored.",
            snapshot.snapshot_id, snapshot.status
        )));
    }
    Ok(())
}

/// As the API has it, though the drivers here keep what is newer.
async fn check_latest(tx: &mut Tx, share: &Share, id: SnapshotId) -> Result<(), ApiError> {
    match snapshots::latest_of_share(tx, share.id).await? {
        Some(latest) if latest != id => Err(ApiError::conflict(format!(
            "Snapshot {id} is not the latest snapshot of share {}, which is {latest}. A share can \
             be reverted to its latest snapshot only.",
            share.id
        ))),
        _ => Ok(()),
    }
}

fn check_access(share: &Share, instances: &[ShareInstance]) -> Result<(), ApiError> {
    let active = AccessRulesStatus::Active;
    if instances.iter().all(|instance| instance.access_rules_status == active) {
        return Ok(());
    }
    Err(ApiError::conflict(format!(
        "The access rules of share {} are being changed. Wait until they are active.",
        share.id
    )))
}
