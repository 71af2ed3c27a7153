//! Creates a share instance: finds it a pool, then makes it there, empty or from a snapshot.

use abaca_drivers::{NewShare, SnapshotRef};
use abaca_model::scheduler::NoValidHost;
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationState, ShareInstanceId, ShareStatus,
    SnapshotInstanceId, Timestamp,
};
use abaca_store::Tx;
use abaca_store::export_work::NewExportLocation;
use abaca_store::share_work::{self, ShareWork};
use abaca_store::snapshot_work::{self, SnapshotWork};
use async_trait::async_trait;

use super::message::{self, Told};
use super::superseded::{self, Whose};
use super::{Work, export_location, pool_of, schedule};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct CreateShare;

#[async_trait]
impl Work for CreateShare {
    fn steps(&self) -> &'static [&'static str] {
        &["schedule", "create"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        match run.step {
            "schedule" => place(run).await,
            _ => create(run).await,
        }
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let told = match failed.source.downcast_ref::<NoValidHost>() {
            Some(refused) => {
                let detail = schedule::detail(refused);
                Told { action: MessageAction::AllocateHost, detail, reason: "" }
            }
            None => {
                let arguments: arguments::CreateShare = run.arguments()?;
                let detail = match arguments.source {
                    Some(_) => MessageDetail::CreateFromSnapshotFailed,
                    None => MessageDetail::Unknown,
                };
                Told { action: MessageAction::Create, detail, reason: &failed.message }
            }
        };
        give_up(run, tx, ShareStatus::Error, told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = share_work::load(&mut run.db().read().await?, id(run)).await?;
        let whose = superseded::whose(run, work.as_ref().map(Into::into)).await?;
        let mut exports = None;
        match (whose, &work, &run.operation.service) {
            // Before it was placed nothing was made anywhere.
            (_, _, None) => {}
            // The administrator said it is there, so it shall be.
            (Whose::Tenants, Some(work), _) => exports = Some(make(run, work).await?),
            (Whose::Nobodys, _, Some(service)) => {
                run.backend(service)?.driver.delete_share(run.operation.resource_id).await?;
            }
            _ => {}
        }
        let mut tx = superseded::share_as_found(run, work.as_ref()).await?;
        if let Some(exports) = exports {
            share_work::record_exports(&mut tx, id(run), &exports, Timestamp::now()).await?;
        }
        Ok(tx)
    }
}

pub(super) fn id(run: &Run<'_>) -> ShareInstanceId {
    run.operation.resource_id.into()
}

/// The instance, if it is still this operation's.
pub(super) async fn load(run: &Run<'_>) -> Result<ShareWork, Failure> {
    let work = share_work::load(&mut run.db().read().await?, id(run)).await?;
    let work = work.ok_or(Failure::Superseded)?;
    run.check(work.fence)?;
    Ok(work)
}

/// Writes an error status and leaves a message.
pub(super) async fn give_up(
    run: &Run<'_>,
    tx: &mut Tx,
    status: ShareStatus,
    told: Told<'_>,
) -> Result<(), Failure> {
    let work = share_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
    mine(
        share_work::set_status(tx, work.id, run.resource_fence(), status, Timestamp::now()).await?,
    )?;
    let share = (MessageResource::Share, work.share_id.to_string());
    Ok(message::leave(run, tx, &work.project_id, share, told).await?)
}

async fn place(run: &Run<'_>) -> Result<Outcome, Failure> {
    let source = source(run).await?;
    let mut tx = run.record().await?;
    let work = share_work::load(&mut tx, id(run)).await?.ok_or(Failure::Superseded)?;
    run.check(work.fence)?;
    let host = source.as_ref().and_then(|source| source.host.as_deref());
    let arguments: arguments::CreateShare = run.arguments()?;
    let (placement, zone) = schedule::place(&mut tx, &work, host, &arguments.hints).await?;
    let pool = placement.pool.to_string();
    tracing::info!(pool, weight = placement.weight, "placed");
    let now = Timestamp::now();
    mine(share_work::place(&mut tx, work.id, run.resource_fence(), &pool, &zone, now).await?)?;
    run.advance(tx, &placement.pool.service()).await
}

async fn create(run: &Run<'_>) -> Result<Outcome, Failure> {
    let work = load(run).await?;
    let exports = make(run, &work).await?;
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    mine(share_work::created(&mut tx, work.id, run.resource_fence(), &exports, now).await?)?;
    run.end(tx, OperationState::Succeeded, None).await
}

/// The snapshot instance that the share starts from, if it does.
async fn source(run: &Run<'_>) -> Result<Option<SnapshotWork>, Failure> {
    let arguments: arguments::CreateShare = run.arguments()?;
    let Some(id) = arguments.source else { return Ok(None) };
    let source = snapshot_work::load(&mut run.db().read().await?, id).await?;
    source.map(Some).ok_or_else(|| gone(id))
}

fn gone(id: SnapshotInstanceId) -> Failure {
    let source = format!("snapshot instance {id} is gone");
    Failure::permanent("The snapshot was deleted before its bytes could be taken.", source)
}

async fn make(run: &Run<'_>, work: &ShareWork) -> Result<Vec<NewExportLocation>, Failure> {
    let host = work.host.as_deref().unwrap_or_default();
    let backend = run.backend(host)?;
    let share = NewShare {
        id: work.id.uuid(),
        size_gb: u64::try_from(work.size).unwrap_or_default(),
        protocol: work.share_proto.clone(),
        mount_point_name: work.mount_point_name.clone(),
        pool: pool_of(host),
    };
    let exports = match source(run).await? {
        None => backend.driver.create_share(&share).await?,
        Some(source) => {
            let snapshot = SnapshotRef {
                id: source.id.uuid(),
                share_instance_id: source.share_instance_id.uuid(),
                provider_location: source.provider_location,
            };
            backend.driver.create_share_from_snapshot(&share, &snapshot).await?
        }
    };
    Ok(exports.into_iter().map(export_location).collect())
}
