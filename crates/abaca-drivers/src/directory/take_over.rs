//! Takes over shares with their snapshots where the medium brings their bytes by itself, so that no
//! tree has to be copied, and what is common to them stays so.
//!
//! The share comes first; what it was brought by stays on both sides until its snapshots, which
//! differ little from it and from each other, have come too.

use std::os::fd::{AsFd, OwnedFd};

use super::cancel::Cancel;
use super::failure::Stop;
use super::kept::{existing_share, find_snapshot, make_share, record_of};
use super::medium::Content;
use super::records::ShareRecord;
use super::replicas::{Brought, bring_snapshot, forget, replica_of, with_share, with_snapshot};
use super::root::Root;
use super::tree::mirror::to_copy;
use crate::{
    CopyProgress, Export, Migrated, Migration, NewSnapshot, ReplicaSource, SnapshotObject,
};

/// Whether the medium brings everything that the share holds.
pub(super) fn is_possible(
    root: &Root,
    migration: &Migration,
    cancel: &Cancel,
) -> Result<bool, Stop> {
    with_share(root, &source(migration), |data| Ok(root.medium.brings(data.as_fd(), cancel)?))
}

/// Takes everything over that is not here yet.
pub(super) fn migrate(
    root: &Root,
    migration: &Migration,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> Result<Migrated, Stop> {
    let bytes = |data: OwnedFd| Ok(to_copy(&data, cancel)?);
    let of_share = match existing_share(root, migration.share.id)? {
        Some(_) => 0,
        None => with_share(root, &source(migration), bytes)?,
    };
    let mut of_snapshots = Vec::with_capacity(migration.snapshots.len());
    for snapshot in &migration.snapshots {
        of_snapshots.push(match find_snapshot(root, snapshot.id)? {
            Some(_) => 0,
            None => with_snapshot(root, &snapshot.source, bytes)?,
        });
    }
    progress.begin(of_snapshots.iter().fold(of_share, |sum, bytes| sum.saturating_add(*bytes)));
    // What arrives was checked on its way.
    let add = |bytes| {
        progress.add_copied(bytes);
        progress.add_compared(bytes);
    };

    let share = &migration.share;
    let exports = take_share(root, migration, cancel)?;
    add(of_share);
    let mut snapshots: Vec<SnapshotObject> = Vec::with_capacity(migration.snapshots.len());
    let mut before = None;
    for (snapshot, bytes) in migration.snapshots.iter().zip(of_snapshots) {
        let new = NewSnapshot { id: snapshot.id, share_instance_id: share.id };
        snapshots.push(bring_snapshot(root, new, &snapshot.source, before, cancel)?);
        before = Some(Brought { source: &snapshot.source, id: snapshot.id });
        add(bytes);
    }
    forget(root, share.id, cancel);
    progress.end();
    Ok(Migrated { exports, snapshots })
}

fn source(migration: &Migration) -> ReplicaSource {
    let provider_location = migration.source.location.clone();
    ReplicaSource { id: migration.source.id, provider_location }
}

fn take_share(root: &Root, migration: &Migration, cancel: &Cancel) -> Result<Vec<Export>, Stop> {
    let (share, source) = (&migration.share, source(migration));
    if let Some(exports) = existing_share(root, share.id)? {
        return Ok(exports);
    }
    let record = ShareRecord { updated_from: Some(source.clone()), ..record_of(share) };
    with_share(root, &source, |data| {
        let content = Content::Replica(replica_of(root, share.id, data)?);
        make_share(root, share.id, &record, content, cancel)
    })
}
