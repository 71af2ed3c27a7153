//! Deletes a share instance, and with its last instance the share.

use std::error::Error;

use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus};
use abaca_store::{Tx, share_work};
use async_trait::async_trait;

use super::Work;
use super::create_share::{give_up, load};
use super::message::Told;
use crate::engine::arguments::Delete;
use crate::engine::failure::{Failure, chain};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct DeleteShare;

#[async_trait]
impl Work for DeleteShare {
    fn steps(&self) -> &'static [&'static str] {
        &["delete"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let Delete { force } = run.arguments()?;
        let work = load(run).await?;
        if let Some(host) = &work.host {
            let deleted =
                async { Ok(run.backend(host)?.driver.delete_share(work.id.uuid()).await?) };
            forgive(force, deleted.await)?;
        }
        let mut tx = run.record().await?;
        mine(share_work::remove(&mut tx, &work, run.resource_fence()).await?)?;
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
        give_up(run, tx, ShareStatus::ErrorDeleting, Told { action, detail, reason }).await
    }

    async fn clean_up(&self, _: &Run<'_>) -> Result<(), Failure> {
        // What is deleted can't be brought back, and what is not stays: the row decides.
        Ok(())
    }
}

/// A forced deletion goes on without its backend; the reconcilers see to what is left there.
pub(super) fn forgive(force: bool, result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure @ (Failure::Passing(_) | Failure::Permanent { .. })) if force => {
            tracing::warn!(error = chain(&failure), "forced on without the backend");
            Ok(())
        }
        result => result,
    }
}
