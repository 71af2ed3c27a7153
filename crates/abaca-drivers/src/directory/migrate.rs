//! Takes over shares with their snapshots from other backends that keep them in directories of this
//! machine.
//!
//! What is taken over is made in `tmp` and appears by one rename, when all its bytes are there and
//! were compared. What has appeared is never written to again: it may be in use when a late call
//! comes. The other end is held by its lock meanwhile, and looked at once more before the rename, so
//! that what was emptied or replaced is not taken for the share.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsError, FsResult, Stop};
use super::kept::{existing_share, exports, find_snapshot, record_of, snapshot_object};
use super::objects::Resumed;
use super::records::{Kind, SnapshotRecord};
use super::replicas::{forget, with_source};
use super::root::Root;
use super::sys;
use super::take_over;
use super::tree::measure::state_of;
use super::tree::mirror::{mirror_tree, to_copy};
use crate::manage::Custody;
use crate::{
    CopyProgress, DriverError, Export, Migrated, MigratedSnapshot, Migration, MigrationAbilities,
    MigrationSource, NewShare, ShareTree, SnapshotObject, TreeState,
};

/// Clients must not write while their files are copied, and find the share at another path.
pub(super) const ABILITIES: MigrationAbilities = MigrationAbilities {
    writable: false,
    nondisruptive: false,
    preserve_metadata: true,
    preserve_snapshots: true,
};

/// Longer than the kernel takes times of changes from one look at the clock: what is changed after
/// so long has another time.
const TICK: Duration = Duration::from_millis(20);

/// Bytes at the other end.
struct Origin<'a> {
    kind: Kind,
    id: Uuid,
    location: &'a str,
    /// Whatever belongs to a file must be kept.
    all: bool,
}

impl<'a> Origin<'a> {
    fn share(id: Uuid, location: &'a str, all: bool) -> Self {
        Self { kind: Kind::Share, id, location, all }
    }

    fn snapshot(snapshot: &'a MigratedSnapshot, all: bool) -> Result<Self, DriverError> {
        let id = snapshot.source.id;
        let location = snapshot.source.provider_location.as_deref();
        let location = location.ok_or_else(|| DriverError::snapshot_not_found(id))?;
        Ok(Self { kind: Kind::Snapshot, id, location, all })
    }

    fn with<T>(&self, work: impl FnOnce(OwnedFd) -> Result<T, Stop>) -> Result<T, Stop> {
        with_source(Root::open_any, self.kind, self.id, self.location, work)
    }

    fn bytes(&self, cancel: &Cancel) -> Result<u64, Stop> {
        self.with(|data| Ok(to_copy(&data, cancel)?))
    }

    /// Makes `new` of what is here.
    fn bring(
        &self,
        root: &Root,
        new: &Resumed<'_, impl serde::Serialize>,
        progress: &CopyProgress,
        cancel: &Cancel,
    ) -> Result<(), Stop> {
        self.with(|data| {
            root.make_resumed(new, cancel, |target, base| {
                mirror_tree(&data, target, base, self.all, progress, cancel)?;
                self.check_still_there(&data)
            })
        })
    }

    /// Fails if other bytes are here by now, or none: a call that came late may have reverted the
    /// share, or removed it.
    fn check_still_there(&self, data: &OwnedFd) -> Result<(), Stop> {
        self.with(|now| {
            let (now, then) = (sys::meta_of(now.as_fd())?, sys::meta_of(data.as_fd())?);
            if now.identity == then.identity { Ok(()) } else { Err(FsError::Moved.into()) }
        })
    }
}

