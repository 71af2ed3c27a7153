//! Makes a replica the active one.

use std::time::Duration;

use abaca_drivers::{Promoted, SyncReplica};
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationState, ShareInstance, ShareStatus,
    Timestamp,
};
use abaca_store::access_rules::{self, Of};
use abaca_store::share_work::ShareWork;
use abaca_store::{Tx, replicas as rows, share_instances, share_work, shares};
use async_trait::async_trait;

use super::create_share::{id, load};
use super::message::{self, Told};
use super::{Work, export_location, quiesce, replicas};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct PromoteReplica;

#[async_trait]
impl Work for PromoteReplica {
    fn steps(&self) -> &'static [&'static str] {
        &["quiesce", "promote"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let arguments: arguments::PromoteReplica = run.arguments()?;
        let work = load(run).await?;
        match (run.step, arguments.quiescing) {
            ("quiesce", None) => quiesce::begin(run, &work, arguments).await,
            ("quiesce", Some(quiescing)) => quiesce::wait(run, &work, quiescing).await,
            _ => promote(run, &work).await,
        }
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let work = share_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
        shares::get_locked(tx, work.share_id).await?.ok_or(Failure::Superseded)?;
        // The backend may have promoted it: only a later generation makes it follow again.
        rows::raise_generation(tx, work.share_id, Timestamp::now()).await?;
        replicas::give_up_following(run, tx, MessageAction::Promote, failed).await?;
        quiesce::end(run, tx, work.share_id).await
    }

    /// What tenants see did not change; what the backend did is undone by the next update.
    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let arguments: arguments::PromoteReplica = run.arguments()?;
        let mut tx = run.record().await?;
        let mut work = share_work::load(&mut tx, id(run)).await?;
        // Also when the replica is gone, its writers are let in again.
        if let Some(quiescing) = arguments.quiescing.filter(|_| work.is_none()) {
            work = share_work::load(&mut tx, quiescing.active).await?;
        }
        if let Some(ShareWork { share_id, .. }) = work
            && shares::get_locked(&mut tx, share_id).await?.is_some()
        {
            rows::raise_generation(&mut tx, share_id, Timestamp::now()).await?;
            quiesce::end(run, &mut tx, share_id).await?;
        }
        Ok(tx)
    }

    fn longest_wait(&self) -> Duration {
        // The tenant waits for it, and can't write meanwhile.
        Duration::from_secs(1)
    }
}

/// A last update if the active replica can be read, then the change.
async fn promote(run: &Run<'_>, work: &ShareWork) -> Result<Outcome, Failure> {
    let generation = next_generation(run, work).await?;
    let active = replicas::active(&mut run.db().read().await?, work.share_id, work.id).await?;
    let active = active.ok_or_else(|| replicas::none_active(work.share_id))?;
    let promotion = SyncReplica {
        id: work.id.uuid(),
        size_gb: u64::try_from(work.size).unwrap_or_default(),
        source: active.source,
        generation: replicas::driver_generation(generation),
    };
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    // An administrator who set the active one to `error` said not to wait for it.
    let may_be_stale = active.instance.status == ShareStatus::Error;
    let promoted = run.while_mine(driver.promote_replica(&promotion, may_be_stale)).await??;
    let location = replicas::unnoted_location(run, work).await?;
    let tx = run.record().await?;
    switch(run, tx, work, promoted, location).await
}

/// Each attempt is a promotion of its own to the backend. One that was cut short may be done there, while
/// clients go on with the replica that is still the active one: what they wrote since is to be fetched
/// too. And none that comes late may fetch anything any more.
async fn next_generation(run: &Run<'_>, work: &ShareWork) -> Result<i64, Failure> {
    let mut tx = run.db().write().await?;
    shares::get_locked(&mut tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    let generation = rows::raise_generation(&mut tx, work.share_id, Timestamp::now()).await?;
    run.commit_as_owner(tx).await?;
    Ok(generation)
}

/// One transaction: the replica is the active one, and the others follow it.
async fn switch(
    run: &Run<'_>,
    mut tx: Tx,
    work: &ShareWork,
    Promoted { exports, is_current }: Promoted,
    location: Option<String>,
) -> Result<Outcome, Failure> {
    let exports: Vec<_> = exports.into_iter().map(export_location).collect();
    let (fence, now) = (run.resource_fence(), Timestamp::now());
    let share = shares::get_locked(&mut tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    let before = share_instances::of_share_locked(&mut tx, share.id).await?;
    let readable = share.capabilities.replication_type.as_deref() == Some("readable");
    mine(rows::promote(&mut tx, share.id, work.id, fence, readable, now).await?)?;
    share_work::record_exports(&mut tx, work.id, &exports, now).await?;
    if let Some(location) = location {
        replicas::note_location(run, &mut tx, work.id, &location).await?;
    }
    replicas::sync_access(run, &mut tx, work.id.uuid(), work.host.as_deref(), now).await?;
    for replica in before.iter().filter(|replica| replica.id != work.id) {
        let was_active = replica.replica_state.as_deref() == Some(rows::ACTIVE);
        if was_active {
            let own = replica.id.uuid();
            // As a rule the new one has its rules; not so if its creation was never recorded.
            access_rules::follow(&mut tx, Of::Shares, own, work.id.uuid(), false).await?;
            replicas::sync_access(run, &mut tx, own, replica.host.as_deref(), now).await?;
        }
        if was_active && !is_current {
            keep_aside(run, &mut tx, work, replica, now).await?;
            continue;
        }
        if was_active {
            // What it lacked until now it can still be given.
            replicas::bring_snapshots(run, &mut tx, replica.id, work, &[], true, now).await?;
        }
        if was_active && replica.status == ShareStatus::Available || rows::follows(replica) {
            replicas::update(run, &mut tx, replica, now).await?;
        }
    }
    run.end(tx, OperationState::Succeeded, None).await
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
