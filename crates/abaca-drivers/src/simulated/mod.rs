//! A backend without storage: any capability, latency and failure on demand. For tests of the
//! engine and the scheduler; never a default.

mod access;
mod faults;
mod manage;
mod migrate;
mod objects;
mod replicas;
mod settings;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    AccessList, AccessTarget, CopyProgress, Driver, DriverError, DriverInfo, DriverResult, Export,
    ManageShare, ManageSnapshot, Migrated, Migration, MigrationAbilities, MigrationSource,
    NewReplica, NewShare, NewSnapshot, ObjectKind, PoolStats, Promoted, ReplicaSync, RevertShare,
    RuleOutcomes, Settings, SettingsError, ShareObject, SnapshotObject, SnapshotRef, SweepReport,
    SyncReplica,
};
use faults::{Faults, Moment};
use objects::{
    add_share, add_snapshot, ensure_space, pool_stats, set_size, share_object, snapshot_object,
};
use settings::{PoolSettings, SimulatedSettings};
use state::{Objects, Store};

pub(crate) const NAME: &str = "simulated";

pub(crate) const INFO: DriverInfo = DriverInfo {
    name: NAME,
    summary: "No storage at all: every capability and every failure on demand, for tests.",
    keys: settings::KEYS,
};

/// The simulated backend.
#[derive(Debug)]
pub(crate) struct Simulated {
    pools: Vec<PoolSettings>,
    latency: Duration,
    faults: Faults,
    store: Store,
}

impl Simulated {
    pub(crate) fn check(settings: &Settings) -> Result<(), SettingsError> {
        settings::parse(settings).map(drop)
    }

    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let SimulatedSettings { state_file, fault_file, latency_ms, pools, faults } =
            settings::parse(settings)?;
        Ok(Self {
            pools,
            latency: Duration::from_millis(latency_ms),
            faults: Faults::new(faults, fault_file),
            store: Store::new(state_file),
        })
    }

    fn pool(&self, name: &str) -> DriverResult<PoolSettings> {
        let pool = self.pools.iter().find(|pool| pool.name == name);
        pool.cloned()
            .ok_or_else(|| DriverError::NotFound { kind: ObjectKind::Pool, id: name.to_owned() })
    }

    /// One call: latency, the faults before it, its effect, the faults after it.
    async fn call<T: Send + 'static>(
        &self,
        method: &'static str,
        object: Option<Uuid>,
        effect: impl FnOnce(&mut Objects) -> DriverResult<T> + Send + 'static,
    ) -> DriverResult<T> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        self.faults.strike(Moment::Before, method, object).await?;
        let result = self.store.with(effect).await?;
        self.faults.strike(Moment::After, method, object).await?;
        Ok(result)
    }
}

#[async_trait]
impl Driver for Simulated {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn stats(&self) -> DriverResult<Vec<PoolStats>> {
        let pools = self.pools.clone();
        self.call("stats", None, move |objects| {
            Ok(pools.iter().map(|pool| pool_stats(pool, objects)).collect())
        })
        .await
    }

    async fn create_share(&self, share: &NewShare) -> DriverResult<Vec<Export>> {
        let (pool, share) = (self.pool(&share.pool)?, share.clone());
        self.call("create_share", Some(share.id), move |objects| add_share(objects, &pool, &share))
            .await
    }

    async fn create_share_from_snapshot(
        &self,
        share: &NewShare,
        snapshot: &SnapshotRef,
    ) -> DriverResult<Vec<Export>> {
        let (pool, share, snapshot) = (self.pool(&share.pool)?, share.clone(), snapshot.id);
        self.call("create_share_from_snapshot", Some(share.id), move |objects| {
            if !pool.create_share_from_snapshot_support {
                let what = "creating shares from snapshots".into();
                return Err(DriverError::Unsupported { what });
            }
            let known =
                objects.shares.contains_key(&share.id) || objects.snapshots.contains_key(&snapshot);
            if !known {
                return Err(DriverError::snapshot_not_found(snapshot));
            }
            add_share(objects, &pool, &share)
        })
        .await
    }

    async fn delete_share(&self, id: Uuid) -> DriverResult<()> {
        self.call("delete_share", Some(id), move |objects| {
            objects.shares.remove(&id);
            Ok(())
        })
        .await
    }

