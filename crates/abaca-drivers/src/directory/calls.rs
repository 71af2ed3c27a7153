//! The driver calls: which locks each takes, what it looks for first, and what it does.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::Stop;
use super::kept::{
    existing_share, exports, find_share, find_snapshot, make_share, record_of, snapshot_object,
};
use super::locks::{Hold, Wanted};
use super::medium::{Content, Direction};
use super::objects::New;
use super::records::{Kind, ShareRecord, SnapshotRecord};
use super::root::Root;
use super::{Directory, GIB, access, manage, migrate, mount, replicas, sweep, sys};
use crate::manage::Custody;
use crate::objects::checked_mount_point_name;
use crate::{
    AccessList, AccessTarget, CopyProgress, Driver, DriverError, DriverResult, Export, ManageShare,
    ManageSnapshot, Migrated, Migration, MigrationAbilities, MigrationSource, NewReplica, NewShare,
    NewSnapshot, PoolStats, Promoted, ReplicaSync, RevertShare, RuleOutcomes, ShareObject,
    ShareTree, SnapshotObject, SnapshotRef, SweepReport, SyncReplica, TreeState,
};

#[async_trait]
impl Driver for Directory {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn stats(&self) -> DriverResult<Vec<PoolStats>> {
        let capacity = self.query("measuring the capacity".to_owned(), Root::capacity);
        let (total, free) = capacity.await?;
        Ok(vec![self.pool_stats(total, free)])
    }

    async fn create_share(&self, share: &NewShare) -> DriverResult<Vec<Export>> {
        self.check_pool(&share.pool)?;
        share.checked_mount_point_name()?;
        let share = share.clone();
        let doing = format!("creating share {}", share.id);
        self.mutate(doing, vec![Wanted::object(share.id, Hold::Alone)], move |root, cancel| {
            if let Some(exports) = existing_share(root, share.id)? {
                return Ok(exports);
            }
            make_share(root, share.id, &record_of(&share), Content::Empty, cancel)
        })
        .await
    }

    async fn create_share_from_snapshot(
        &self,
        share: &NewShare,
        snapshot: &SnapshotRef,
    ) -> DriverResult<Vec<Export>> {
        self.check_pool(&share.pool)?;
        share.checked_mount_point_name()?;
        let (share, snapshot_id) = (share.clone(), snapshot.id);
        let doing = format!("creating share {} from snapshot {snapshot_id}", share.id);
        let wanted =
            vec![Wanted::object(share.id, Hold::Alone), Wanted::object(snapshot_id, Hold::Shared)];
        self.mutate_in(&self.own_copies, doing, wanted, move |root, cancel| {
            if let Some(exports) = existing_share(root, share.id)? {
                return Ok(exports);
            }
            let data = root.data(Kind::Snapshot, snapshot_id)?;
            let data = data.ok_or_else(|| DriverError::snapshot_not_found(snapshot_id))?;
            let content = Content::CopyOf(data, Direction::Thaw);
            make_share(root, share.id, &record_of(&share), content, cancel)
        })
        .await
    }

    async fn delete_share(&self, id: Uuid) -> DriverResult<()> {
        let wanted = vec![Wanted::object(id, Hold::Alone), Wanted::record(id)];
        self.mutate(format!("deleting share {id}"), wanted, move |root, cancel| {
            if manage::is_given_up(root, Kind::Share, id) {
                return Ok(());
            }
            replicas::forget(root, id, cancel);
            Ok(root.remove(Kind::Share, id, cancel)?)
        })
        .await
    }

    async fn extend_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()> {
        self.resize(format!("extending share {id}"), id, new_size_gb, false).await
    }

    async fn shrink_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()> {
        self.resize(format!("shrinking share {id}"), id, new_size_gb, true).await
    }

