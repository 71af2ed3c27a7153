//! Deletes a snapshot instance, and with its last instance the snapshot.

use std::error::Error;

use abaca_model::{MessageAction, MessageDetail, OperationState, SnapshotStatus};
use abaca_store::{Tx, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_snapshot::{delete, give_up, load};
use super::delete_share::{forgive, is_deferred};
use super::message::Told;
use crate::engine::arguments::Delete;
use crate::engine::failure::Failure;
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

    async fn give_up(
        &self,
        run: &Run<'_>,
        tx: &mut Tx,
        reason: &str,
        _: &(dyn Error + Send + Sync + 'static),
    ) -> Result<(), Failure> {
        let action = MessageAction::Delete;
        if !is_deferred(run) {
            let detail = MessageDetail::Unknown;
            let told = Told { action, detail, reason };
            return give_up(run, tx, SnapshotStatus::ErrorDeleting, told).await;
        }
        let status = SnapshotStatus::ErrorDeferredDeleting;
        match snapshot_work::load(tx, run.operation.resource_id.into()).await? {
            // It has been told.
            Some(work) if work.status == status => Ok(()),
            _ => {
                let detail = MessageDetail::DeletionDeferred;
                give_up(run, tx, status, Told { action, detail, reason }).await
            }
        }
    }

    fn never_gives_up(&self, run: &Run<'_>) -> bool {
        is_deferred(run)
    }

    async fn clean_up(&self, _: &Run<'_>) -> Result<(), Failure> {
        // What is deleted can't be brought back, and what is not stays: the row decides.
        Ok(())
    }
}
