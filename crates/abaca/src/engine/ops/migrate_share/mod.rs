//! Moves a share to another pool, with its snapshots where the backends can do that.
//!
//! One operation lives as long as the migration does: it finds out how the share can move, makes the
//! destination instance and fills it (the first phase), waits until an administrator completes or
//! cancels, and puts the destination in the source's place in one transaction. Until then the source
//! is the share: whatever goes wrong, the destination is deleted and the source goes on.

mod abandon;
mod copy;
mod plan;
mod prepare;
mod switch;

use std::time::Duration;

use abaca_model::scheduler::NoValidHost;
use abaca_model::{
    MessageAction, MessageDetail, MessageResource, MigrationWish, ShareInstance, ShareStatus,
    TaskState, Timestamp,
};
use abaca_store::migration_work::FENCE;
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::{Tx, share_instances, shares};
use async_trait::async_trait;

use self::plan::Plan;
use super::create_share::{self, id};
use super::message::{self, Told};
use super::{Work, pool_of, schedule};
use crate::engine::arguments;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct MigrateShare;

#[async_trait]
impl Work for MigrateShare {
    fn steps(&self) -> &'static [&'static str] {
        &["schedule", "offer", "prepare", "copy", "hold", "switch"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = create_share::load(run).await?;
        let mut tx = run.db().read().await?;
        let migration = share_migrations::from_instance(&mut tx, work.id).await?;
        let migration = migration.ok_or(Failure::Superseded)?;
        // Before any backend is asked: this worker may serve none of both.
        if migration.wanted == Some(MigrationWish::Cancel) {
            drop(tx);
            return abandon::cancel(run, &migration).await;
        }
        if migration.destination.is_some() {
            destination(&mut tx, &migration).await?;
        }
        drop(tx);
        match run.step {
            "schedule" => prepare::schedule(run, &work, &migration).await,
            "offer" => prepare::offer(run, &work, &migration).await,
            "prepare" => prepare::prepare(run, &work, &migration).await,
            "copy" => copy::copy(run, &work, &migration).await,
            "hold" => switch::hold(run, &work, &migration).await,
            _ => switch::switch(run, &work, &migration).await,
        }
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let migration = mine_locked(run, tx, ShareStatus::Available).await?;
        abandon::abandon(run, tx, &migration, TaskState::MigrationError).await?;
        let told = match failed.source.downcast_ref::<NoValidHost>() {
            Some(refused) => {
                let detail = schedule::detail(refused);
                Told { action: MessageAction::AllocateHost, detail, reason: "" }
            }
            None => {
                let (action, detail) = (MessageAction::Update, MessageDetail::MigrationFailed);
                Told { action, detail, reason: &failed.message }
            }
        };
        let work = share_work::load(tx, id(run)).await?.ok_or(Failure::Superseded)?;
        let share = (MessageResource::Share, work.share_id.to_string());
        Ok(message::leave(run, tx, &work.project_id, share, told).await?)
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let mut tx = run.record().await?;
        if let Some(migration) = locked(run, &mut tx).await? {
            abandon::abandon(run, &mut tx, &migration, TaskState::MigrationError).await?;
            // The status of a source that was taken over is what whoever did so says.
            let (fence, now) = (run.resource_fence(), Timestamp::now());
            let status = ShareStatus::Available;
            share_work::set_status(&mut tx, migration.source, fence, status, now).await?;
        }
        Ok(tx)
    }

    fn longest_wait(&self) -> Duration {
        // A wish may come in the moment in which it goes back into the queue, and be seen then only.
        Duration::from_secs(5)
    }
}

/// The migration, if it is still there. Its share is locked before anything else is.
async fn locked(run: &Run<'_>, tx: &mut Tx) -> Result<Option<ShareMigration>, Failure> {
    let Some(found) = share_migrations::from_instance(tx, id(run)).await? else { return Ok(None) };
    shares::get_locked(tx, found.share_id).await?;
    Ok(share_migrations::from_instance(tx, id(run)).await?)
}

/// As [`locked`], with the source still this operation's, in the given status. Waits if the migration
/// is to go on and was cancelled meanwhile.
async fn mine_locked(
    run: &Run<'_>,
    tx: &mut Tx,
    status: ShareStatus,
) -> Result<ShareMigration, Failure> {
    let migration = locked(run, tx).await?.ok_or(Failure::Superseded)?;
    let (fence, now) = (run.resource_fence(), Timestamp::now());
    if status == ShareStatus::Migrating && migration.wanted == Some(MigrationWish::Cancel) {
        return Err(Failure::Waiting("it is to be cancelled"));
    }
    mine(share_work::set_status(tx, migration.source, fence, status, now).await?)?;
    Ok(migration)
}

/// The destination, as the migration made it.
async fn destination(tx: &mut Tx, migration: &ShareMigration) -> Result<ShareInstance, Failure> {
    let found = match migration.destination {
        Some(id) => share_instances::get(tx, id).await?,
        None => None,
    };
    found.filter(|instance| instance.fence == FENCE).ok_or_else(|| {
        let message = "An administrator changed the destination of the migration.";
        Failure::permanent(message, format!("destination {:?} was changed", migration.destination))
    })
}

/// What its promised type lets its snapshots be, and the like.
fn arguments(run: &Run<'_>) -> Result<arguments::MigrateShare, Failure> {
    run.arguments()
}

/// The share as its destination has to make it.
fn new_share(work: &ShareWork, destination: &ShareInstance) -> abaca_drivers::NewShare {
    abaca_drivers::NewShare {
        id: destination.id.uuid(),
        size_gb: u64::try_from(work.size).unwrap_or_default(),
        protocol: work.share_proto.clone(),
        pool: pool_of(destination.host.as_deref().unwrap_or_default()),
        mount_point_name: work.mount_point_name.clone(),
    }
}

async fn remember(tx: &mut Tx, migration: &ShareMigration, plan: &Plan) -> Result<(), Failure> {
    Ok(share_migrations::set_plan(tx, migration.share_id, &arguments::to_json(plan)).await?)
}
