//! Looks whether a share is in its backend, exports it again, and gives it its access rules again.

use abaca_drivers::DriverError;
use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus, Timestamp};
use abaca_store::{Tx, share_work};
use async_trait::async_trait;

use super::create_share::{give_up, load};
use super::message::Told;
use super::update_access_rules::apply_again;
use super::{Work, export_location};
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct EnsureShare;

#[async_trait]
impl Work for EnsureShare {
    fn steps(&self) -> &'static [&'static str] {
        &["ensure"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = load(run).await?;
        let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
        let exports = driver.ensure_share(work.id.uuid()).await?;
        apply_again(run, work.id.uuid()).await?;
        let exports: Vec<_> = exports.into_iter().map(export_location).collect();
        let mut tx = run.record().await?;
        let (fence, now) = (run.resource_fence(), Timestamp::now());
        let status = ShareStatus::Available;
        mine(share_work::set_status(&mut tx, work.id, fence, status, now).await?)?;
        share_work::record_exports(&mut tx, work.id, &exports, now).await?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let status = match failed.source.downcast_ref() {
            Some(DriverError::NotFound { .. } | DriverError::Damaged { .. }) => ShareStatus::Error,
            // That it could not be looked at says nothing about the share.
            _ => ShareStatus::Available,
        };
        let (action, detail) = (MessageAction::Update, MessageDetail::Unknown);
        give_up(run, tx, status, Told { action, detail, reason: &failed.message }).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        // Exports that were repaired do no harm to anybody.
        run.record().await
    }
}
