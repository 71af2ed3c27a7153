//! Brings a replica up to date with the active one: its bytes, and the snapshots it lacks. One that is
//! missing in its backend is made anew, so this repairs what failed.

use abaca_drivers::{AccessTarget, DriverError, Export, ReplicaSync, SyncReplica};
use abaca_model::{
    MessageAction, OperationKind, OperationState, ShareStatus, SnapshotStatus, Timestamp,
};
use abaca_store::access_rules::{self, Of};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::snapshot_work::{self, SnapshotWork};
use abaca_store::{Tx, access_work, operations, replicas as rows, share_instances, shares};
use async_trait::async_trait;

use super::Work;
use super::create_replica::{make, still_followed};
use super::create_share::load;
use super::export_location;
use super::replicas::{self, Active};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct UpdateReplica;

#[async_trait]
impl Work for UpdateReplica {
    fn steps(&self) -> &'static [&'static str] {
        &["update"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let arguments::UpdateReplica { repairs } = run.arguments()?;
        let work = load(run).await?;
        let mut tx = run.db().read().await?;
        let instances = share_instances::of_share(&mut tx, work.share_id).await?;
        let own = instances.iter().find(|own| own.id == work.id).ok_or(Failure::Superseded)?;
        let is_settled = work.status == ShareStatus::Available || work.status.is_failed();
        let is_active = own.replica_state.as_deref() == Some(rows::ACTIVE);
        if !is_settled || is_active || work.host.is_none() {
            drop(tx);
            let tx = run.record().await?;
            return run.end(tx, OperationState::Succeeded, None).await;
        }
        replicas::writers_are_out(&mut tx, own).await?;
        if let Some(active) = rows::active(&instances)
            && repairs
            && rows::location(&mut tx, active.id).await?.is_none()
        {
            drop(tx);
            return create_anew(run, &work).await;
        }
        let active = replicas::active(&mut tx, work.share_id, work.id).await?;
        drop(tx);
        let active = active.ok_or_else(|| replicas::none_active(work.share_id))?;
        // Its generation must be from before any promotion of this replica.
        load(run).await?;
        let mut found = bring_up_to_date(run, &work, &active).await?;
        // Its creation may have ended without telling of it.
        found.is_new |= own.launched_at.is_none();
        let repairs = repairs || found.is_new || work.status.is_failed();
        found.lacks_rules = found.is_new || (repairs && lacks_rules(run, &work).await?);
        let lost = if repairs { lost_snapshots(run, &work).await? } else { Vec::new() };
        let mut tx = run.record().await?;
        record(run, &mut tx, &work, &active, found, repairs).await?;
        let (first, now) = (active.instance.id, Timestamp::now());
        replicas::bring_snapshots(run, &mut tx, first, &work, &lost, repairs, now).await?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        replicas::give_up_following(run, tx, MessageAction::Update, failed).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        // An update takes nothing away that the next one would not.
        run.record().await
    }
}

