//! Takes over shares with their snapshots from other backends of this kind on this machine.

use std::os::fd::AsFd;
use std::path::Path;

use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsResult, Stop};
use super::kept::{existing_share, find_snapshot, make_share, record_of, snapshot_object};
use super::medium::Content;
use super::mover::open_tree;
use super::objects::{Kind, SnapshotRecord};
use super::root::Root;
use super::tree::mirror::{mirror_tree, to_copy};
use crate::manage::Custody;
use crate::{
    CopyProgress, DriverError, Export, Migrated, MigratedSnapshot, Migration, MigrationAbilities,
    SnapshotObject,
};

/// Clients must not write while their files are copied, and find the share at another path.
pub(super) const ABILITIES: MigrationAbilities = MigrationAbilities {
    writable: false,
    nondisruptive: false,
    preserve_metadata: true,
    preserve_snapshots: true,
};

/// Takes everything over; goes on from what an earlier call left.
pub(super) fn migrate(
    root: &Root,
    migration: &Migration,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<Migrated, Stop> {
    progress.begin(bytes(migration, cancel)?);
    let exports = take_share(root, migration, progress, cancel)?;
    let mut snapshots = Vec::with_capacity(migration.snapshots.len());
    for snapshot in &migration.snapshots {
        snapshots.push(take_snapshot(root, migration, snapshot, progress, cancel)?);
    }
    Ok(Migrated { exports, snapshots })
}

fn bytes(migration: &Migration, cancel: &Cancel) -> Result<u64, Stop> {
    let mut bytes = to_copy(&open_tree(Path::new(&migration.source.location))?, cancel)?;
    for snapshot in &migration.snapshots {
        bytes += to_copy(&open_tree(Path::new(location(snapshot)?))?, cancel)?;
    }
    Ok(bytes)
}

fn location(snapshot: &MigratedSnapshot) -> Result<&str, DriverError> {
    let missing = || DriverError::snapshot_not_found(snapshot.source.id);
    snapshot.source.provider_location.as_deref().ok_or_else(missing)
}

fn take_share(
    root: &Root,
    migration: &Migration,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<Vec<Export>, Stop> {
    let share = &migration.share;
    let exports = match existing_share(root, share.id)? {
        Some(exports) => exports,
        None => make_share(root, share.id, &record_of(share), Content::Empty, cancel)?,
    };
    let missing = || DriverError::share_not_found(share.id);
    let data = root.data(Kind::Share, share.id)?.ok_or_else(missing)?;
    let base = root.open_object(Kind::Share, share.id)?.ok_or_else(missing)?;
    let source = open_tree(Path::new(&migration.source.location))?;
    mirror_tree(&source, &data, base.as_fd(), progress, cancel)?;
    Ok(exports)
}

fn take_snapshot(
    root: &Root,
    migration: &Migration,
    snapshot: &MigratedSnapshot,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<SnapshotObject, Stop> {
    let (id, share_instance_id) = (snapshot.id, migration.share.id);
    if let Some(found) = find_snapshot(root, id)? {
        DriverError::check_same_share(found.share_instance_id, share_instance_id)?;
        root.settle(Kind::Snapshot)?;
        return Ok(found);
    }
    let protocol = Some(migration.share.protocol.clone());
    let record = SnapshotRecord { share_instance_id, protocol, custody: Custody::default() };
    let source = open_tree(Path::new(location(snapshot)?))?;
    root.make_resumed(Kind::Snapshot, id, &record, cancel, |data, base| {
        mirror_tree(&source, data, base, progress, cancel)
    })?;
    Ok(snapshot_object(root, id, &record))
}

/// Whether the bytes of a share can be reached from here.
pub(super) fn is_reachable(location: &str) -> bool {
    open_tree(Path::new(location)).is_ok()
}

/// Where the bytes of a share are, for others.
pub(super) fn source_location(root: &Root, id: Uuid) -> FsResult<Option<String>> {
    let found = root.data(Kind::Share, id)?;
    Ok(found.map(|_| root.location(Kind::Share.container(), id)))
}
