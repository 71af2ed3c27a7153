//! Gives a share up: its bytes stay where they are, and the service forgets it.

use abaca_drivers::DriverError;
use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus};
use abaca_store::{Tx, share_work};
use async_trait::async_trait;

use super::create_share::{give_up, id, load};
use super::manage_share::{Wanted, explain, generation};
use super::message::Told;
use super::{Work, superseded};
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct UnmanageShare;

#[async_trait]
impl Work for UnmanageShare {
    fn steps(&self) -> &'static [&'static str] {
        &["unmanage"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = load(run).await?;
        if let Some(host) = &work.host {
            let driver = &run.backend(host)?.driver;
            let id = work.id.uuid();
            match driver.unmanage_share(id, generation(run.resource_fence())).await {
                // It never had it.
                Err(DriverError::Unsupported { .. }) if driver.get_share(id).await?.is_none() => {}
                given_up => given_up.map_err(|error| explain(error.into()))?,
            }
        }
        let mut tx = run.record().await?;
        mine(share_work::remove(&mut tx, &work, run.resource_fence()).await?)?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let (action, detail) = (MessageAction::Delete, MessageDetail::Unknown);
        let told = Told { action, detail, reason: &failed.message };
        give_up(run, tx, ShareStatus::UnmanageError, told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = share_work::load(&mut run.db().read().await?, id(run)).await?;
        if let Some(work) = work.as_ref().filter(|work| !work.status.is_being_deleted()) {
            superseded::at_rest(run, &work.into()).await?;
            // The row is still there, so its share is the service's.
            let wanted = Wanted::again(run.db(), work).await?;
            taken_back(wanted.take(run, work, work.fence).await)?;
        }
        superseded::share_as_found(run, work.as_ref()).await
    }
}

/// After a reset in the middle: what the backend can't take back is the reconciler's to report.
pub(super) fn taken_back<T>(taken: Result<T, Failure>) -> Result<(), Failure> {
    match taken {
        Err(Failure::Permanent(failed)) => {
            tracing::warn!(error = %failed.source, "it can't be taken back");
            Ok(())
        }
        taken => taken.map(drop),
    }
}
