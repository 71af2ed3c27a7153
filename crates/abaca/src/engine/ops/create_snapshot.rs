//! Creates a snapshot instance in the backend of its share instance.

use abaca_drivers::{NewSnapshot, SnapshotRef};
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationState, SnapshotInstanceId,
    SnapshotStatus, Timestamp,
};
use abaca_store::Tx;
use abaca_store::snapshot_work::{self, Made, SnapshotWork};
use async_trait::async_trait;

use super::message::{self, Told};
use super::{Work, export_location};
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
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let (action, detail) = (MessageAction::Create, MessageDetail::Unknown);
        give_up(run, tx, SnapshotStatus::Error, Told { action, detail, reason: &failed.message })
            .await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<(), Failure> {
        let work = snapshot_work::load(&mut run.db().read().await?, id(run)).await?;
        match work {
            // The administrator said it is there, so it shall be.
            Some(work) if work.status == SnapshotStatus::Available => {
                let made = make(run, &work).await?;
                let mut tx = run.record().await?;
                let now = Timestamp::now();
                mine(snapshot_work::made(&mut tx, work.id, work.fence, &made, None, now).await?)?;
                Ok(tx.commit().await?)
            }
            Some(work) => delete(run, &work).await,
            // Gone with its row; the reconcilers see to bytes that came late.
            None => Ok(()),
        }
    }
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
    let made = backend.driver.create_snapshot(&snapshot).await?;
    let exports = if work.is_mountable { made.exports } else { Vec::new() };
    Ok(Made {
        provider_location: made.provider_location,
        exports: exports.into_iter().map(export_location).collect(),
    })
}

/// Removes the bytes of a snapshot instance from its backend.
pub(super) async fn delete(run: &Run<'_>, work: &SnapshotWork) -> Result<(), Failure> {
    let Some(host) = &work.host else { return Ok(()) };
    let snapshot = SnapshotRef {
        id: work.id.uuid(),
        share_instance_id: work.share_instance_id.uuid(),
        provider_location: work.provider_location.clone(),
    };
    Ok(run.backend(host)?.driver.delete_snapshot(&snapshot).await?)
}
