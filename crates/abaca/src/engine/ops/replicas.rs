//! What the operations of replicas have in common.

use abaca_drivers::{DriverError, ReplicaSource};
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationKind, ShareId, ShareInstance,
    ShareInstanceId, ShareStatus, SnapshotInstance, SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use abaca_store::access_rules::{self, Of};
use abaca_store::replicas::{self, FAILED, HELD};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::snapshot_work::{self, SnapshotWork};
use abaca_store::{Tx, operations, share_instances, snapshot_instances};
use uuid::Uuid;

use super::message::{self, Told};
use super::update_access_rules;
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Run, mine};

/// The active replica, and where its bytes are.
pub(super) struct Active {
    pub(super) instance: ShareInstance,
    pub(super) source: ReplicaSource,
    /// The generation that follows it.
    pub(super) generation: i64,
}

/// The active replica of a share, other than `id`. `None`: there is none.
pub(super) async fn active(
    tx: &mut Tx,
    share: ShareId,
    id: ShareInstanceId,
) -> Result<Option<Active>, Failure> {
    let instances = share_instances::of_share(tx, share).await?;
    let Some(instance) = replicas::active(&instances).filter(|active| active.id != id) else {
        return Ok(None);
    };
    let provider_location = replicas::location(tx, instance.id).await?.ok_or_else(|| {
        let message = "It is not known where the active replica keeps its data.";
        Failure::permanent(message, format!("share instance {} has no location", instance.id))
    })?;
    Ok(Some(Active {
        source: ReplicaSource { id: instance.id.uuid(), provider_location },
        generation: replicas::generation(tx, share).await?,
        instance: instance.clone(),
    }))
}

/// That there is no active replica to follow.
pub(super) fn none_active(share: ShareId) -> Failure {
    let message = "The share has no active replica.";
    Failure::permanent(message, format!("share {share} has no active replica"))
}

/// The generation as drivers count.
pub(super) fn driver_generation(generation: i64) -> u64 {
    u64::try_from(generation).unwrap_or_default()
}

/// Notes where the backend keeps the bytes of an instance that it holds.
pub(super) async fn note_location(
    run: &Run<'_>,
    tx: &mut Tx,
    id: ShareInstanceId,
    location: &str,
) -> Result<(), Failure> {
    tracing::debug!(step = run.step, share_instance_id = %id, location, "located");
    Ok(replicas::set_location(tx, id, location).await?)
}

/// What the backend of `work` says of where its bytes are, if that is noted nowhere.
pub(super) async fn unnoted_location(
    run: &Run<'_>,
    work: &ShareWork,
) -> Result<Option<String>, Failure> {
    if replicas::location(&mut run.db().read().await?, work.id).await?.is_some() {
        return Ok(None);
    }
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    Ok(driver.get_share(work.id.uuid()).await?.map(|found| found.provider_location))
}

/// Gives a replica that is locked every snapshot that the active one has, or the one that was it until
/// now, and it has no instance of: an instance, and the operation that brings the bytes over. Those that
/// are `lost` are brought once more, and `with_failed` what failed before.
pub(super) async fn bring_snapshots(
    run: &Run<'_>,
    tx: &mut Tx,
    active: ShareInstanceId,
    replica: &ShareWork,
    lost: &[SnapshotWork],
    with_failed: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut missing = replicas::missing_snapshots(tx, active, replica.id, with_failed).await?;
    missing.extend(lost.iter().map(|copy| copy.snapshot_id));
    missing.sort_unstable();
    for snapshot_id in missing {
        // Whoever deletes the snapshot locks it too, and deletes what is added here as well.
        snapshot_work::lock_snapshot(tx, snapshot_id).await?;
        let copies = snapshot_instances::of_snapshot_locked(tx, snapshot_id).await?;
        let at = |id| copies.iter().find(|copy| copy.share_instance_id == id);
        let Some(origin) = at(active).filter(|copy| HELD.contains(&copy.status)) else { continue };
        let is_lost = |copy: &SnapshotInstance| {
            lost.iter().any(|lost| (lost.id, lost.fence) == (copy.id, copy.fence))
        };
        let (id, fence) = match at(replica.id) {
            Some(copy) if is_lost(copy) || FAILED.contains(&copy.status) => {
                let creating = SnapshotStatus::Creating;
                (copy.id, snapshot_instances::take_over(tx, copy, creating, now).await?)
            }
            Some(_) => continue,
            None => {
                let copy = SnapshotInstance {
                    id: SnapshotInstanceId::random(),
                    snapshot_id,
                    share_id: replica.share_id,
                    share_instance_id: replica.id,
                    status: SnapshotStatus::Creating,
                    progress: Some("0%".to_owned()),
                    provider_location: None,
                    fence: 1,
                    created_at: now,
                    updated_at: None,
                };
                snapshot_instances::insert(tx, &copy).await?;
                (copy.id, copy.fence)
            }
        };
        access_rules::follow(tx, Of::Snapshots, origin.id.uuid(), id.uuid(), true).await?;
        let work = (OperationKind::CreateSnapshot, id.uuid(), fence);
        let arguments = arguments::CreateSnapshot { follows: true };
        run.enqueue(tx, work, replica.host.as_deref(), &arguments).await?;
    }
    Ok(())
}

