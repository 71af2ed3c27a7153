//! Reverts a share to one of its snapshots.

use abaca_drivers::{RevertShare as Revert, SnapshotRef};
use abaca_model::{
    MessageAction, MessageDetail, OperationState, ShareStatus, SnapshotStatus, Timestamp,
};
use abaca_store::{Tx, share_work, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_share::{give_up, load};
use super::message::Told;
use super::resize_share::back_to_recorded_size;
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct RevertShare;

#[async_trait]
impl Work for RevertShare {
    fn steps(&self) -> &'static [&'static str] {
        &["revert"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let arguments: arguments::RevertShare = run.arguments()?;
        let id = arguments.snapshot_instance;
        let work = load(run).await?;
        // It may have been deleted by force after the revert had happened; the driver knows.
        let snapshot = snapshot_work::load(&mut run.db().read().await?, id).await?;
        let fence = u64::try_from(run.resource_fence()).unwrap_or_default();
        let revert = Revert {
            snapshot: SnapshotRef {
                id: id.uuid(),
                share_instance_id: work.id.uuid(),
                provider_location: snapshot.and_then(|snapshot| snapshot.provider_location),
            },
            size_gb: u64::try_from(arguments.size).unwrap_or_default(),
            // A request that an earlier version took has none of its own.
            generation: arguments.generation.max(fence),
        };
        let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
        driver.revert_to_snapshot(&revert).await?;
        let mut tx = run.record().await?;
        let (fence, now) = (run.resource_fence(), Timestamp::now());
        mine(share_work::resized(&mut tx, &work, fence, arguments.size, now).await?)?;
        release(&mut tx, &arguments).await?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let (action, detail) = (MessageAction::RevertToSnapshot, MessageDetail::RevertFailed);
        give_up(
            run,
            tx,
            ShareStatus::RevertingError,
            Told { action, detail, reason: &failed.message },
        )
        .await?;
        release(tx, &run.arguments()?).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let mut tx = back_to_recorded_size(run).await?;
        release(&mut tx, &run.arguments()?).await?;
        Ok(tx)
    }
}

/// The snapshot can be used again, unless somebody has taken it over meanwhile: then what he said
/// stands.
async fn release(tx: &mut Tx, arguments: &arguments::RevertShare) -> Result<(), Failure> {
    let (id, fence) = (arguments.snapshot_instance, arguments.snapshot_fence);
    let status = SnapshotStatus::Available;
    snapshot_work::set_status(tx, id, fence, status, Timestamp::now()).await?;
    Ok(())
}
