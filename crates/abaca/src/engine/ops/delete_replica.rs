//! Deletes a replica, and its instances of the share's snapshots with it.

use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus, Timestamp};
use abaca_store::{Tx, replicas as rows, share_instances, share_work, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_share::load;
use super::delete_share::forgive;
use super::replicas::give_up;
use crate::engine::arguments::Delete;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct DeleteReplica;

#[async_trait]
impl Work for DeleteReplica {
    fn steps(&self) -> &'static [&'static str] {
        &["delete"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let Delete { force, .. } = run.arguments()?;
        let work = load(run).await?;
        let copies = snapshot_work::of_share_instance(&mut run.db().read().await?, work.id).await?;
        for copy in &copies {
            forgive(force, super::create_snapshot::delete(run, copy).await)?;
        }
        if let Some(host) = &work.host {
            let deleted =
                async { Ok(run.backend(host)?.driver.delete_share(work.id.uuid()).await?) };
            forgive(force, deleted.await)?;
        }
        let mut tx = run.record().await?;
        for copy in snapshot_work::of_share_instance(&mut tx, work.id).await? {
            if !copies.iter().any(|seen| seen.id == copy.id) {
                return Err(Failure::Passing("it was given a snapshot meanwhile".into()));
            }
            mine(snapshot_work::remove(&mut tx, &copy, copy.fence).await?)?;
        }
        mine(share_work::remove(&mut tx, &work, run.resource_fence()).await?)?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let id = run.operation.resource_id.into();
        snapshot_work::fail_deletions(tx, id, Timestamp::now()).await?;
        let told = (MessageAction::Delete, MessageDetail::Unknown, failed.message.as_str());
        give_up(run, tx, ShareStatus::ErrorDeleting, Some(rows::ERROR), told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        // What is deleted can't be brought back, and what is not stays: the row decides. But
        // nobody deletes the replica's snapshots now.
        let id = run.operation.resource_id.into();
        let mut tx = run.record().await?;
        let replica = share_instances::get_locked(&mut tx, id).await?;
        if replica.is_some_and(|replica| !replica.status.is_being_deleted()) {
            snapshot_work::fail_deletions(&mut tx, id, Timestamp::now()).await?;
        }
        Ok(tx)
    }
}
