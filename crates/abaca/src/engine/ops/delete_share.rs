//! Deletes a share instance, and with its last instance the share.

use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus};
use abaca_store::{Tx, share_work, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_share::{give_up, id, load};
use super::message::Told;
use crate::engine::arguments::Delete;
use crate::engine::failure::{Failure, Permanent, chain};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct DeleteShare;

#[async_trait]
impl Work for DeleteShare {
    fn steps(&self) -> &'static [&'static str] {
        &["delete"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let Delete { force, deferred, after_snapshots } = run.arguments()?;
        let waits = deferred || after_snapshots;
        let work = load(run).await?;
        if waits && snapshot_work::any_of(&mut run.db().read().await?, work.id).await? {
            return Err(Failure::Waiting("its snapshots are not yet deleted"));
        }
        if let Some(host) = &work.host {
            let deleted =
                async { Ok(run.backend(host)?.driver.delete_share(work.id.uuid()).await?) };
            forgive(force, deleted.await)?;
        }
        let mut tx = run.record().await?;
        mine(share_work::remove(&mut tx, &work, run.resource_fence()).await?)?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let work = share_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
        run.check(work.fence)?;
        let statuses = [ShareStatus::ErrorDeleting, ShareStatus::ErrorDeferredDeleting];
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

/// Whether the tenant has the share or snapshot no more.
pub(super) fn is_deferred(run: &Run<'_>) -> bool {
    run.arguments::<Delete>().is_ok_and(|arguments| arguments.deferred)
}

/// The status of what could not be deleted, and what its tenant is told: the first status, or the
/// second if the deletion is deferred. `None`: it has been told.
pub(super) fn untold<Status: PartialEq>(
    run: &Run<'_>,
    present: Status,
    [error, deferred]: [Status; 2],
) -> Option<(Status, MessageDetail)> {
    if !is_deferred(run) {
        return Some((error, MessageDetail::Unknown));
    }
    (present != deferred).then_some((deferred, MessageDetail::DeletionDeferred))
}

/// A forced deletion goes on without its backend; the reconcilers see to what is left there.
pub(super) fn forgive(force: bool, result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure @ (Failure::Passing(_) | Failure::Busy(_) | Failure::Permanent(_)))
            if force =>
        {
            tracing::warn!(error = chain(&failure), "forced on without the backend");
            Ok(())
        }
        result => result,
    }
}
