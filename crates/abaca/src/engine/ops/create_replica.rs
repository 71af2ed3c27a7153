//! Creates a replica of a share: finds it a pool, finds the bytes of the active one, and copies them.

use abaca_drivers::{NewReplica, NewShare};
use abaca_model::scheduler::NoValidHost;
use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus, Timestamp};
use abaca_store::access_rules::{self, Of};
use abaca_store::operations::service_of;
use abaca_store::share_work::{self, ShareWork};
use abaca_store::{Tx, replicas as rows, share_instances, shares};
use async_trait::async_trait;

use super::create_share::{id, load};
use super::replicas::{self, Active};
use super::superseded::{self, Whose};
use super::{Work, export_location, pool_of, schedule};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct CreateReplica;

#[async_trait]
impl Work for CreateReplica {
    fn steps(&self) -> &'static [&'static str] {
        &["schedule", "locate", "create"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        match run.step {
            "schedule" => place(run).await,
            "locate" => locate(run).await,
            _ => create(run).await,
        }
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let told = match failed.source.downcast_ref::<NoValidHost>() {
            Some(refused) => (MessageAction::AllocateHost, schedule::detail(refused), ""),
            None => (MessageAction::Create, MessageDetail::Unknown, failed.message.as_str()),
        };
        replicas::give_up(run, tx, ShareStatus::Error, Some(rows::ERROR), told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = share_work::load(&mut run.db().read().await?, id(run)).await?;
        let whose = superseded::whose(run, work.as_ref().map(Into::into)).await?;
        let host = work.as_ref().and_then(|work| work.host.as_ref());
        // The step before the last runs elsewhere, and made nothing. Where the administrator said it
        // is there, a resync makes it so.
        if let Some(host) = host.or(run.operation.service.as_ref())
            && run.step == "create"
            && whose == Whose::Nobodys
        {
            run.backend(host)?.driver.delete_share(run.operation.resource_id).await?;
        }
        superseded::share_as_found(run, work.as_ref()).await
    }
}

async fn place(run: &Run<'_>) -> Result<Outcome, Failure> {
    let mut tx = run.record().await?;
    let work = share_work::load(&mut tx, id(run)).await?.ok_or(Failure::Superseded)?;
    run.check(work.fence)?;
    let instances = share_instances::of_share(&mut tx, work.share_id).await?;
    let active = rows::active(&instances).and_then(|active| active.host.clone());
    let active = active.ok_or_else(|| replicas::none_active(work.share_id))?;
    if work.host.is_some() {
        // It is created once more, where it was to be.
        return run.advance(tx, service_of(&active)).await;
    }
    let others = instances.iter().filter_map(|other| other.host.clone()).collect::<Vec<_>>();
    let arguments: arguments::CreateShare = run.arguments()?;
    let (placement, zone) =
        schedule::place_replica(&mut tx, &work, &active, &others, &arguments.hints).await?;
    let pool = placement.pool.to_string();
    tracing::info!(pool, weight = placement.weight, "placed");
    let now = Timestamp::now();
    mine(share_work::place(&mut tx, work.id, run.resource_fence(), &pool, &zone, now).await?)?;
    run.advance(tx, service_of(&active)).await
}

/// Asks the active replica's backend where the bytes are. It is done there, since another worker may
/// serve that backend.
async fn locate(run: &Run<'_>) -> Result<Outcome, Failure> {
    let work = load(run).await?;
    let instances = {
        let mut tx = run.db().read().await?;
        share_instances::of_share(&mut tx, work.share_id).await?
    };
    let active = rows::active(&instances).ok_or_else(|| replicas::none_active(work.share_id))?;
    let host = active.host.as_deref().unwrap_or_default();
    if !run.engine.backends.contains_key(service_of(host)) {
        // It became the active one since this worker was chosen.
        return run.hand_over(service_of(host)).await;
    }
    let backend = run.backend(host)?;
    let found = backend.driver.get_share(active.id.uuid()).await?;
    let found = found.ok_or_else(|| {
        let message = "The storage backend no longer holds the active replica.";
        Failure::permanent(message, format!("share instance {} is gone", active.id))
    })?;
    let mut tx = run.record().await?;
    replicas::note_location(run, &mut tx, active.id, &found.provider_location).await?;
    let host = work.host.as_deref().unwrap_or_default();
    run.advance(tx, service_of(host)).await
}

async fn create(run: &Run<'_>) -> Result<Outcome, Failure> {
    let work = load(run).await?;
    let active = replicas::active(&mut run.db().read().await?, work.share_id, work.id).await?;
    let active = active.ok_or_else(|| replicas::none_active(work.share_id))?;
    let (exports, location) = make(run, &work, &active).await?;
    let exports: Vec<_> = exports.into_iter().map(export_location).collect();
    let mut tx = run.record().await?;
    let (fence, now) = (run.resource_fence(), Timestamp::now());
    shares::get_locked(&mut tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    still_followed(&mut tx, &work, &active).await?;
    mine(share_work::created(&mut tx, work.id, fence, &exports, now).await?)?;
    mine(rows::set_state(&mut tx, work.id, fence, rows::IN_SYNC, now).await?)?;
    replicas::note_location(run, &mut tx, work.id, &location).await?;
    let (first, own) = (active.instance.id, work.id.uuid());
    access_rules::follow(&mut tx, Of::Shares, first.uuid(), own, true).await?;
    replicas::sync_access(run, &mut tx, own, work.host.as_deref(), now).await?;
    replicas::bring_snapshots(run, &mut tx, first, &work, &[], true, now).await?;
    run.end(tx, OperationState::Succeeded, None).await
}

/// Makes the replica, if it is not there; its exports, and where its bytes are.
pub(super) async fn make(
    run: &Run<'_>,
    work: &ShareWork,
    active: &Active,
) -> Result<(Vec<abaca_drivers::Export>, String), Failure> {
    let host = work.host.as_deref().unwrap_or_default();
    let driver = &run.backend(host)?.driver;
    let replica = NewReplica {
        share: NewShare {
            id: work.id.uuid(),
            size_gb: u64::try_from(work.size).unwrap_or_default(),
            protocol: work.share_proto.clone(),
            mount_point_name: work.mount_point_name.clone(),
            pool: pool_of(host),
        },
        source: active.source.clone(),
        generation: replicas::driver_generation(active.generation),
    };
    let exports = run.copy(driver.create_replica(&replica)).await??;
    let found = driver.get_share(work.id.uuid()).await?;
    let found = found.ok_or_else(|| Failure::Passing("the new replica is not found".into()))?;
    Ok((exports, found.provider_location))
}

/// The share, which is locked, has not changed its active replica meanwhile.
pub(super) async fn still_followed(
    tx: &mut Tx,
    work: &ShareWork,
    active: &Active,
) -> Result<(), Failure> {
    let now = replicas::active(tx, work.share_id, work.id).await?;
    match now {
        Some(now) if now.source == active.source => Ok(()),
        _ => Err(Failure::Passing("another replica became the active one meanwhile".into())),
    }
}
