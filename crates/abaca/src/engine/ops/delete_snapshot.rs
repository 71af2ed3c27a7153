//! Deletes a snapshot instance, and with its last instance the snapshot.

use abaca_model::{MessageAction, OperationState, SnapshotStatus};
use abaca_store::{Tx, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_snapshot::{delete, give_up, id, load};
use super::delete_share::{forgive, is_deferred, untold};
use super::message::Told;
use crate::engine::arguments::Delete;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct DeleteSnapshot;

#[async_trait]
impl Work for DeleteSnapshot {
    fn steps(&self) -> &'static [&'static str] {
        &["delete"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let Delete { force, .. } = run.arguments()?;
        let work = load(run).await?;
        forgive(force, delete(run, &work).await)?;
        let mut tx = run.record().await?;
        mine(snapshot_work::remove(&mut tx, &work, run.resource_fence()).await?)?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let work = snapshot_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
        run.check(work.fence)?;
        let statuses = [SnapshotStatus::ErrorDeleting, SnapshotStatus::ErrorDeferredDeleting];
        match untold(run, work.status, statuses) {
            Some((status, detail)) => {
                let (action, reason) = (MessageAction::Delete, failed.message.as_str());
                give_up(run, tx, status, Told { action, detail, reason }).await
            }
            None => Ok(()),
        }
    }

    fn never_gives_up(&self, run: &Run<'_>) -> bool {
        is_deferred(run)
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        // What is deleted can't be brought back, and what is not stays: the row decides.
        run.record().await
    }
}
