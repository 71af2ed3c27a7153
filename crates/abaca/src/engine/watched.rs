//! A driver whose calls end: what hangs is dropped when its time is over, and takes effect later or
//! not at all, as drivers may after a dropped call. So every call can be repeated.
//!
//! Looks have half a minute, changes the time the config names. What copies or measures whole trees has
//! as long as it takes, since no time is enough for every tree: it holds a place that is its service's
//! own (`places.rs`). A backend that let several looks in a row run out of time is down: nothing is
//! asked of it any more but its stats, one call at a time, until it answers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use abaca_drivers::{
    AccessList, AccessTarget, BuildError, CopyProgress, Driver, DriverError, DriverResult, Export,
    ManageShare, ManageSnapshot, Migrated, Migration, MigrationAbilities, MigrationSource,
    NewReplica, NewShare, NewSnapshot, PoolStats, Promoted, ReplicaSync, RevertShare, RuleOutcomes,
    ShareObject, ShareTree, SnapshotObject, SnapshotRef, SweepReport, SyncReplica, TreeState,
};
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::config::BackendConfig;
use crate::telemetry::metrics;

/// The longest time for a look at a backend.
const LOOK: Duration = Duration::from_secs(30);
/// A backend that let so many calls in a row run out of time is down.
const MISSED_WHEN_DOWN: u32 = 2;

/// The backend gave no answer in time, or did not the last times it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the backend does not answer")]
struct NoAnswer;

fn no_answer(doing: &str) -> DriverError {
    DriverError::busy(doing, NoAnswer)
}

type Opening = JoinHandle<Result<Arc<dyn Driver>, BuildError>>;

/// The driver of a backend, open or not yet.
pub(super) struct Watched {
    service: String,
    config: BackendConfig,
    /// The longest time for a change.
    deadline: Duration,
    driver: OnceLock<Arc<dyn Driver>>,
    /// One attempt at a time, which takes as long as the storage hangs.
    opening: Mutex<Option<Opening>>,
    /// Calls in a row that ran out of time.
    missed: AtomicU32,
}

impl Watched {
    pub(super) fn new(service: &str, config: &BackendConfig, deadline: Duration) -> Self {
        Self {
            service: service.to_owned(),
            config: config.clone(),
            deadline,
            driver: OnceLock::new(),
            opening: Mutex::default(),
            missed: AtomicU32::new(0),
        }
    }

    /// Opens the storage, unless it is open.
    ///
    /// # Errors
    /// Why it can't be opened, or that it does not answer for `limit`.
    pub(super) async fn open(&self, limit: Duration) -> Result<&Arc<dyn Driver>, BuildError> {
        if let Some(driver) = self.driver.get() {
            return Ok(driver);
        }
        let mut opening = self.opening.lock().await;
        let attempt = opening.get_or_insert_with(|| {
            let (driver, settings) = (self.config.driver.clone(), self.config.settings.clone());
            tokio::spawn(async move { abaca_drivers::build(&driver, &settings).await })
        });
        let doing = "opening the storage";
        let Ok(opened) = timeout(limit, attempt).await else {
            return Err(no_answer(doing).into());
        };
        *opening = None;
        let driver = opened.map_err(|panicked| DriverError::failed(doing, panicked))??;
        Ok(self.driver.get_or_init(|| driver))
    }

    /// Whether it is open and answers.
    pub(super) fn is_up(&self) -> bool {
        self.driver.get().is_some() && self.missed.load(Ordering::Relaxed) < MISSED_WHEN_DOWN
    }

    fn driver(&self) -> DriverResult<&dyn Driver> {
        match self.driver.get() {
            Some(driver) if self.is_up() => Ok(&**driver),
            _ => Err(no_answer("asking the backend")),
        }
    }

    fn look_limit(&self) -> Duration {
        LOOK.min(self.deadline)
    }

