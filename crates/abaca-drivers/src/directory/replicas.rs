//! Replicas: copies of a share of this or another directory backend, which follow it.
//!
//! The other backend is found by the provider location, and held by its lock while it is copied, so
//! that nobody removes or reverts it meanwhile. A replica changes by one exchange. The record keeps
//! the generation it follows, so that a late update does not overwrite a share that was promoted.

use std::os::fd::{AsFd, OwnedFd};

use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsError, FsResult, Stop};
use super::kept::{existing_share, exports, find_snapshot, make_share, record_of, snapshot_object};
use super::locks::{FileGuards, Hold, Wanted};
use super::medium::{Content, Replica};
use super::objects::New;
use super::records::{Kind, ShareRecord, SnapshotRecord};
use super::root::Root;
use super::sys;
use crate::manage::Custody;
use crate::{
    DriverError, DriverResult, Export, NewReplica, NewSnapshot, Promoted, ReplicaSource,
    ReplicaSync, SnapshotObject, SnapshotRef, SyncReplica,
};

pub(super) fn create(
    root: &Root,
    replica: &NewReplica,
    cancel: &Cancel,
) -> Result<Vec<Export>, Stop> {
    let id = replica.share.id;
    if let Some(exports) = existing_share(root, id)? {
        return Ok(exports);
    }
    let (replication, is_replica) = (replica.generation, true);
    let updated_from = Some(replica.source.clone());
    let record = ShareRecord { replication, is_replica, updated_from, ..record_of(&replica.share) };
    with_share(root, &replica.source, |data| {
        let content = Content::Replica(replica_of(root, id, data)?);
        make_share(root, id, &record, content, cancel)
    })
}

pub(super) fn update(
    root: &Root,
    replica: &SyncReplica,
    cancel: &Cancel,
) -> Result<ReplicaSync, Stop> {
    let record = record(root, replica.id)?;
    DriverError::check_update(record.is_replica, record.replication, replica.generation)?;
    with_share(root, &replica.source, |data| follow(root, replica, &record, true, data, cancel))?;
    Ok(ReplicaSync::InSync)
}

pub(super) fn promote(
    root: &Root,
    replica: &SyncReplica,
    may_be_stale: bool,
    cancel: &Cancel,
) -> Result<Promoted, Stop> {
    let (id, generation) = (replica.id, replica.generation);
    let record = record(root, id)?;
    let mut is_stale = record.is_stale;
    if DriverError::check_promotion(record.is_replica, record.replication, generation)? {
        let updated = with_share(root, &replica.source, |data| {
            follow(root, replica, &record, false, data, cancel)
        });
        is_stale = match updated {
            Ok(()) => false,
            Err(stop) if is_gone(&stop) || (may_be_stale && !is_passing(&stop)) => {
                let error = stop.while_doing(format!("updating replica {id} a last time"));
                tracing::warn!(%error, %id, "promoting a replica as it is");
                promote_stale(root, replica, &record, cancel)?;
                true
            }
            Err(stop) => return Err(stop),
        };
    }
    root.settle(Kind::Share)?;
    let exports = exports(root, id, record.mount_point_name.as_deref());
    Ok(Promoted { exports, is_current: !is_stale })
}

/// What it holds stays, but its size may have been changed since its last update.
fn promote_stale(
    root: &Root,
    replica: &SyncReplica,
    record: &ShareRecord,
    cancel: &Cancel,
) -> Result<(), Stop> {
    let (id, size_gb) = (replica.id, replica.size_gb);
    let data = root.data(Kind::Share, id)?.ok_or_else(|| DriverError::share_not_found(id))?;
    // Before the record, by which a repeated call finds it promoted.
    root.medium.limit(data.as_fd(), size_gb, cancel)?;
    let record = ShareRecord {
        size_gb,
        replication: replica.generation,
        is_replica: false,
        is_stale: true,
        ..record.clone()
    };
    Ok(root.replace_record(Kind::Share, id, &record)?)
}

