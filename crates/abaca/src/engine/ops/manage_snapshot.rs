//! Takes a snapshot into use that the backend of its share holds already.

use abaca_drivers::NewSnapshot;
use abaca_model::{MessageAction, MessageDetail, OperationState, SnapshotStatus, Timestamp};
use abaca_store::Tx;
use abaca_store::snapshot_work::{self, Made, SnapshotWork};
use async_trait::async_trait;

use super::create_snapshot::{give_up, id, load, reference};
use super::manage_share::{explain, generation};
use super::message::Told;
use super::superseded::{self, Whose};
use super::{Work, export_location};
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct ManageSnapshot;

#[async_trait]
impl Work for ManageSnapshot {
    fn steps(&self) -> &'static [&'static str] {
        &["manage"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = load(run).await?;
        let fence = run.resource_fence();
        let made = take(run, &work, fence).await.map_err(explain)?;
        let mut tx = run.record().await?;
        let now = Timestamp::now();
        let status = Some(SnapshotStatus::Available);
        mine(snapshot_work::made(&mut tx, work.id, fence, &made, status, now).await?)?;
        snapshot_work::managed(&mut tx, &work, now).await?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let (action, detail) = (MessageAction::Create, MessageDetail::Unknown);
        let told = Told { action, detail, reason: &failed.message };
        give_up(run, tx, SnapshotStatus::ManageError, told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = snapshot_work::load(&mut run.db().read().await?, id(run)).await?;
        let whose = superseded::whose(run, work.as_ref().map(Into::into)).await?;
        // Gone with its row: the reconcilers give up what was taken late.
        let Some(work) = work else { return run.record().await };
        match (whose, &work.host) {
            // The administrator said it is there, so it shall be.
            (Whose::Tenants, _) => {
                let made = take(run, &work, work.fence).await?;
                return superseded::made(run, &work, &made).await;
            }
            (Whose::Nobodys, Some(host)) => {
                let driver = &run.backend(host)?.driver;
                driver.unmanage_snapshot(&reference(&work), generation(work.fence)).await?;
            }
            _ => {}
        }
        superseded::snapshot_as_found(run, &work).await
    }
}

/// Has the backend take what is at the row's location, as long as the row's fence is `fence`.
pub(super) async fn take(run: &Run<'_>, work: &SnapshotWork, fence: i64) -> Result<Made, Failure> {
    let snapshot = abaca_drivers::ManageSnapshot {
        snapshot: NewSnapshot {
            id: work.id.uuid(),
            share_instance_id: work.share_instance_id.uuid(),
        },
        provider_location: work.provider_location.clone().unwrap_or_default(),
        generation: generation(fence),
    };
    let backend = run.backend(work.host.as_deref().unwrap_or_default())?;
    let found = backend.driver.manage_snapshot(&snapshot).await?;
    let exports = if work.is_mountable { found.exports } else { Vec::new() };
    Ok(Made {
        provider_location: found.provider_location,
        exports: exports.into_iter().map(export_location).collect(),
    })
}