    async fn revert_to_snapshot(&self, revert: &RevertShare) -> DriverResult<()> {
        let (snapshot, share) = (revert.snapshot.id, revert.snapshot.share_instance_id);
        if !self.exchanges {
            let what = "reverting shares on a file system that can't exchange directories";
            return Err(DriverError::Unsupported { what: what.to_owned() });
        }
        let (size_gb, generation) = (revert.size_gb, revert.generation);
        let doing = format!("reverting share {share} to snapshot {snapshot}");
        let wanted = vec![
            Wanted::object(share, Hold::Alone),
            Wanted::object(snapshot, Hold::Shared),
            Wanted::record(share),
        ];
        self.mutate_in(&self.own_copies, doing, wanted, move |root, cancel| {
            let record = root.record::<ShareRecord>(Kind::Share, share)?;
            let record = record.ok_or_else(|| DriverError::share_not_found(share))?;
            if DriverError::check_revert(record.reverted, generation)? {
                return Ok(root.settle(Kind::Share)?);
            }
            let missing = || DriverError::snapshot_not_found(snapshot);
            let found = find_snapshot(root, snapshot)?.ok_or_else(missing)?;
            DriverError::check_same_share(found.share_instance_id, share)?;
            let data = root.data(Kind::Snapshot, snapshot)?.ok_or_else(missing)?;
            let record = ShareRecord { size_gb, reverted: generation, ..record };
            let new = New {
                kind: Kind::Share,
                id: share,
                record: &record,
                content: Content::CopyOf(data, Direction::Thaw),
                size_gb: Some(size_gb),
                mount_point_name: record.mount_point_name.as_deref(),
            };
            Ok(root.replace(new, cancel)?)
        })
        .await
    }

    async fn ensure_share(&self, id: Uuid) -> DriverResult<Vec<Export>> {
        let wanted = vec![Wanted::object(id, Hold::Shared), Wanted::record(id)];
        self.mutate(format!("ensuring share {id}"), wanted, move |root, cancel| {
            let record = root.record::<ShareRecord>(Kind::Share, id)?;
            let data = root.data(Kind::Share, id)?;
            let found = record.zip(data).ok_or_else(|| DriverError::share_not_found(id))?;
            let (ShareRecord { size_gb, mount_point_name: name, .. }, data) = found;
            root.medium.limit(data.as_fd(), size_gb, cancel)?;
            if let Some(name) = &name {
                mount::repair(root, id, name, cancel)?;
            }
            root.settle(Kind::Share)?;
            Ok(exports(root, id, name.as_deref()))
        })
        .await
    }

    async fn create_snapshot(&self, snapshot: &NewSnapshot) -> DriverResult<SnapshotObject> {
        let NewSnapshot { id, share_instance_id } = *snapshot;
        let doing = format!("creating snapshot {id} of share {share_instance_id}");
        let wanted =
            vec![Wanted::object(id, Hold::Alone), Wanted::object(share_instance_id, Hold::Shared)];
        self.mutate_in(&self.own_copies, doing, wanted, move |root, cancel| {
            if let Some(found) = find_snapshot(root, id)? {
                DriverError::check_same_share(found.share_instance_id, share_instance_id)?;
                root.settle(Kind::Snapshot)?;
                return Ok(found);
            }
            let data = root.data(Kind::Share, share_instance_id)?;
            let data = data.ok_or_else(|| DriverError::share_not_found(share_instance_id))?;
            let share = root.record::<ShareRecord>(Kind::Share, share_instance_id)?;
            let protocol = share.map(|share| share.protocol);
            let record =
                SnapshotRecord { share_instance_id, protocol, custody: Custody::default() };
            let content = Content::CopyOf(data, Direction::Freeze);
            let (kind, record) = (Kind::Snapshot, &record);
            let new = New { kind, id, record, content, size_gb: None, mount_point_name: None };
            root.make(new, cancel)?;
            Ok(snapshot_object(root, id, record))
        })
        .await
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotRef) -> DriverResult<()> {
        let (id, share_instance_id) = (snapshot.id, snapshot.share_instance_id);
        let doing = format!("deleting snapshot {id}");
        let wanted = vec![Wanted::object(id, Hold::Alone), Wanted::record(id)];
        self.mutate(doing, wanted, move |root, cancel| {
            if manage::is_given_up(root, Kind::Snapshot, id) {
                return Ok(());
            }
            // A damaged record must not keep a snapshot from being deleted.
            match find_snapshot(root, id) {
                Ok(Some(found)) if found.share_instance_id != share_instance_id => Ok(()),
                _ => Ok(root.remove(Kind::Snapshot, id, cancel)?),
            }
        })
        .await
    }