/// A snapshot that was brought, with what it was brought from.
pub(super) struct Brought<'a> {
    pub(super) source: &'a SnapshotRef,
    pub(super) id: Uuid,
}

pub(super) fn bring_snapshot(
    root: &Root,
    snapshot: NewSnapshot,
    source: &SnapshotRef,
    before: Option<Brought<'_>>,
    cancel: &Cancel,
) -> Result<SnapshotObject, Stop> {
    let NewSnapshot { id, share_instance_id } = snapshot;
    if let Some(found) = find_snapshot(root, id)? {
        DriverError::check_same_share(found.share_instance_id, share_instance_id)?;
        root.settle(Kind::Snapshot)?;
        return Ok(found);
    }
    let protocol = Some(record(root, share_instance_id)?.protocol);
    let record = SnapshotRecord { share_instance_id, protocol, custody: Custody::default() };
    let before = match before {
        Some(Brought { source, id }) => {
            let there = with_snapshot(root, source, Ok)?;
            root.data(Kind::Snapshot, id)?.map(|here| (there, here))
        }
        None => None,
    };
    with_snapshot(root, source, |data| {
        let origin = share_beside(&data, source.share_instance_id)?;
        let replica = Replica { origin, before, ..replica_of(root, share_instance_id, data)? };
        let content = Content::Replica(replica);
        let (kind, record) = (Kind::Snapshot, &record);
        Ok(root.make(
            New { kind, id, record, content, size_gb: None, mount_point_name: None },
            cancel,
        )?)
    })?;
    Ok(snapshot_object(root, id, &record))
}

/// The replica with these bytes of a share to come.
pub(super) fn replica_of(root: &Root, id: Uuid, source: OwnedFd) -> Result<Replica, Stop> {
    let origin = Some(sys::open_parent(source.as_fd())?);
    let present = root.open_object(Kind::Share, id)?;
    Ok(Replica { source, id, before: None, present, origin })
}

