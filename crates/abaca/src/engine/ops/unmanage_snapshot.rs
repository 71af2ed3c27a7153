//! Gives a snapshot up: its bytes stay where they are, and the service forgets it.

use abaca_drivers::DriverError;
use abaca_model::{MessageAction, MessageDetail, OperationState, SnapshotStatus};
use abaca_store::{Tx, snapshot_work};
use async_trait::async_trait;

use super::Work;
use super::create_snapshot::{give_up, id, load, reference};
use super::manage_share::{explain, generation};
use super::manage_snapshot::take;
use super::message::Told;
use super::superseded::{self, Taken};
use super::unmanage_share::taken_back;
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct UnmanageSnapshot;

#[async_trait]
impl Work for UnmanageSnapshot {
    fn steps(&self) -> &'static [&'static str] {
        &["unmanage"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        let work = load(run).await?;
        if let Some(host) = &work.host {
            let driver = &run.backend(host)?.driver;
            let (id, share_id) = (work.id.uuid(), work.share_instance_id.uuid());
            let generation = generation(run.resource_fence());
            match driver.unmanage_snapshot(&reference(&work), generation).await {
                // It never had it.
                Err(DriverError::Unsupported { .. })
                    if driver.get_snapshot(id, share_id).await?.is_none() => {}
                given_up => given_up.map_err(|error| explain(error.into()))?,
            }
        }
        let mut tx = run.record().await?;
        mine(snapshot_work::remove(&mut tx, &work, run.resource_fence()).await?)?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let (action, detail) = (MessageAction::Delete, MessageDetail::Unknown);
        let told = Told { action, detail, reason: &failed.message };
        give_up(run, tx, SnapshotStatus::UnmanageError, told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = snapshot_work::load(&mut run.db().read().await?, id(run)).await?;
        let Some(work) = work.filter(|work| !work.status.is_being_deleted()) else {
            return run.record().await;
        };
        superseded::at_rest(run, &Taken::from(&work)).await?;
        // The row is still there, so its snapshot is the service's.
        taken_back(take(run, &work, work.fence).await)?;
        superseded::snapshot_as_found(run, &work).await
    }
}
