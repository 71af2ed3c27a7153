//! Makes a replica the active one.

use abaca_drivers::{Promoted, SyncReplica};
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationState, ShareInstance, ShareStatus,
    Timestamp,
};
use abaca_store::share_work::ShareWork;
use abaca_store::{Tx, replicas as rows, retry_conflicts, share_instances, share_work, shares};
use async_trait::async_trait;

use super::create_share::{id, load};
use super::message::{self, Told};
use super::replicas;
use super::{Work, export_location};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct PromoteReplica;

#[async_trait]
impl Work for PromoteReplica {
    fn steps(&self) -> &'static [&'static str] {
        &["promote"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let arguments: arguments::PromoteReplica = run.arguments()?;
        let work = load(run).await?;
        let active = replicas::active(&mut run.db().read().await?, work.share_id, work.id).await?;
        let active = active.ok_or_else(|| replicas::none_active(work.share_id))?;
        let promotion = SyncReplica {
            id: work.id.uuid(),
            size_gb: u64::try_from(work.size).unwrap_or_default(),
            source: active.source,
            generation: replicas::driver_generation(arguments.generation),
        };
        let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
        // An administrator who set the active one to `error` said not to wait for it.
        let may_be_stale = active.instance.status == ShareStatus::Error;
        let Promoted { exports, is_current } =
            driver.promote_replica(&promotion, may_be_stale).await?;
        let exports: Vec<_> = exports.into_iter().map(export_location).collect();

        let mut tx = run.record().await?;
        let (fence, now) = (run.resource_fence(), Timestamp::now());
        let share = shares::get_locked(&mut tx, work.share_id).await?.ok_or(Failure::Superseded)?;
        let before = share_instances::of_share_locked(&mut tx, share.id).await?;
        let readable = share.capabilities.replication_type.as_deref() == Some("readable");
        mine(rows::promote(&mut tx, share.id, work.id, fence, readable, now).await?)?;
        share_work::record_exports(&mut tx, work.id, &exports, now).await?;
        for replica in &before {
            let own = replica.id.uuid();
            let was_active = replica.replica_state.as_deref() == Some(rows::ACTIVE);
            if replica.id == work.id || was_active {
                replicas::sync_access(run, &mut tx, own, replica.host.as_deref(), now).await?;
            }
            if was_active && replica.id != work.id && !is_current {
                keep_aside(run, &mut tx, &work, replica, now).await?;
            } else if replica.id != work.id && replica.status == ShareStatus::Available {
                replicas::update(run, &mut tx, replica, now).await?;
            }
        }
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let work = share_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
        shares::get_locked(tx, work.share_id).await?.ok_or(Failure::Superseded)?;
        // The backend may have promoted it: only a later generation makes it follow again.
        rows::raise_generation(tx, work.share_id, Timestamp::now()).await?;
        replicas::give_up_following(run, tx, MessageAction::Promote, failed).await
    }

    /// What tenants see did not change; what the backend did is undone by the next update.
    async fn clean_up(&self, run: &Run<'_>) -> Result<(), Failure> {
        let raised = retry_conflicts(|| async {
            let mut tx = run.db().write().await?;
            if let Some(work) = share_work::load(&mut tx, id(run)).await?
                && shares::get_locked(&mut tx, work.share_id).await?.is_some()
            {
                rows::raise_generation(&mut tx, work.share_id, Timestamp::now()).await?;
            }
            tx.commit().await
        });
        Ok(raised.await?)
    }
}

/// The replica that was active, and could not be asked for what was written to it last: it may hold
/// the only copy of that. So it is in error, and nothing but a resync overwrites it.
async fn keep_aside(
    run: &Run<'_>,
    tx: &mut Tx,
    promoted: &ShareWork,
    former: &ShareInstance,
    now: Timestamp,
) -> Result<(), Failure> {
    let fence = share_instances::take_over(tx, former, ShareStatus::Error, now).await?;
    rows::set_state(tx, former.id, fence, rows::ERROR, now).await?;
    let reason = "The replica that was active could not be read. What was written to it after the \
                  last update is not in the share; a resync of that replica would remove it.";
    let replica = (MessageResource::Replica, former.id.to_string());
    let (action, detail) = (MessageAction::Promote, MessageDetail::Unknown);
    let told = Told { action, detail, reason };
    Ok(message::leave(run, tx, &promoted.project_id, replica, told).await?)
}
