//! Brings a replica up to date with the active one: its bytes, and the snapshots it lacks. One that is
//! missing in its backend is made anew, so this repairs what failed.

use abaca_drivers::{DriverError, ReplicaSync, SyncReplica};
use abaca_model::{MessageAction, OperationState, ShareStatus, Timestamp};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::{Tx, replicas as rows, share_instances, shares};
use async_trait::async_trait;

use super::Work;
use super::create_replica::{make, still_followed};
use super::create_share::load;
use super::export_location;
use super::replicas::{self, Active};
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct UpdateReplica;

#[async_trait]
impl Work for UpdateReplica {
    fn steps(&self) -> &'static [&'static str] {
        &["update"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = load(run).await?;
        let instance = {
            let mut tx = run.db().read().await?;
            share_instances::get(&mut tx, work.id).await?.ok_or(Failure::Superseded)?
        };
        let is_settled = matches!(work.status, ShareStatus::Available | ShareStatus::Error);
        let is_active = instance.replica_state.as_deref() == Some(rows::ACTIVE);
        if !is_settled || is_active || work.host.is_none() {
            let tx = run.record().await?;
            return run.end(tx, OperationState::Succeeded, None).await;
        }
        replicas::writers_are_out(run, &instance).await?;
        let active = replicas::active(&mut run.db().read().await?, work.share_id, work.id).await?;
        let active = active.ok_or_else(|| replicas::none_active(work.share_id))?;
        let (state, made) = bring_up_to_date(run, &work, &active).await?;
        let mut tx = run.record().await?;
        record(run, &mut tx, &work, &active, state, made).await?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        replicas::give_up_following(run, tx, MessageAction::Update, failed).await
    }

    async fn clean_up(&self, _: &Run<'_>) -> Result<(), Failure> {
        // An update takes nothing away that the next one would not.
        Ok(())
    }
}

type Made = Option<(Vec<abaca_drivers::Export>, String)>;

/// The state the replica is in now; and what was made, if it was missing.
async fn bring_up_to_date(
    run: &Run<'_>,
    work: &ShareWork,
    active: &Active,
) -> Result<(ReplicaSync, Made), Failure> {
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    let sync = SyncReplica {
        id: work.id.uuid(),
        size_gb: u64::try_from(work.size).unwrap_or_default(),
        source: active.source.clone(),
        generation: replicas::driver_generation(active.generation),
    };
    if driver.get_share(sync.id).await?.is_none() {
        let made = make(run, work, active).await.map_err(replicas::lost)?;
        return Ok((ReplicaSync::InSync, Some(made)));
    }
    match run.copy(driver.update_replica(&sync)).await? {
        Err(error @ DriverError::InvalidInput { .. }) => {
            let mut tx = run.db().read().await?;
            if rows::generation(&mut tx, work.share_id).await? > active.generation {
                // A promotion came in between; the next attempt follows the new one.
                return Err(Failure::Passing(error.into()));
            }
            Err(error.into())
        }
        result => Ok((result?, None)),
    }
}

async fn record(
    run: &Run<'_>,
    tx: &mut Tx,
    work: &ShareWork,
    active: &Active,
    state: ReplicaSync,
    made: Made,
) -> Result<(), Failure> {
    let (fence, now) = (run.resource_fence(), Timestamp::now());
    shares::get_locked(tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    still_followed(tx, work, active).await?;
    let state = match state {
        ReplicaSync::InSync => rows::IN_SYNC,
        ReplicaSync::OutOfSync => rows::OUT_OF_SYNC,
    };
    mine(rows::set_state(tx, work.id, fence, state, now).await?)?;
    if let Some((exports, location)) = made {
        let exports: Vec<_> = exports.into_iter().map(export_location).collect();
        mine(share_work::created(tx, work.id, fence, &exports, now).await?)?;
        replicas::note_location(run, tx, work.id, &location).await?;
    }
    if work.status == ShareStatus::Error {
        let status = ShareStatus::Available;
        mine(share_work::set_status(tx, work.id, fence, status, now).await?)?;
        let share = work.share_id.uuid();
        let of = abaca_store::access_rules::Of::Shares;
        abaca_store::access_rules::copy_to(tx, of, share, work.id.uuid()).await?;
        replicas::sync_access(run, tx, work.id.uuid(), work.host.as_deref(), now).await?;
    }
    replicas::bring_snapshots(run, tx, active.instance.id, work, now).await
}
