//! Deletes a snapshot instance, and with its last instance the snapshot.

use std::error::Error;

use abaca_model::{MessageAction, MessageDetail, OperationState, SnapshotStatus};
use abaca_store::{Tx, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_snapshot::{delete, give_up, load};
use super::delete_share::forgive;
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
        let Delete { force } = run.arguments()?;
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
        let (action, detail) = (MessageAction::Delete, MessageDetail::Unknown);
        give_up(run, tx, SnapshotStatus::ErrorDeleting, Told { action, detail, reason }).await
    }

    async fn clean_up(&self, _: &Run<'_>) -> Result<(), Failure> {
        // What is deleted can't be brought back, and what is not stays: the row decides.
        Ok(())
    }
}