/// Makes the backend of a share instance that is locked be given the access rules anew.
pub(super) async fn sync_access(
    run: &Run<'_>,
    tx: &mut Tx,
    id: Uuid,
    host: Option<&str>,
    now: Timestamp,
) -> Result<(), Failure> {
    update_access_rules::ask(run, tx, Of::Shares, id, host, now).await
}

/// Clients may write to a replica that was active a moment ago until its backend has its access rules
/// of now: what they are told is written must not be overwritten by its first update.
pub(super) async fn writers_are_out(tx: &mut Tx, replica: &ShareInstance) -> Result<(), Failure> {
    let kind = OperationKind::UpdateAccessRules;
    if replica.replica_state.as_deref() == Some(replicas::OUT_OF_SYNC)
        && operations::is_pending(tx, kind, replica.id.uuid()).await?
    {
        return Err(Failure::Waiting("its access rules are being applied"));
    }
    Ok(())
}

/// Asks for an update of a replica that is locked.
pub(super) async fn update(
    run: &Run<'_>,
    tx: &mut Tx,
    replica: &ShareInstance,
    now: Timestamp,
) -> Result<(), Failure> {
    let (kind, id, fence) = (OperationKind::UpdateReplica, replica.id.uuid(), replica.fence);
    if operations::hasten_queued(tx, kind, (id, fence), None, now).await? {
        return Ok(());
    }
    let arguments = arguments::UpdateReplica::default();
    run.enqueue(tx, (kind, id, fence), replica.host.as_deref(), &arguments).await
}

/// A replica is not in its backend, and can't be made anew.
#[derive(Debug, thiserror::Error)]
#[error("the replica is missing in its backend, and could not be made anew")]
struct Lost(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Why a replica that is missing was not made.
pub(super) fn lost(failure: Failure) -> Failure {
    match failure {
        Failure::Permanent(failed) => Failure::permanent(failed.message, Lost(failed.source)),
        other => other,
    }
}

/// Gives up an update or a promotion. A replica that is whole itself can still be used, and promoted:
/// it is out of sync until an update succeeds. The tenant is told once, not at every interval.
pub(super) async fn give_up_following(
    run: &Run<'_>,
    tx: &mut Tx,
    action: MessageAction,
    failed: &Permanent,
) -> Result<(), Failure> {
    let id = super::create_share::id(run);
    let before = share_instances::get(tx, id).await?.ok_or(Failure::Superseded)?;
    let was_whole = !before.status.is_failed() && !is_broken(id, failed);
    let (status, state) = match was_whole {
        true => (ShareStatus::Available, replicas::OUT_OF_SYNC),
        false => (ShareStatus::Error, replicas::ERROR),
    };
    if before.status == status && before.replica_state.as_deref() == Some(state) {
        return run.check(before.fence);
    }
    let told = (action, MessageDetail::Unknown, failed.message.as_str());
    give_up(run, tx, status, Some(state), told).await
}

/// Whether it is the replica itself that is not as it should be, rather than what it follows.
fn is_broken(id: ShareInstanceId, failed: &Permanent) -> bool {
    match failed.source.downcast_ref::<DriverError>() {
        Some(DriverError::NotFound { id: missing, .. }) => *missing == id.to_string(),
        Some(DriverError::Damaged { .. } | DriverError::InvalidInput { .. }) => true,
        Some(_) => false,
        None => failed.source.is::<Lost>(),
    }
}

/// Puts a replica into error, with a message for its tenant.
pub(super) async fn give_up(
    run: &Run<'_>,
    tx: &mut Tx,
    status: ShareStatus,
    state: Option<&str>,
    (action, detail, reason): (MessageAction, MessageDetail, &str),
) -> Result<(), Failure> {
    let id = super::create_share::id(run);
    let work = share_work::load(tx, id).await?.ok_or(Failure::Superseded)?;
    let (fence, now) = (run.resource_fence(), Timestamp::now());
    mine(share_work::set_status(tx, id, fence, status, now).await?)?;
    if let Some(state) = state {
        mine(replicas::set_state(tx, id, fence, state, now).await?)?;
    }
    let replica = (MessageResource::Replica, id.to_string());
    let told = Told { action, detail, reason };
    Ok(message::leave(run, tx, &work.project_id, replica, told).await?)
}