    async fn look<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = DriverResult<T>>,
    ) -> DriverResult<T> {
        match timeout(self.look_limit(), work).await {
            Ok(answer) => self.told(answer),
            Err(_) => {
                self.missed(call, self.look_limit());
                Err(no_answer(call))
            }
        }
    }

    async fn change<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = DriverResult<T>>,
    ) -> DriverResult<T> {
        let Ok(answer) = timeout(self.deadline, work).await else {
            // It may have waited for others all that time: whether the backend is down, looks tell.
            let (backend, seconds) = (&self.service, self.deadline.as_secs_f64());
            metrics::backend_deadline_missed(&self.service, call);
            tracing::warn!(backend, call, seconds, "a change was not done in time");
            return Err(no_answer(call));
        };
        self.told(answer)
    }

    /// An answer is a sign of life, unless it is only that the call did not get to the storage.
    fn told<T>(&self, answer: DriverResult<T>) -> DriverResult<T> {
        if !matches!(answer, Err(DriverError::Busy { .. }))
            && self.missed.swap(0, Ordering::Relaxed) >= MISSED_WHEN_DOWN
        {
            tracing::info!(backend = self.service, "the backend answers again");
        }
        answer
    }

    fn missed(&self, call: &'static str, limit: Duration) {
        let (backend, seconds) = (&self.service, limit.as_secs_f64());
        metrics::backend_deadline_missed(&self.service, call);
        tracing::warn!(backend, call, seconds, "the backend did not answer in time");
        if self.missed.fetch_add(1, Ordering::Relaxed) + 1 == MISSED_WHEN_DOWN {
            tracing::error!(
                backend,
                "the backend does not answer: it counts as down until it does"
            );
        }
    }
}