    async fn extend_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()> {
        let pools = self.pools.clone();
        self.call("extend_share", Some(id), move |objects| {
            let share = objects.shares.get(&id).ok_or_else(|| DriverError::share_not_found(id))?;
            let more = DriverError::check_extend(share.size_gb, new_size_gb)?;
            if let Some(pool) = pools.iter().find(|pool| pool.name == share.pool) {
                ensure_space(objects, pool, more)?;
            }
            set_size(objects, id, new_size_gb);
            Ok(())
        })
        .await
    }

    async fn shrink_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()> {
        self.call("shrink_share", Some(id), move |objects| {
            let share = objects.shares.get(&id).ok_or_else(|| DriverError::share_not_found(id))?;
            DriverError::check_shrink(share.size_gb, new_size_gb)?;
            set_size(objects, id, new_size_gb);
            Ok(())
        })
        .await
    }

    async fn revert_to_snapshot(&self, revert: &RevertShare) -> DriverResult<()> {
        let (pools, revert) = (self.pools.clone(), revert.clone());
        let id = revert.snapshot.share_instance_id;
        self.call("revert_to_snapshot", Some(id), move |objects| {
            let share =
                objects.shares.get_mut(&id).ok_or_else(|| DriverError::share_not_found(id))?;
            if DriverError::check_revert(share.reverted, revert.generation)? {
                return Ok(());
            }
            if pools.iter().any(|pool| pool.name == share.pool && !pool.revert_to_snapshot_support)
            {
                return Err(DriverError::Unsupported { what: "reverting to snapshots".into() });
            }
            let snapshot = objects.snapshots.get(&revert.snapshot.id);
            let snapshot =
                snapshot.ok_or_else(|| DriverError::snapshot_not_found(revert.snapshot.id))?;
            DriverError::check_same_share(snapshot.share_instance_id, id)?;
            (share.size_gb, share.reverted) = (revert.size_gb, revert.generation);
            Ok(())
        })
        .await
    }

    async fn ensure_share(&self, id: Uuid) -> DriverResult<Vec<Export>> {
        self.call("ensure_share", Some(id), move |objects| {
            let missing = || DriverError::share_not_found(id);
            let share = objects.shares.get(&id).ok_or_else(missing)?;
            Ok(share_object(id, share).exports)
        })
        .await
    }

    async fn create_snapshot(&self, snapshot: &NewSnapshot) -> DriverResult<SnapshotObject> {
        let (pools, new) = (self.pools.clone(), *snapshot);
        self.call("create_snapshot", Some(new.id), move |objects| {
            add_snapshot(objects, &pools, new)
        })
        .await
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotRef) -> DriverResult<()> {
        let (id, share_instance_id) = (snapshot.id, snapshot.share_instance_id);
        self.call("delete_snapshot", Some(id), move |objects| {
            objects.snapshots.retain(|known, found| {
                *known != id || found.share_instance_id != share_instance_id
            });
            Ok(())
        })
        .await
    }

    async fn get_share(&self, id: Uuid) -> DriverResult<Option<ShareObject>> {
        self.call("get_share", Some(id), move |objects| {
            Ok(objects.shares.get(&id).map(|share| share_object(id, share)))
        })
        .await
    }

    async fn get_snapshot(
        &self,
        id: Uuid,
        share_instance_id: Uuid,
    ) -> DriverResult<Option<SnapshotObject>> {
        self.call("get_snapshot", Some(id), move |objects| {
            let snapshot = objects.snapshots.get(&id);
            Ok(snapshot
                .filter(|snapshot| snapshot.share_instance_id == share_instance_id)
                .map(|snapshot| snapshot_object(id, snapshot)))
        })
        .await
    }

    async fn list_shares(&self) -> DriverResult<Vec<ShareObject>> {
        self.call("list_shares", None, |objects| {
            Ok(objects.shares.iter().map(|(id, share)| share_object(*id, share)).collect())
        })
        .await
    }

    async fn list_snapshots(&self) -> DriverResult<Vec<SnapshotObject>> {
        self.call("list_snapshots", None, |objects| {
            let mut found: Vec<_> =
                objects.snapshots.iter().map(|(id, found)| snapshot_object(*id, found)).collect();
            found.sort_by_key(|snapshot| (snapshot.share_instance_id, snapshot.id));
            Ok(found)
        })
        .await
    }