    async fn get_share(&self, id: Uuid) -> DriverResult<Option<ShareObject>> {
        self.query(format!("looking for share {id}"), move |root| find_share(root, id)).await
    }

    async fn get_snapshot(
        &self,
        id: Uuid,
        share_instance_id: Uuid,
    ) -> DriverResult<Option<SnapshotObject>> {
        let doing = format!("looking for snapshot {id}");
        let found = self.query(doing, move |root| find_snapshot(root, id)).await?;
        Ok(found.filter(|snapshot| snapshot.share_instance_id == share_instance_id))
    }

    async fn list_shares(&self) -> DriverResult<Vec<ShareObject>> {
        self.query("listing shares".to_owned(), |root| {
            let ids = root.ids(Kind::Share)?;
            ids.into_iter().filter_map(|id| find_share(root, id).transpose()).collect()
        })
        .await
    }

    async fn list_snapshots(&self) -> DriverResult<Vec<SnapshotObject>> {
        let found = self.query("listing snapshots".to_owned(), |root| {
            let ids = root.ids(Kind::Snapshot)?;
            ids.into_iter().filter_map(|id| find_snapshot(root, id).transpose()).collect()
        });
        let mut found: Vec<SnapshotObject> = found.await?;
        found.sort_by_key(|snapshot| (snapshot.share_instance_id, snapshot.id));
        Ok(found)
    }

    async fn apply_access(
        &self,
        target: AccessTarget,
        access: &AccessList,
    ) -> DriverResult<RuleOutcomes> {
        let (id, list) = (target.id(), access.clone());
        let wanted = vec![Wanted::object(id, Hold::Shared), Wanted::record(id)];
        self.mutate(format!("applying the access rules of {id}"), wanted, move |root, _| {
            access::apply(root, target, list)
        })
        .await
    }

    async fn get_access(&self, target: AccessTarget) -> DriverResult<Option<AccessList>> {
        let doing = format!("looking for the access rules of {}", target.id());
        self.query(doing, move |root| access::find(root, target)).await
    }

    async fn create_replica(&self, replica: &NewReplica) -> DriverResult<Vec<Export>> {
        self.check_replicas()?;
        self.check_pool(&replica.share.pool)?;
        replica.share.checked_mount_point_name()?;
        let (id, replica) = (replica.share.id, replica.clone());
        let doing = format!("creating share {id} as a replica of {}", replica.source.id);
        let wanted = vec![Wanted::object(id, Hold::Alone)];
        self.mutate_in(&self.copies, doing, wanted, move |root, cancel| {
            replicas::create(root, &replica, cancel)
        })
        .await
    }

    async fn update_replica(&self, replica: &SyncReplica) -> DriverResult<ReplicaSync> {
        self.check_replicas()?;
        let (id, replica) = (replica.id, replica.clone());
        let wanted = vec![Wanted::object(id, Hold::Alone), Wanted::record(id)];
        let doing = format!("updating replica {id}");
        self.mutate_in(&self.copies, doing, wanted, move |root, cancel| {
            replicas::update(root, &replica, cancel)
        })
        .await
    }

    async fn promote_replica(
        &self,
        replica: &SyncReplica,
        may_be_stale: bool,
    ) -> DriverResult<Promoted> {
        self.check_replicas()?;
        let (id, replica) = (replica.id, replica.clone());
        let wanted = vec![Wanted::object(id, Hold::Alone), Wanted::record(id)];
        let doing = format!("promoting replica {id}");
        self.mutate_in(&self.last_looks, doing, wanted, move |root, cancel| {
            replicas::promote(root, &replica, may_be_stale, cancel)
        })
        .await
    }

    async fn create_replica_snapshot(
        &self,
        snapshot: &NewSnapshot,
        source: &SnapshotRef,
    ) -> DriverResult<SnapshotObject> {
        self.check_replicas()?;
        let (snapshot, source) = (*snapshot, source.clone());
        let doing = format!("bringing snapshot {} over as {}", source.id, snapshot.id);
        let wanted = vec![
            Wanted::object(snapshot.id, Hold::Alone),
            Wanted::object(snapshot.share_instance_id, Hold::Shared),
        ];
        self.mutate_in(&self.last_looks, doing, wanted, move |root, cancel| {
            replicas::bring_snapshot(root, snapshot, &source, None, cancel)
        })
        .await
    }