/// The share whose snapshot holds these bytes, if it is still there.
fn share_beside(snapshot: &OwnedFd, share: Uuid) -> Result<Option<OwnedFd>, Stop> {
    let object = sys::open_parent(snapshot.as_fd())?;
    let root = sys::open_parent(sys::open_parent(object.as_fd())?.as_fd())?;
    let name = format!("{}/{share}", Kind::Share.container());
    match sys::open_directory(root.as_fd(), name.as_str()) {
        Err(error) if error.is_gone() => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// Before a share goes, finished or not: gives up what its source keeps for updates of it. What this
/// leaves, the sweep of the other backend removes in time.
pub(super) fn forget(root: &Root, id: Uuid, cancel: &Cancel) {
    if let Err(stop) = try_to_forget(root, id, cancel) {
        let error = stop.while_doing(format!("removing what is kept for updates of {id}"));
        tracing::warn!(%error, %id, "leftovers of replication stay beside the source for a while");
    }
}

fn try_to_forget(root: &Root, id: Uuid, cancel: &Cancel) -> Result<(), Stop> {
    let record = root.record::<ShareRecord>(Kind::Share, id)?;
    let complete = record.zip(root.open_object(Kind::Share, id)?);
    // A call that was killed in the middle has noted first where it brings bytes from.
    let unfinished = root.unfinished::<ShareRecord>(Kind::Share, id)?;
    for (record, object) in complete.into_iter().chain(unfinished) {
        let Some(source) = record.updated_from else { continue };
        let forgotten = with_share(root, &source, |data| {
            let origin = sys::open_parent(data.as_fd())?;
            Ok(root.medium.forget(object.as_fd(), id, origin.as_fd(), cancel)?)
        });
        match forgotten {
            Err(stop) if !is_gone(&stop) => return Err(stop),
            _ => {}
        }
    }
    Ok(())
}

fn record(root: &Root, id: Uuid) -> Result<ShareRecord, Stop> {
    let record = root.record::<ShareRecord>(Kind::Share, id)?;
    Ok(record.ok_or_else(|| DriverError::share_not_found(id))?)
}

/// Gives the replica the bytes of its source, and notes what it follows from now on.
fn follow(
    root: &Root,
    replica: &SyncReplica,
    record: &ShareRecord,
    is_replica: bool,
    data: OwnedFd,
    cancel: &Cancel,
) -> Result<(), Stop> {
    let (size_gb, replication) = (replica.size_gb, replica.generation);
    let record = ShareRecord {
        size_gb,
        replication,
        is_replica,
        is_stale: false,
        updated_from: Some(replica.source.clone()),
        ..record.clone()
    };
    let new = New {
        kind: Kind::Share,
        id: replica.id,
        record: &record,
        content: Content::Replica(replica_of(root, replica.id, data)?),
        size_gb: Some(size_gb),
        mount_point_name: record.mount_point_name.as_deref(),
    };
    Ok(root.replace(new, cancel)?)
}

pub(super) fn with_snapshot<T>(
    root: &Root,
    source: &SnapshotRef,
    work: impl FnOnce(OwnedFd) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let location = source.provider_location.as_deref().unwrap_or_default();
    with_source(|path| root.open_other(path), Kind::Snapshot, source.id, location, work)
}

pub(super) fn with_share<T>(
    root: &Root,
    source: &ReplicaSource,
    work: impl FnOnce(OwnedFd) -> Result<T, Stop>,
) -> Result<T, Stop> {
    with_source(
        |path| root.open_other(path),
        Kind::Share,
        source.id,
        &source.provider_location,
        work,
    )
}

/// Hands the bytes of an object of this or another backend to `work`, held so that it stays.
/// `NotFound` when there is no such object, or no backend where it was. `open` opens that.
pub(super) fn with_source<T>(
    open: impl FnOnce(&str) -> FsResult<Option<Root>>,
    kind: Kind,
    id: Uuid,
    location: &str,
    work: impl FnOnce(OwnedFd) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let missing = || match kind {
        Kind::Share => DriverError::share_not_found(id),
        Kind::Snapshot => DriverError::snapshot_not_found(id),
    };
    let path = root_of(kind, id, location)?;
    let other = open(path).map_err(|error| of_source(id, error))?.ok_or_else(|| {
        tracing::warn!(%id, path, "there is no backend where the source was");
        missing()
    })?;
    let held = [Wanted::object(id, Hold::Shared)];
    let _held = FileGuards::acquire(other.locks.as_fd(), &held)?;
    let data = other.data(kind, id).map_err(|error| of_source(id, error))?.ok_or_else(missing)?;
    work(data)
}

/// What is damaged there says nothing of what is here.
fn of_source(id: Uuid, error: FsError) -> Stop {
    match error {
        FsError::Damaged { .. } => {
            DriverError::failed(format!("reading the source {id}"), error).into()
        }
        error => error.into(),
    }
}

/// The root of the backend that holds the object.
fn root_of(kind: Kind, id: Uuid, location: &str) -> DriverResult<&str> {
    let end = format!("/{}/{id}/data", kind.container());
    location.strip_suffix(&end).filter(|root| root.starts_with('/')).ok_or_else(|| {
        let problem = format!("expected an absolute path that ends in {end}, got {location:?}");
        DriverError::InvalidInput { field: "provider_location", problem }
    })
}

/// Whether a source was looked for and is not there: [`with_source`] says `NotFound` of nothing else.
fn is_gone(stop: &Stop) -> bool {
    matches!(stop, Stop::Refused(DriverError::NotFound { .. }))
}

/// Whether it says nothing of the source.
fn is_passing(stop: &Stop) -> bool {
    matches!(stop, Stop::Failed(FsError::Busy { .. } | FsError::Cancelled))
}