    async fn apply_access(
        &self,
        target: AccessTarget,
        access: &AccessList,
    ) -> DriverResult<RuleOutcomes> {
        let (outcomes, access) = access::judge(access, &self.faults)?;
        self.call("apply_access", Some(target.id()), move |objects| {
            let present = access::find(objects, target);
            let present = present.ok_or_else(|| DriverError::target_not_found(target))?;
            DriverError::check_generation(present.generation, access.generation)?;
            *present = access;
            Ok(outcomes)
        })
        .await
    }

    async fn get_access(&self, target: AccessTarget) -> DriverResult<Option<AccessList>> {
        self.call("get_access", Some(target.id()), move |objects| {
            Ok(access::find(objects, target).map(|access| access.clone()))
        })
        .await
    }

    async fn create_replica(&self, replica: &NewReplica) -> DriverResult<Vec<Export>> {
        let (pool, replica) = (self.pool(&replica.share.pool)?, replica.clone());
        self.call("create_replica", Some(replica.share.id), move |objects| {
            replicas::create(objects, &pool, &replica)
        })
        .await
    }

    async fn update_replica(&self, replica: &SyncReplica) -> DriverResult<ReplicaSync> {
        let replica = replica.clone();
        self.call("update_replica", Some(replica.id), move |objects| {
            replicas::update(objects, &replica)
        })
        .await
    }

    async fn promote_replica(
        &self,
        replica: &SyncReplica,
        _may_be_stale: bool,
    ) -> DriverResult<Promoted> {
        let replica = replica.clone();
        self.call("promote_replica", Some(replica.id), move |objects| {
            replicas::promote(objects, &replica)
        })
        .await
    }

    async fn create_replica_snapshot(
        &self,
        snapshot: &NewSnapshot,
        _source: &SnapshotRef,
    ) -> DriverResult<SnapshotObject> {
        let (pools, new) = (self.pools.clone(), *snapshot);
        self.call("create_replica_snapshot", Some(new.id), move |objects| {
            add_snapshot(objects, &pools, new)
        })
        .await
    }

    async fn migration_source(&self, id: Uuid) -> DriverResult<MigrationSource> {
        self.call("migration_source", Some(id), move |objects| migrate::source(objects, id)).await
    }

    async fn migration_check(
        &self,
        source: &MigrationSource,
    ) -> DriverResult<Option<MigrationAbilities>> {
        let abilities = migrate::abilities(source);
        self.call("migration_check", Some(source.id), move |_| Ok(abilities)).await
    }

    async fn migrate(
        &self,
        migration: &Migration,
        progress: &Arc<CopyProgress>,
    ) -> DriverResult<Migrated> {
        let pool = self.pool(&migration.share.pool)?;
        let (migration, size_gb) = (migration.clone(), migration.share.size_gb);
        progress.begin(size_gb);
        let made = self.call("migrate", Some(migration.share.id), move |objects| {
            migrate::take_over(objects, &pool, &migration)
        });
        let made = made.await?;
        progress.add_copied(size_gb);
        progress.add_compared(size_gb);
        Ok(made)
    }

    async fn manage_share(&self, share: &ManageShare) -> DriverResult<ShareObject> {
        let (pool, share) = (self.pool(&share.pool)?, share.clone());
        self.call("manage_share", Some(share.id), move |objects| {
            manage::share(objects, &pool, &share)
        })
        .await
    }

    async fn unmanage_share(&self, id: Uuid, generation: u64) -> DriverResult<()> {
        self.call("unmanage_share", Some(id), move |objects| {
            manage::give_share_up(objects, id, generation)
        })
        .await
    }

    async fn manage_snapshot(&self, snapshot: &ManageSnapshot) -> DriverResult<SnapshotObject> {
        let snapshot = snapshot.clone();
        self.call("manage_snapshot", Some(snapshot.snapshot.id), move |objects| {
            manage::snapshot(objects, &snapshot)
        })
        .await
    }

    async fn unmanage_snapshot(&self, snapshot: &SnapshotRef, generation: u64) -> DriverResult<()> {
        let (id, share_instance_id) = (snapshot.id, snapshot.share_instance_id);
        self.call("unmanage_snapshot", Some(id), move |objects| {
            manage::give_snapshot_up(objects, id, share_instance_id, generation)
        })
        .await
    }

    async fn sweep(&self, _to_resume: &BTreeSet<Uuid>) -> DriverResult<SweepReport> {
        self.call("sweep", None, |_| Ok(SweepReport::default())).await
    }
}