/// The creation of the replica failed before it was known where the active one's bytes are: it begins
/// anew.
async fn create_anew(run: &Run<'_>, work: &ShareWork) -> Result<Outcome, Failure> {
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    shares::get_locked(&mut tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    let own = share_instances::get_locked(&mut tx, work.id).await?.ok_or(Failure::Superseded)?;
    run.check(own.fence)?;
    let fence = share_instances::take_over(&mut tx, &own, ShareStatus::Creating, now).await?;
    rows::set_state(&mut tx, own.id, fence, rows::OUT_OF_SYNC, now).await?;
    let again = (OperationKind::CreateReplica, own.id.uuid(), fence);
    run.enqueue(&mut tx, again, None, &arguments::CreateShare::default()).await?;
    run.end(tx, OperationState::Succeeded, None).await
}

/// The replica as its backend holds it.
struct Found {
    state: ReplicaSync,
    exports: Vec<Export>,
    location: String,
    /// It was missing and has been made, or nothing was recorded of it when it was.
    is_new: bool,
    /// Its backend was not given the rules it shall have.
    lacks_rules: bool,
}

async fn bring_up_to_date(
    run: &Run<'_>,
    work: &ShareWork,
    active: &Active,
) -> Result<Found, Failure> {
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    let sync = SyncReplica {
        id: work.id.uuid(),
        size_gb: u64::try_from(work.size).unwrap_or_default(),
        source: active.source.clone(),
        generation: replicas::driver_generation(active.generation),
    };
    let Some(share) = driver.get_share(sync.id).await? else {
        note_that_it_lacks_all(run).await?;
        let (exports, location) = make(run, work, active).await.map_err(replicas::lost)?;
        let state = ReplicaSync::InSync;
        return Ok(Found { state, exports, location, is_new: true, lacks_rules: true });
    };
    match run.copy(driver.update_replica(&sync)).await? {
        Err(error @ DriverError::InvalidInput { .. }) => {
            let mut tx = run.db().read().await?;
            if rows::generation(&mut tx, work.share_id).await? > active.generation {
                // A promotion came in between; the next attempt follows the new one.
                return Err(Failure::Passing(error.into()));
            }
            Err(error.into())
        }
        result => {
            let (exports, location) = (share.exports, share.provider_location);
            Ok(Found { state: result?, exports, location, is_new: false, lacks_rules: false })
        }
    }
}

/// Whether the backend holds other rules than it was to be given last, or none that can be read.
async fn lacks_rules(run: &Run<'_>, work: &ShareWork) -> Result<bool, Failure> {
    let id = work.id.uuid();
    let wanted = access_work::load(&mut run.db().read().await?, Of::Shares, id).await?;
    let wanted = wanted.ok_or(Failure::Superseded)?;
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    match driver.get_access(AccessTarget::Share(id)).await {
        Err(DriverError::Damaged { .. }) => Ok(true),
        held => Ok(held?.is_none_or(|held| held.generation != wanted.generation)),
    }
}

/// Noted before the replica is made: whoever goes on with this after that finds it there, and has still to
/// bring its snapshots and rules.
async fn note_that_it_lacks_all(run: &Run<'_>) -> Result<(), Failure> {
    let mut tx = run.db().write().await?;
    let arguments = arguments::to_json(&arguments::UpdateReplica { repairs: true });
    if !operations::set_arguments(&mut tx, run.operation, &arguments).await? {
        return Err(Failure::LeaseLost);
    }
    Ok(tx.commit().await?)
}

/// The snapshots that the replica is said to have, and that its backend does not hold.
async fn lost_snapshots(run: &Run<'_>, work: &ShareWork) -> Result<Vec<SnapshotWork>, Failure> {
    let copies = snapshot_work::of_share_instance(&mut run.db().read().await?, work.id).await?;
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    let mut lost = Vec::new();
    for copy in copies.into_iter().filter(|copy| copy.status == SnapshotStatus::Available) {
        if driver.get_snapshot(copy.id.uuid(), work.id.uuid()).await?.is_none() {
            lost.push(copy);
        }
    }
    Ok(lost)
}

/// Records how the replica is, under its share's lock, and gives it the rules it lacks; with `repairs`
/// those that failed, too.
async fn record(
    run: &Run<'_>,
    tx: &mut Tx,
    work: &ShareWork,
    active: &Active,
    found: Found,
    repairs: bool,
) -> Result<(), Failure> {
    let (fence, now) = (run.resource_fence(), Timestamp::now());
    shares::get_locked(tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    still_followed(tx, work, active).await?;
    let state = match found.state {
        ReplicaSync::InSync => rows::IN_SYNC,
        ReplicaSync::OutOfSync => rows::OUT_OF_SYNC,
    };
    mine(rows::set_state(tx, work.id, fence, state, now).await?)?;
    if found.is_new {
        let exports: Vec<_> = found.exports.into_iter().map(export_location).collect();
        mine(share_work::created(tx, work.id, fence, &exports, now).await?)?;
    } else if work.status != ShareStatus::Available {
        let status = ShareStatus::Available;
        mine(share_work::set_status(tx, work.id, fence, status, now).await?)?;
    }
    if rows::location(tx, work.id).await?.as_ref() != Some(&found.location) {
        replicas::note_location(run, tx, work.id, &found.location).await?;
    }
    let (first, own) = (active.instance.id.uuid(), work.id.uuid());
    let has_more = access_rules::follow(tx, Of::Shares, first, own, repairs).await?;
    if has_more || found.lacks_rules || work.status != ShareStatus::Available {
        replicas::sync_access(run, tx, own, work.host.as_deref(), now).await?;
    }
    Ok(())
}