    async fn migration_source(&self, id: Uuid) -> DriverResult<MigrationSource> {
        let doing = format!("looking for share {id}");
        let found = self.query(doing, move |root| migrate::source_location(root, id)).await?;
        let location = found.ok_or_else(|| DriverError::share_not_found(id))?;
        Ok(MigrationSource { family: self.name.to_owned(), id, location })
    }

    async fn migration_check(
        &self,
        source: &MigrationSource,
    ) -> DriverResult<Option<MigrationAbilities>> {
        if source.family != self.name {
            return Ok(None);
        }
        let (doing, source) = (format!("looking for share {}", source.id), source.clone());
        let reachable = self.mutate(doing, Vec::new(), move |_, _| migrate::is_reachable(&source));
        Ok(reachable.await?.then_some(migrate::ABILITIES))
    }

    async fn migrate(
        &self,
        migration: &Migration,
        progress: &Arc<CopyProgress>,
    ) -> DriverResult<Migrated> {
        self.check_pool(&migration.share.pool)?;
        migration.share.checked_mount_point_name()?;
        let ids = migration.snapshots.iter().map(|snapshot| snapshot.id);
        let wanted = std::iter::once(migration.share.id).chain(ids);
        let wanted = wanted.map(|id| Wanted::object(id, Hold::Alone)).collect();
        let (migration, progress) = (migration.clone(), Arc::clone(progress));
        let doing = format!("taking over share {}", migration.source.id);
        self.mutate_in(&self.copies, doing, wanted, move |root, cancel| {
            migrate::migrate(root, &migration, &progress, cancel)
        })
        .await
    }

    async fn share_tree(&self, id: Uuid) -> DriverResult<ShareTree> {
        let MigrationSource { location, .. } = self.migration_source(id).await?;
        Ok(ShareTree { id, data: location })
    }

    async fn fill_share(
        &self,
        share: &NewShare,
        from: &ShareTree,
        progress: &Arc<CopyProgress>,
    ) -> DriverResult<Vec<Export>> {
        self.check_pool(&share.pool)?;
        share.checked_mount_point_name()?;
        let wanted = vec![Wanted::object(share.id, Hold::Alone)];
        let (share, from, progress) = (share.clone(), from.clone(), Arc::clone(progress));
        let doing = format!("copying {} to share {}", from.data, share.id);
        self.mutate_in(&self.copies, doing, wanted, move |root, cancel| {
            migrate::fill_share(root, &share, &from, &progress, cancel)
        })
        .await
    }

    async fn tree_state(&self, tree: &ShareTree) -> DriverResult<TreeState> {
        let (doing, tree) = (format!("looking at {}", tree.data), tree.clone());
        self.mutate_in(&self.last_looks, doing, Vec::new(), move |_, cancel| {
            migrate::tree_state(&tree, cancel)
        })
        .await
    }

    async fn manage_share(&self, share: &ManageShare) -> DriverResult<ShareObject> {
        self.check_pool(&share.pool)?;
        checked_mount_point_name(share.mount_point_name.as_deref())?;
        let place = manage::place(&self.root, share)?;
        let mut wanted = vec![Wanted::object(share.id, Hold::Alone), Wanted::record(share.id)];
        match &place {
            manage::Place::Object(id) if *id != share.id => {
                wanted.extend([Wanted::object(*id, Hold::Alone), Wanted::record(*id)]);
            }
            // Of several shares that shall come of one directory, one is made.
            manage::Place::Import(_) => wanted.push(Wanted::named("import", Hold::Alone)),
            manage::Place::Object(_) => {}
        }
        let share = share.clone();
        let doing = format!("taking {:?} into use as share {}", share.export_path, share.id);
        self.mutate(doing, wanted, move |root, cancel| manage::share(root, &share, &place, cancel))
            .await
    }

    async fn unmanage_share(&self, id: Uuid, generation: u64) -> DriverResult<()> {
        let wanted = vec![Wanted::object(id, Hold::Alone), Wanted::record(id)];
        self.mutate(format!("giving share {id} up"), wanted, move |root, cancel| {
            manage::give_share_up(root, id, generation, cancel)
        })
        .await
    }

