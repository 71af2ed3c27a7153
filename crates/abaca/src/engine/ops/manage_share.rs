//! Takes a share into use that its backend holds already.

use std::ops::RangeInclusive;

use abaca_drivers::{DriverError, ShareObject};
use abaca_model::scheduler::NoValidHost;
use abaca_model::{MessageAction, MessageDetail, OperationState, ShareStatus, Timestamp};
use abaca_store::export_work::NewExportLocation;
use abaca_store::operations::service_of;
use abaca_store::share_work::{self, ShareWork};
use abaca_store::{Db, Tx, export_locations};
use async_trait::async_trait;

use super::create_share::{give_up, id, load};
use super::message::Told;
use super::superseded::{self, Whose};
use super::{Work, export_location, pool_of, schedule};
use crate::engine::arguments::{self, Hints};
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run, mine};

pub(super) struct ManageShare;

#[async_trait]
impl Work for ManageShare {
    fn steps(&self) -> &'static [&'static str] {
        &["check", "manage"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        if run.step == "check" {
            return check(run).await;
        }
        let work = load(run).await?;
        check_protocol(run, &work).await?;
        let found = take(run, &work, run.resource_fence()).await.map_err(explain)?;
        let mut tx = run.record().await?;
        let now = Timestamp::now();
        let (size, exports) = described(found);
        mine(share_work::created(&mut tx, work.id, run.resource_fence(), &exports, now).await?)?;
        share_work::managed(&mut tx, &work, size, now).await?;
        run.end(tx, OperationState::Succeeded, None).await
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let told = match failed.source.downcast_ref::<NoValidHost>() {
            Some(refused) => {
                let detail = schedule::detail(refused);
                Told { action: MessageAction::AllocateHost, detail, reason: "" }
            }
            None => {
                let (action, detail) = (MessageAction::Create, MessageDetail::Unknown);
                Told { action, detail, reason: &failed.message }
            }
        };
        give_up(run, tx, ShareStatus::ManageError, told).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        let work = share_work::load(&mut run.db().read().await?, id(run)).await?;
        let whose = superseded::whose(run, work.as_ref().map(Into::into)).await?;
        let mut taken = None;
        match (whose, &work, &run.operation.service) {
            // Before the backend was reached nothing was taken.
            (_, _, None) => {}
            // The administrator said it is there, so it shall be.
            (Whose::Tenants, Some(work), _) => {
                taken = Some((work, described(take(run, work, work.fence).await?)));
            }
            // What was taken is never deleted for that.
            (Whose::Nobodys, work, Some(service)) => {
                let fence = work.as_ref().map_or(run.resource_fence() + 1, |work| work.fence);
                let driver = &run.backend(service)?.driver;
                driver.unmanage_share(run.operation.resource_id, generation(fence)).await?;
            }
            _ => {}
        }
        let mut tx = superseded::share_as_found(run, work.as_ref()).await?;
        if let Some((work, (size, exports))) = taken {
            let now = Timestamp::now();
            share_work::managed(&mut tx, work, size, now).await?;
            share_work::record_exports(&mut tx, work.id, &exports, now).await?;
        }
        Ok(tx)
    }
}

/// Asks the scheduler whether the share's type fits the pool it is said to be in.
async fn check(run: &Run<'_>) -> Result<Outcome, Failure> {
    let mut tx = run.record().await?;
    let work = share_work::load(&mut tx, id(run)).await?.ok_or(Failure::Superseded)?;
    run.check(work.fence)?;
    let host = work.host.clone().unwrap_or_default();
    let hints = Hints { only_host: Some(host.clone()), any_zone: true, ..Hints::default() };
    let (_, zone) = schedule::place(&mut tx, &work, None, &hints).await?;
    let now = Timestamp::now();
    mine(share_work::place(&mut tx, work.id, run.resource_fence(), &host, &zone, now).await?)?;
    run.advance(tx, service_of(&host)).await
}

/// A share that the pool could not export by its protocol would be of use to nobody.
async fn check_protocol(run: &Run<'_>, work: &ShareWork) -> Result<(), Failure> {
    let host = work.host.as_deref().unwrap_or_default();
    let (pool, protocol) = (pool_of(host), work.share_proto.as_str());
    let stats = run.backend(host)?.driver.stats().await?;
    let offered = stats.into_iter().find(|stats| stats.pool_name == pool);
    let offered = offered.map(|stats| stats.storage_protocol).unwrap_or_default();
    if offered.split('_').any(|offered| offered.eq_ignore_ascii_case(protocol)) {
        return Ok(());
    }
    let message = format!("The pool {host} has no shares of the protocol {protocol}.");
    Err(Failure::permanent(message, format!("protocol {protocol}, of {offered:?}")))
}

async fn take(run: &Run<'_>, work: &ShareWork, fence: i64) -> Result<ShareObject, Failure> {
    let arguments: arguments::ManageShare = run.arguments()?;
    let (least, most) = arguments.allowed_gb;
    let wanted = Wanted {
        export_path: arguments.export_path,
        size_gb: arguments.size_gb,
        allowed_gb: least..=most,
    };
    wanted.take(run, work, fence).await
}

/// What a backend shall take into use.
pub(super) struct Wanted {
    pub(super) export_path: String,
    pub(super) size_gb: Option<u64>,
    pub(super) allowed_gb: RangeInclusive<u64>,
}

impl Wanted {
    /// The share as it was when it was given up.
    pub(super) async fn again(db: &Db, work: &ShareWork) -> Result<Self, Failure> {
        let exports = export_locations::of_instance(&mut db.read().await?, work.id).await?;
        let export_path = exports.into_iter().next().map(|export| export.path);
        let export_path = export_path.unwrap_or_default();
        Ok(Self { export_path, size_gb: None, allowed_gb: 0..=u64::MAX })
    }

    /// Has the backend take it as the instance of `work`, whose fence is `fence`.
    pub(super) async fn take(
        self,
        run: &Run<'_>,
        work: &ShareWork,
        fence: i64,
    ) -> Result<ShareObject, Failure> {
        let host = work.host.as_deref().unwrap_or_default();
        let share = abaca_drivers::ManageShare {
            id: work.id.uuid(),
            export_path: self.export_path,
            protocol: work.share_proto.clone(),
            pool: pool_of(host),
            mount_point_name: work.mount_point_name.clone(),
            size_gb: self.size_gb,
            allowed_gb: self.allowed_gb,
            generation: generation(fence),
        };
        Ok(run.backend(host)?.driver.manage_share(&share).await?)
    }
}

/// Fences rise with each takeover of an instance, and are 1 at first.
pub(super) fn generation(fence: i64) -> u64 {
    u64::try_from(fence).unwrap_or_default()
}

fn described(share: ShareObject) -> (i64, Vec<NewExportLocation>) {
    let exports = share.exports.into_iter().map(export_location).collect();
    (i64::try_from(share.size_gb).unwrap_or(i64::MAX), exports)
}

/// Who asks for this is an administrator: what the backend says of the path helps him.
pub(super) fn explain(failure: Failure) -> Failure {
    match failure {
        Failure::Permanent(failed) => {
            let message = match failed.source.downcast_ref::<DriverError>() {
                Some(
                    error @ (DriverError::InvalidInput { .. }
                    | DriverError::NotFound { .. }
                    | DriverError::Unsupported { .. }),
                ) => format!("The storage backend refused: {error}."),
                _ => failed.message,
            };
            Failure::permanent(message, failed.source)
        }
        other => other,
    }
}