/// Takes everything over that is not here yet; goes on from what an earlier call left unfinished.
pub(super) fn migrate(
    root: &Root,
    migration: &Migration,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<Migrated, Stop> {
    if !is_here(root, migration)? && take_over::is_possible(root, migration, cancel)? {
        return take_over::migrate(root, migration, progress, cancel);
    }
    // A killed call may have left what it took things over by, and its note of that.
    forget(root, migration.share.id, cancel);
    let all = migration.preserve_metadata;
    let source = Origin::share(migration.source.id, &migration.source.location, all);
    let mut bytes = 0_u64;
    if existing_share(root, migration.share.id)?.is_none() {
        bytes = source.bytes(cancel)?;
    }
    for snapshot in &migration.snapshots {
        if find_snapshot(root, snapshot.id)?.is_none() {
            bytes = bytes.saturating_add(Origin::snapshot(snapshot, all)?.bytes(cancel)?);
        }
    }
    progress.begin(bytes);
    let exports = take_share(root, &migration.share, &source, progress, cancel)?;
    let mut snapshots = Vec::with_capacity(migration.snapshots.len());
    for snapshot in &migration.snapshots {
        snapshots.push(take_snapshot(root, migration, snapshot, progress, cancel)?);
    }
    progress.end();
    Ok(Migrated { exports, snapshots })
}

/// Whether an earlier call has brought everything.
fn is_here(root: &Root, migration: &Migration) -> FsResult<bool> {
    let mut is_here = existing_share(root, migration.share.id)?.is_some();
    for snapshot in &migration.snapshots {
        is_here &= find_snapshot(root, snapshot.id)?.is_some();
    }
    Ok(is_here)
}

/// Makes a share of the bytes of a directory, if it is not here yet.
pub(super) fn fill_share(
    root: &Root,
    share: &NewShare,
    from: &ShareTree,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<Vec<Export>, Stop> {
    let source = Origin::share(from.id, &from.data, false);
    if existing_share(root, share.id)?.is_none() {
        progress.begin(source.bytes(cancel)?);
    }
    let exports = take_share(root, share, &source, progress, cancel)?;
    progress.end();
    Ok(exports)
}

/// What is in a tree of this or another backend.
pub(super) fn tree_state(tree: &ShareTree, cancel: &Cancel) -> Result<TreeState, Stop> {
    Origin::share(tree.id, &tree.data, false).with(|data| {
        // What is written into a mapped page shows again from here on.
        sys::sync_file_system(data.as_fd())?;
        let state = state_of(data, cancel)?;
        std::thread::sleep(TICK);
        Ok(state)
    })
}

fn take_share(
    root: &Root,
    share: &NewShare,
    source: &Origin<'_>,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<Vec<Export>, Stop> {
    if let Some(exports) = existing_share(root, share.id)? {
        return Ok(exports);
    }
    let mount_point_name = share.mount_point_name.as_deref();
    let record = record_of(share);
    let (kind, id, size_gb) = (Kind::Share, share.id, Some(share.size_gb));
    let new = Resumed { kind, id, record: &record, size_gb, mount_point_name };
    source.bring(root, &new, progress, cancel)?;
    Ok(exports(root, share.id, mount_point_name))
}

fn take_snapshot(
    root: &Root,
    migration: &Migration,
    snapshot: &MigratedSnapshot,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<SnapshotObject, Stop> {
    let (kind, id, share_instance_id) = (Kind::Snapshot, snapshot.id, migration.share.id);
    if let Some(found) = find_snapshot(root, id)? {
        DriverError::check_same_share(found.share_instance_id, share_instance_id)?;
        root.settle(kind)?;
        return Ok(found);
    }
    let protocol = Some(migration.share.protocol.clone());
    let record = SnapshotRecord { share_instance_id, protocol, custody: Custody::default() };
    let new = Resumed { kind, id, record: &record, size_gb: None, mount_point_name: None };
    Origin::snapshot(snapshot, migration.preserve_metadata)?.bring(root, &new, progress, cancel)?;
    Ok(snapshot_object(root, id, &record))
}

/// Whether the bytes of a share can be reached from here.
pub(super) fn is_reachable(source: &MigrationSource) -> Result<bool, Stop> {
    match Origin::share(source.id, &source.location, false).with(|_| Ok(())) {
        Ok(()) => Ok(true),
        Err(Stop::Failed(error)) if error.may_pass() => Err(error.into()),
        Err(_) => Ok(false),
    }
}

/// Where the bytes of a share are, for others.
pub(super) fn source_location(root: &Root, id: Uuid) -> FsResult<Option<String>> {
    let found = root.data(Kind::Share, id)?;
    Ok(found.map(|_| root.location(Kind::Share.container(), id)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::locks::{FileGuards, Hold, Wanted};
    use super::super::tests::{new_share, open};
    use super::*;
    use crate::Driver as _;

    #[tokio::test]
    async fn the_source_is_held_and_another_in_its_place_is_noticed() {
        let top = tempfile::tempdir().unwrap();
        let driver = open(top.path()).await;
        let share = new_share();
        driver.create_share(&share).await.unwrap();
        let location = driver.migration_source(share.id).await.unwrap().location;
        let origin = Origin::share(share.id, &location, false);
        let checked = origin.with(|data| {
            origin.check_still_there(&data)?;
            let alone = [Wanted::object(share.id, Hold::Alone)];
            let taken = FileGuards::acquire(driver.root.locks.as_fd(), &alone);
            assert!(matches!(taken, Err(FsError::Busy { .. })), "it could be removed");
            fs::rename(&location, top.path().join("shares/old")).unwrap();
            fs::create_dir(&location).unwrap();
            origin.check_still_there(&data)
        });
        assert!(matches!(checked, Err(Stop::Failed(FsError::Moved))), "{checked:?}");
    }
}