    async fn manage_snapshot(&self, snapshot: &ManageSnapshot) -> DriverResult<SnapshotObject> {
        let (id, share_id) = (snapshot.snapshot.id, snapshot.snapshot.share_instance_id);
        let old_id = manage::snapshot_at(&self.root, snapshot)?;
        let mut wanted = vec![
            Wanted::object(id, Hold::Alone),
            Wanted::record(id),
            Wanted::object(share_id, Hold::Shared),
        ];
        if old_id != id {
            wanted.extend([Wanted::object(old_id, Hold::Alone), Wanted::record(old_id)]);
        }
        let snapshot = snapshot.clone();
        let doing = format!("taking {:?} into use as snapshot {id}", snapshot.provider_location);
        self.mutate(doing, wanted, move |root, cancel| {
            manage::snapshot(root, &snapshot, old_id, cancel)
        })
        .await
    }

    async fn unmanage_snapshot(&self, snapshot: &SnapshotRef, generation: u64) -> DriverResult<()> {
        let (id, share_instance_id) = (snapshot.id, snapshot.share_instance_id);
        let wanted = vec![Wanted::object(id, Hold::Alone), Wanted::record(id)];
        self.mutate(format!("giving snapshot {id} up"), wanted, move |root, _| {
            manage::give_snapshot_up(root, id, share_instance_id, generation)
        })
        .await
    }

    async fn sweep(&self, to_resume: &BTreeSet<Uuid>) -> DriverResult<SweepReport> {
        let (locks, to_resume) = (Arc::clone(&self.locks), to_resume.clone());
        self.mutate("sweeping".to_owned(), Vec::new(), move |root, cancel| {
            Ok(sweep::sweep(root, &locks, &to_resume, cancel)?)
        })
        .await
    }
}

impl Directory {
    fn check_replicas(&self) -> DriverResult<()> {
        match self.replication_type() {
            Some(_) => Ok(()),
            None => Err(DriverError::Unsupported { what: "replicas".to_owned() }),
        }
    }

    /// Gives a share a new size in GiB.
    async fn resize(
        &self,
        doing: String,
        id: Uuid,
        new_size_gb: u64,
        shrinks: bool,
    ) -> DriverResult<()> {
        let wanted = vec![Wanted::object(id, Hold::Shared), Wanted::record(id)];
        self.mutate(doing, wanted, move |root, cancel| {
            let missing = || DriverError::share_not_found(id);
            let record = root.record::<ShareRecord>(Kind::Share, id)?.ok_or_else(missing)?;
            let data = root.data(Kind::Share, id)?.ok_or_else(missing)?;
            match shrinks {
                true => DriverError::check_shrink(record.size_gb, new_size_gb)?,
                false => DriverError::check_extend(record.size_gb, new_size_gb)?,
            };
            // Held to the new size first, so that nobody can write past it after the look.
            let limited = root.medium.limit(data.as_fd(), new_size_gb, cancel);
            let resized = limited.map_err(Stop::from).and_then(|()| {
                if shrinks {
                    ensure_fits(root, data.as_fd(), new_size_gb, cancel)?;
                }
                let record = ShareRecord { size_gb: new_size_gb, ..record.clone() };
                root.replace_record(Kind::Share, id, &record)?;
                // A limit is as little durable by itself as a rename is.
                Ok(root.settle(Kind::Share)?)
            });
            if resized.is_err() {
                // It is held to what is recorded, whichever of the steps failed.
                let now = root.record::<ShareRecord>(Kind::Share, id).ok().flatten();
                let size_gb = now.unwrap_or(record).size_gb;
                if let Err(error) = root.medium.limit(data.as_fd(), size_gb, &cancel.to_the_end()) {
                    tracing::warn!(%error, %id, size_gb, "a share has another limit than its size");
                }
            }
            resized
        })
        .await
    }
}

/// Refuses a size that these bytes of a share do not fit into.
fn ensure_fits(
    root: &Root,
    data: BorrowedFd<'_>,
    requested_gb: u64,
    cancel: &Cancel,
) -> Result<(), Stop> {
    let used_bytes = root.medium.used_bytes(sys::duplicate(data)?, cancel)?;
    if used_bytes > requested_gb.saturating_mul(GIB) {
        return Err(DriverError::ShrinkBelowData { used_bytes, requested_gb }.into());
    }
    Ok(())
}
