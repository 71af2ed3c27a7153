//! Creates a snapshot instance in the backend of its share instance.

use abaca_drivers::{NewSnapshot, SnapshotRef};
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationKind, OperationState,
    SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use abaca_store::access_rules::Of;
use abaca_store::snapshot_work::{self, Made, Sibling, SnapshotWork};
use abaca_store::{Tx, access_work, operations, replicas};
use async_trait::async_trait;

use super::message::{self, Told};
use super::superseded::{self, Whose};
use super::{Work, export_location, update_access_rules};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct CreateSnapshot;

#[async_trait]
impl Work for CreateSnapshot {
    fn steps(&self) -> &'static [&'static str] {
        &["create"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = load(run).await?;
        let made = make(run, &work).await?;
        let mut tx = run.record().await?;
        let (fence, now) = (run.resource_fence(), Timestamp::now());
        let status = Some(SnapshotStatus::Available);
        mine(snapshot_work::made(&mut tx, work.id, fence, &made, status, now).await?)?;
        follow_rules(run, &mut tx, &work, now).await?;
        for sibling in snapshot_work::siblings(&mut tx, work.snapshot_id, work.id).await? {
            // It may have been waiting for this one.
            let kind = OperationKind::CreateSnapshot;
            operations::hasten(&mut tx, kind, sibling.work.id.uuid(), now).await?;
        }
        let ended = run.end(tx, OperationState::Succeeded, None).await?;
        run.engine.queue.notify_one();
        Ok(ended)
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let (action, detail) = (MessageAction::Create, MessageDetail::Unknown);
        give_up(run, tx, SnapshotStatus::Error, Told { action, detail, reason: &failed.message })
            .await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = snapshot_work::load(&mut run.db().read().await?, id(run)).await?;
        let whose = superseded::whose(run, work.as_ref().map(Into::into)).await?;
        // Gone with its row; the reconcilers see to bytes that came late.
        let Some(work) = work else { return run.record().await };
        match whose {
            // The administrator said it is there, so it shall be.
            Whose::Tenants => {
                let made = make(run, &work).await?;
                return superseded::made(run, &work, &made).await;
            }
            Whose::Nobodys => delete(run, &work).await?,
            Whose::Used => {}
        }
        superseded::snapshot_as_found(run, &work).await
    }
}

/// Of a snapshot that came with its rules, since it was taken elsewhere before.
async fn follow_rules(
    run: &Run<'_>,
    tx: &mut Tx,
    work: &SnapshotWork,
    now: Timestamp,
) -> Result<(), Failure> {
    let (of, id) = (Of::Snapshots, work.id.uuid());
    let access = access_work::load(tx, of, id).await?;
    if access.is_none_or(|access| access.rules.is_empty()) {
        return Ok(());
    }
    update_access_rules::ask(run, tx, of, id, work.host.as_deref(), now).await
}

pub(super) fn id(run: &Run<'_>) -> SnapshotInstanceId {
    run.operation.resource_id.into()
}

/// The instance, if it is still this operation's.
pub(super) async fn load(run: &Run<'_>) -> Result<SnapshotWork, Failure> {
    let work = snapshot_work::load(&mut run.db().read().await?, id(run)).await?;
    let work = work.ok_or(Failure::Superseded)?;
    run.check(work.fence)?;
    Ok(work)
}

/// Writes an error status and leaves a message.
pub(super) async fn give_up(
    run: &Run<'_>,
    tx: &mut Tx,
    status: SnapshotStatus,
    told: Told<'_>,
) -> Result<(), Failure> {
    let work = snapshot_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
    mine(
        snapshot_work::set_status(tx, work.id, run.resource_fence(), status, Timestamp::now())
            .await?,
    )?;
    let snapshot = (MessageResource::Snapshot, work.snapshot_id.to_string());
    Ok(message::leave(run, tx, &work.project_id, snapshot, told).await?)
}

async fn make(run: &Run<'_>, work: &SnapshotWork) -> Result<Made, Failure> {
    let backend = run.backend(work.host.as_deref().unwrap_or_default())?;
    let snapshot =
        NewSnapshot { id: work.id.uuid(), share_instance_id: work.share_instance_id.uuid() };
    let arguments: arguments::CreateSnapshot = run.arguments()?;
    let made = if arguments.follows {
        let source = source(run, work).await?;
        backend.driver.create_replica_snapshot(&snapshot, &source).await?
    } else {
        backend.driver.create_snapshot(&snapshot).await?
    };
    let exports = if work.is_mountable { made.exports } else { Vec::new() };
    Ok(Made {
        provider_location: made.provider_location,
        exports: exports.into_iter().map(export_location).collect(),
    })
}

/// The instance that has the bytes already: that in the active replica, or else any.
async fn source(run: &Run<'_>, work: &SnapshotWork) -> Result<SnapshotRef, Failure> {
    let mut tx = run.db().read().await?;
    let siblings = snapshot_work::siblings(&mut tx, work.snapshot_id, work.id).await?;
    let is_active = |sibling: &Sibling| sibling.replica_state.as_deref() == Some(replicas::ACTIVE);
    let has_bytes = |sibling: &&Sibling| {
        matches!(sibling.work.status, SnapshotStatus::Available | SnapshotStatus::Restoring)
    };
    if let Some(Sibling { work, .. }) =
        siblings.iter().filter(has_bytes).max_by_key(|sibling| is_active(sibling))
    {
        return Ok(reference(work));
    }
    let is_coming =
        |sibling: &Sibling| is_active(sibling) && sibling.work.status == SnapshotStatus::Creating;
    if siblings.iter().any(is_coming) {
        return Err(Failure::Waiting("the active replica's instance is not yet made"));
    }
    let message = "The snapshot is in no other replica.";
    Err(Failure::permanent(message, format!("snapshot {} has no bytes", work.snapshot_id)))
}

pub(super) fn reference(work: &SnapshotWork) -> SnapshotRef {
    SnapshotRef {
        id: work.id.uuid(),
        share_instance_id: work.share_instance_id.uuid(),
        provider_location: work.provider_location.clone(),
    }
}

/// Removes the bytes of a snapshot instance from its backend.
pub(super) async fn delete(run: &Run<'_>, work: &SnapshotWork) -> Result<(), Failure> {
    let Some(host) = &work.host else { return Ok(()) };
    Ok(run.backend(host)?.driver.delete_snapshot(&reference(work)).await?)
}