#[async_trait]
impl Driver for Watched {
    fn name(&self) -> &'static str {
        let known = abaca_drivers::drivers().iter().find(|known| known.name == self.config.driver);
        known.map_or("", |driver| driver.name)
    }

    /// Asked also of a backend that is down, or not open yet: whether it is mended shows by this.
    async fn stats(&self) -> DriverResult<Vec<PoolStats>> {
        let opened = self.open(self.look_limit()).await.map_err(|error| match error {
            BuildError::Open(error) => error,
            BuildError::Settings(error) => DriverError::failed("opening the storage", error),
        });
        self.look("stats", opened?.stats()).await
    }

    async fn create_share(&self, share: &NewShare) -> DriverResult<Vec<Export>> {
        self.change("create_share", self.driver()?.create_share(share)).await
    }

    async fn create_share_from_snapshot(
        &self,
        share: &NewShare,
        snapshot: &SnapshotRef,
    ) -> DriverResult<Vec<Export>> {
        self.told(self.driver()?.create_share_from_snapshot(share, snapshot).await)
    }

    async fn delete_share(&self, id: Uuid) -> DriverResult<()> {
        self.change("delete_share", self.driver()?.delete_share(id)).await
    }

    async fn extend_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()> {
        self.change("extend_share", self.driver()?.extend_share(id, new_size_gb)).await
    }

    /// What the share holds may have to be measured.
    async fn shrink_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()> {
        self.told(self.driver()?.shrink_share(id, new_size_gb).await)
    }

    async fn revert_to_snapshot(&self, revert: &RevertShare) -> DriverResult<()> {
        self.told(self.driver()?.revert_to_snapshot(revert).await)
    }

    async fn ensure_share(&self, id: Uuid) -> DriverResult<Vec<Export>> {
        self.change("ensure_share", self.driver()?.ensure_share(id)).await
    }

    async fn create_snapshot(&self, snapshot: &NewSnapshot) -> DriverResult<SnapshotObject> {
        self.told(self.driver()?.create_snapshot(snapshot).await)
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotRef) -> DriverResult<()> {
        self.change("delete_snapshot", self.driver()?.delete_snapshot(snapshot)).await
    }

    async fn get_share(&self, id: Uuid) -> DriverResult<Option<ShareObject>> {
        self.look("get_share", self.driver()?.get_share(id)).await
    }

    async fn get_snapshot(
        &self,
        id: Uuid,
        share_instance_id: Uuid,
    ) -> DriverResult<Option<SnapshotObject>> {
        self.look("get_snapshot", self.driver()?.get_snapshot(id, share_instance_id)).await
    }

    /// Takes the longer, the more there are.
    async fn list_shares(&self) -> DriverResult<Vec<ShareObject>> {
        self.change("list_shares", self.driver()?.list_shares()).await
    }

    async fn list_snapshots(&self) -> DriverResult<Vec<SnapshotObject>> {
        self.change("list_snapshots", self.driver()?.list_snapshots()).await
    }

    async fn apply_access(
        &self,
        target: AccessTarget,
        access: &AccessList,
    ) -> DriverResult<RuleOutcomes> {
        self.change("apply_access", self.driver()?.apply_access(target, access)).await
    }

    async fn get_access(&self, target: AccessTarget) -> DriverResult<Option<AccessList>> {
        self.look("get_access", self.driver()?.get_access(target)).await
    }

    async fn create_replica(&self, replica: &NewReplica) -> DriverResult<Vec<Export>> {
        self.told(self.driver()?.create_replica(replica).await)
    }

    async fn update_replica(&self, replica: &SyncReplica) -> DriverResult<ReplicaSync> {
        self.told(self.driver()?.update_replica(replica).await)
    }

    async fn promote_replica(
        &self,
        replica: &SyncReplica,
        may_be_stale: bool,
    ) -> DriverResult<Promoted> {
        self.told(self.driver()?.promote_replica(replica, may_be_stale).await)
    }

    async fn create_replica_snapshot(
        &self,
        snapshot: &NewSnapshot,
        source: &SnapshotRef,
    ) -> DriverResult<SnapshotObject> {
        self.told(self.driver()?.create_replica_snapshot(snapshot, source).await)
    }

    async fn migration_source(&self, id: Uuid) -> DriverResult<MigrationSource> {
        self.look("migration_source", self.driver()?.migration_source(id)).await
    }

    /// Looks at another backend: that this one does not answer tells nothing of this.
    async fn migration_check(
        &self,
        source: &MigrationSource,
    ) -> DriverResult<Option<MigrationAbilities>> {
        let answer = timeout(self.look_limit(), self.driver()?.migration_check(source)).await;
        answer.unwrap_or_else(|_| Err(no_answer("looking at the source")))
    }

    async fn migrate(
        &self,
        migration: &Migration,
        progress: &Arc<CopyProgress>,
    ) -> DriverResult<Migrated> {
        self.told(self.driver()?.migrate(migration, progress).await)
    }

    async fn share_tree(&self, id: Uuid) -> DriverResult<ShareTree> {
        self.look("share_tree", self.driver()?.share_tree(id)).await
    }

    async fn tree_state(&self, tree: &ShareTree) -> DriverResult<TreeState> {
        self.told(self.driver()?.tree_state(tree).await)
    }

    async fn manage_share(&self, share: &ManageShare) -> DriverResult<ShareObject> {
        self.told(self.driver()?.manage_share(share).await)
    }

    async fn unmanage_share(&self, id: Uuid, generation: u64) -> DriverResult<()> {
        self.change("unmanage_share", self.driver()?.unmanage_share(id, generation)).await
    }

    async fn manage_snapshot(&self, snapshot: &ManageSnapshot) -> DriverResult<SnapshotObject> {
        self.change("manage_snapshot", self.driver()?.manage_snapshot(snapshot)).await
    }

    async fn unmanage_snapshot(&self, snapshot: &SnapshotRef, generation: u64) -> DriverResult<()> {
        self.change("unmanage_snapshot", self.driver()?.unmanage_snapshot(snapshot, generation))
            .await
    }

    async fn fill_share(
        &self,
        share: &NewShare,
        from: &ShareTree,
        progress: &Arc<CopyProgress>,
    ) -> DriverResult<Vec<Export>> {
        self.told(self.driver()?.fill_share(share, from, progress).await)
    }

    async fn sweep(&self, to_resume: &BTreeSet<Uuid>) -> DriverResult<SweepReport> {
        self.change("sweep", self.driver()?.sweep(to_resume)).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    fn methods(text: &'static str) -> BTreeSet<&'static str> {
        let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("async fn "));
        lines.filter_map(|rest| rest.split(['(', '<']).next()).collect()
    }

    #[test]
    fn every_call_of_a_driver_is_forwarded() {
        let all = methods(include_str!("../../../abaca-drivers/src/driver.rs"));
        let (_, here) = include_str!("watched.rs").split_once("impl Driver for Watched").unwrap();
        let forwarded = methods(here);
        let missing: Vec<_> = all.difference(&forwarded).collect();
        assert!(all.contains("stats") && missing.is_empty(), "not forwarded: {missing:?}");
    }
}
