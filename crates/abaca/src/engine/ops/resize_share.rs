//! Grows or shrinks a share.

use abaca_drivers::DriverError;
use abaca_model::scheduler::NoValidHost;
use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus, Timestamp};
use abaca_store::Tx;
use abaca_store::operations::service_of;
use abaca_store::share_work::{self, ShareWork};
use async_trait::async_trait;
use std::cmp::Ordering;

use super::create_share::{give_up, id, load};
use super::message::Told;
use super::{Work, schedule, superseded};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

/// Both directions.
pub(super) struct ResizeShare {
    grows: bool,
}

impl ResizeShare {
    pub(super) const EXTEND: Self = Self { grows: true };
    pub(super) const SHRINK: Self = Self { grows: false };
}

/// Asks the scheduler whether the pool has room, unless an administrator said not to ask.
async fn find_room(run: &Run<'_>, new_size: i64, force: bool) -> Result<Outcome, Failure> {
    let mut tx = run.record().await?;
    let work = share_work::load(&mut tx, id(run)).await?.ok_or(Failure::Superseded)?;
    run.check(work.fence)?;
    if !force {
        schedule::grow(&mut tx, &work, new_size).await?;
    }
    let host = work.host.as_deref().unwrap_or_default();
    run.advance(tx, service_of(host)).await
}

#[async_trait]
impl Work for ResizeShare {
    fn steps(&self) -> &'static [&'static str] {
        if self.grows { &["schedule", "resize"] } else { &["resize"] }
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let arguments::ResizeShare { new_size, force } = run.arguments()?;
        if run.step == "schedule" {
            return find_room(run, new_size, force).await;
        }
        let work = load(run).await?;
        let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
        let size = u64::try_from(new_size).unwrap_or_default();
        if self.grows {
            driver.extend_share(work.id.uuid(), size).await?;
        } else {
            driver.shrink_share(work.id.uuid(), size).await?;
        }
        let mut tx = run.record().await?;
        let now = Timestamp::now();
        mine(share_work::resized(&mut tx, &work, run.resource_fence(), new_size, now).await?)?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let action = if self.grows { MessageAction::Extend } else { MessageAction::Shrink };
        // Nothing happened to it: it can be asked for less.
        if let Some(refused) = failed.source.downcast_ref::<NoValidHost>() {
            let detail = schedule::detail(refused);
            let told = Told { action, detail, reason: "" };
            return give_up(run, tx, ShareStatus::Available, told).await;
        }
        let (status, detail) = match failed.source.downcast_ref::<DriverError>() {
            // Nothing happened to it: a tenant who makes room, or asks for more, can try again.
            Some(DriverError::ShrinkBelowData { .. }) => {
                (ShareStatus::Available, MessageDetail::ShrinkRefused)
            }
            _ if self.grows => (ShareStatus::ExtendingError, MessageDetail::ExtendFailed),
            _ => (ShareStatus::ShrinkingError, MessageDetail::ShrinkFailed),
        };
        give_up(run, tx, status, Told { action, detail, reason: &failed.message }).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        back_to_recorded_size(run).await
    }
}

/// Makes the size limit in the backend what the row says, whichever way that is; the transaction in
/// which that is found done.
pub(super) async fn back_to_recorded_size(run: &Run<'_>) -> Result<Tx, Failure> {
    let work = share_work::load(&mut run.db().read().await?, id(run)).await?;
    if let Some(work) = work.as_ref().filter(|work| !work.status.is_being_deleted()) {
        // One that is at work may be about to record another size.
        superseded::at_rest(run, &work.into()).await?;
        limit(run, work).await?;
    }
    superseded::share_as_found(run, work.as_ref()).await
}

async fn limit(run: &Run<'_>, work: &ShareWork) -> Result<(), Failure> {
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    let Some(share) = driver.get_share(work.id.uuid()).await? else { return Ok(()) };
    let size = u64::try_from(work.size).unwrap_or_default();
    let result = match size.cmp(&share.size_gb) {
        // Also when it is that already: a killed call may have set the limit and not recorded it.
        Ordering::Equal | Ordering::Greater => driver.extend_share(share.id, size).await,
        Ordering::Less => driver.shrink_share(share.id, size).await,
    };
    match result {
        // The tenant has filled the room meanwhile; no byte is lost for the sake of a number.
        Err(DriverError::ShrinkBelowData { .. }) => Ok(()),
        result => Ok(result?),
    }
}
