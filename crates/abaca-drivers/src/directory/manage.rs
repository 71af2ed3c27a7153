//! Taking shares and snapshots into use that the service does not know, and giving them up.
//!
//! The record says whether the service keeps an object: what is unmanaged lies where it lay, and no
//! other call sees it. It is taken into use by one rename, while its record still says so, and then
//! by another record. A share may also come as a plain directory in `ROOT/import`.

use std::os::fd::AsFd;

use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsResult, Stop};
use super::kept::{share_object, snapshot_object};
use super::medium::{Content, DATA};
use super::mount::{self, MOUNT};
use super::objects::New;
use super::records::{ACCESS, Kind, ShareRecord, SnapshotRecord, parse_id};
use super::root::{IMPORT, Root};
use super::sys;
use super::tree::remove::remove_tree;
use crate::manage::{Custody, in_use};
use crate::{DriverError, DriverResult, ManageShare, ManageSnapshot, ShareObject, SnapshotObject};

/// What an export path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A share with this id.
    Object(Uuid),
    /// The directory with this name in `ROOT/import`.
    Import(String),
}

/// What an export path in this root leads to, by its words alone.
pub(super) fn place(root: &Root, wanted: &ManageShare) -> DriverResult<Place> {
    let parts: Vec<&str> = match root.beneath(&wanted.export_path) {
        Some(path) => path.split('/').collect(),
        None => Vec::new(),
    };
    let found = match parts[..] {
        ["shares", id, DATA] | ["shares", id, MOUNT, _] => parse_id(id).map(Place::Object),
        [IMPORT, name] if is_plain(name) => Some(Place::Import(name.to_owned())),
        _ => None,
    };
    found.ok_or_else(|| {
        let root = root.path();
        wanted.wrong_path(&format!(
            "the export path of a share that was given up in {root}, or {root}/{IMPORT}/NAME"
        ))
    })
}

/// The snapshot that a provider location in this root leads to, by its words alone.
pub(super) fn snapshot_at(root: &Root, wanted: &ManageSnapshot) -> DriverResult<Uuid> {
    let parts: Vec<&str> = match root.beneath(&wanted.provider_location) {
        Some(path) => path.split('/').collect(),
        None => Vec::new(),
    };
    let found = match parts[..] {
        ["snapshots", id, DATA] => parse_id(id),
        _ => None,
    };
    found.ok_or_else(|| {
        let root = root.path();
        wanted.wrong_location(&format!("the location of a snapshot that was given up in {root}"))
    })
}

fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
}

pub(super) fn share(
    root: &Root,
    wanted: &ManageShare,
    place: &Place,
    cancel: &Cancel,
) -> Result<ShareObject, Stop> {
    let id = wanted.id;
    let record = match root.any_record::<ShareRecord>(Kind::Share, id)? {
        Some(record) => {
            if !record.custody.must_become(false, wanted.generation)? {
                root.settle(Kind::Share)?;
                return Ok(share_object(root, id, record));
            }
            record
        }
        None => match place {
            Place::Object(old_id) => rename_share(root, wanted, *old_id, cancel)?,
            Place::Import(name) => begin_import(root, wanted, name, cancel)?,
        },
    };
    if let Place::Import(name) = place {
        bring_in(root, id, name)?;
    }
    let missing = || DriverError::share_not_found(id);
    let data = root.data(Kind::Share, id)?.ok_or_else(missing)?;
    root.medium.limit(data.as_fd(), record.size_gb, cancel)?;
    match &record.mount_point_name {
        Some(name) => mount::repair(root, id, name, cancel)?,
        None => {
            let object = root.open_object(Kind::Share, id)?.ok_or_else(missing)?;
            remove_tree(object.as_fd(), MOUNT, cancel)?;
        }
    }
    let custody = Custody { unmanaged: false, generation: wanted.generation };
    let record = ShareRecord { custody, ..record };
    root.replace_record(Kind::Share, id, &record)?;
    root.settle(Kind::Share)?;
    Ok(share_object(root, id, record))
}

/// What a share becomes that had these ids before.
fn coming(wanted: &ManageShare, size_gb: u64, former_ids: Vec<Uuid>) -> ShareRecord {
    ShareRecord {
        size_gb,
        pool: wanted.pool.clone(),
        protocol: wanted.protocol.clone(),
        mount_point_name: wanted.mount_point_name.clone(),
        reverted: 0,
        replication: 0,
        is_replica: false,
        is_stale: false,
        updated_from: None,
        custody: Custody::COMING,
        former_ids,
    }
}

/// Gives a share that was given up its new name. It is still not the service's.
fn rename_share(
    root: &Root,
    wanted: &ManageShare,
    old_id: Uuid,
    cancel: &Cancel,
) -> Result<ShareRecord, Stop> {
    let missing = || DriverError::share_not_found(old_id);
    let old = root.any_record::<ShareRecord>(Kind::Share, old_id)?.ok_or_else(missing)?;
    if !old.custody.unmanaged {
        return Err(in_use("export_path", &wanted.export_path).into());
    }
    let data = root.data(Kind::Share, old_id)?.ok_or_else(missing)?;
    let used_bytes =
        if wanted.size_gb.is_some() { root.medium.used_bytes(data, cancel)? } else { 0 };
    let size_gb = wanted.size(Some(old.size_gb), used_bytes)?;
    let mut former_ids = old.former_ids;
    if former_ids.last() != Some(&old_id) {
        former_ids.push(old_id);
    }
    let record = coming(wanted, size_gb, former_ids);
    root.check_still_there()?;
    root.replace_record(Kind::Share, old_id, &record)?;
    move_object(root, Kind::Share, old_id, wanted.id, cancel)?;
    Ok(record)
}

/// Nobody is let in from now on: rules come with the new name.
fn move_object(
    root: &Root,
    kind: Kind,
    old_id: Uuid,
    new_id: Uuid,
    cancel: &Cancel,
) -> FsResult<()> {
    if let Some(object) = root.open_object(kind, old_id)? {
        remove_tree(object.as_fd(), ACCESS, cancel)?;
        sys::sync(object.as_fd())?;
    }
    let (container, old_id, new_id) =
        (root.container(kind), old_id.to_string(), new_id.to_string());
    sys::rename(container, old_id.as_str(), container, new_id.as_str())?;
    root.settle(kind)
}

/// Makes the share that a directory in `import` becomes, still without bytes.
fn begin_import(
    root: &Root,
    wanted: &ManageShare,
    name: &str,
    cancel: &Cancel,
) -> Result<ShareRecord, Stop> {
    let import = sys::open_directory(root.top(), IMPORT)?;
    let data = match sys::open_directory(import.as_fd(), name) {
        Err(error) if error.is_gone() => {
            return Err(wanted.wrong_path("a directory that is there").into());
        }
        opened => opened?,
    };
    root.medium.check_import(data.as_fd())?;
    let size_gb = wanted.size(None, root.medium.used_bytes(data, cancel)?)?;
    let record = coming(wanted, size_gb, Vec::new());
    let mount_point_name = record.mount_point_name.as_deref();
    let content = Content::Later;
    let (kind, id, record_of) = (Kind::Share, wanted.id, &record);
    let new = New { kind, id, record: record_of, content, size_gb: None, mount_point_name };
    root.make(new, cancel)?;
    Ok(record)
}

/// Brings the bytes from `import` into the share, if that has none yet.
fn bring_in(root: &Root, id: Uuid, name: &str) -> Result<(), Stop> {
    let object = root.open_object(Kind::Share, id)?;
    let object = object.ok_or_else(|| DriverError::share_not_found(id))?;
    if sys::exists(object.as_fd(), DATA)? {
        return Ok(());
    }
    let import = sys::open_directory(root.top(), IMPORT)?;
    sys::rename(import.as_fd(), name, object.as_fd(), DATA)?;
    Ok(root.medium.settle(&[object.as_fd(), import.as_fd()])?)
}

pub(super) fn give_share_up(
    root: &Root,
    id: Uuid,
    generation: u64,
    cancel: &Cancel,
) -> Result<(), Stop> {
    let record = root.any_record::<ShareRecord>(Kind::Share, id)?;
    let Some(record) = record else { return Ok(()) };
    if has_no_bytes(root, id)? && record.custody.unmanaged {
        // An import that came to nothing.
        return Ok(root.remove(Kind::Share, id, cancel)?);
    }
    if record.custody.must_become(true, generation)? {
        let record = ShareRecord { custody: Custody { unmanaged: true, generation }, ..record };
        root.replace_record(Kind::Share, id, &record)?;
    }
    Ok(root.settle(Kind::Share)?)
}

fn has_no_bytes(root: &Root, id: Uuid) -> FsResult<bool> {
    match root.open_object(Kind::Share, id)? {
        Some(object) => Ok(!sys::exists(object.as_fd(), DATA)?),
        None => Ok(true),
    }
}

pub(super) fn snapshot(
    root: &Root,
    wanted: &ManageSnapshot,
    old_id: Uuid,
    cancel: &Cancel,
) -> Result<SnapshotObject, Stop> {
    let (id, share_id) = (wanted.snapshot.id, wanted.snapshot.share_instance_id);
    let share = root.record::<ShareRecord>(Kind::Share, share_id)?;
    let share = share.ok_or_else(|| DriverError::share_not_found(share_id))?;
    let record = match root.any_record::<SnapshotRecord>(Kind::Snapshot, id)? {
        Some(record) => {
            DriverError::check_same_share(record.share_instance_id, share_id)?;
            if !record.custody.must_become(false, wanted.generation)? {
                root.settle(Kind::Snapshot)?;
                return Ok(snapshot_object(root, id, &record));
            }
            record
        }
        None => rename_snapshot(root, wanted, old_id, &share, cancel)?,
    };
    root.data(Kind::Snapshot, id)?.ok_or_else(|| DriverError::snapshot_not_found(id))?;
    let custody = Custody { unmanaged: false, generation: wanted.generation };
    let record = SnapshotRecord { custody, ..record };
    root.replace_record(Kind::Snapshot, id, &record)?;
    root.settle(Kind::Snapshot)?;
    Ok(snapshot_object(root, id, &record))
}

fn rename_snapshot(
    root: &Root,
    wanted: &ManageSnapshot,
    old_id: Uuid,
    share: &ShareRecord,
    cancel: &Cancel,
) -> Result<SnapshotRecord, Stop> {
    let missing = || DriverError::snapshot_not_found(old_id);
    let old = root.any_record::<SnapshotRecord>(Kind::Snapshot, old_id)?.ok_or_else(missing)?;
    if !old.custody.unmanaged {
        return Err(in_use("provider_location", &wanted.provider_location).into());
    }
    wanted.check_share(old.share_instance_id, &share.former_ids)?;
    root.data(Kind::Snapshot, old_id)?.ok_or_else(missing)?;
    let record = SnapshotRecord {
        share_instance_id: wanted.snapshot.share_instance_id,
        protocol: Some(share.protocol.clone()),
        custody: Custody::COMING,
    };
    root.check_still_there()?;
    root.replace_record(Kind::Snapshot, old_id, &record)?;
    move_object(root, Kind::Snapshot, old_id, wanted.snapshot.id, cancel)?;
    Ok(record)
}

pub(super) fn give_snapshot_up(
    root: &Root,
    id: Uuid,
    share_instance_id: Uuid,
    generation: u64,
) -> Result<(), Stop> {
    let record = root.any_record::<SnapshotRecord>(Kind::Snapshot, id)?;
    let ours = record.filter(|record| record.share_instance_id == share_instance_id);
    let Some(record) = ours else { return Ok(()) };
    if record.custody.must_become(true, generation)? {
        let record = SnapshotRecord { custody: Custody { unmanaged: true, generation }, ..record };
        root.replace_record(Kind::Snapshot, id, &record)?;
    }
    Ok(root.settle(Kind::Snapshot)?)
}

/// Whether an object is there that the service gave up: its deletion is none of the service's.
pub(super) fn is_given_up(root: &Root, kind: Kind, id: Uuid) -> bool {
    let custody = match kind {
        Kind::Share => root.any_record(kind, id).map(|found| found.map(|r: ShareRecord| r.custody)),
        Kind::Snapshot => {
            root.any_record(kind, id).map(|found| found.map(|r: SnapshotRecord| r.custody))
        }
    };
    // A damaged record must not keep anything from being deleted.
    let given_up = custody.ok().flatten().is_some_and(|custody| custody.unmanaged);
    if given_up {
        tracing::warn!(%id, kind = kind.container(), "it was given up, and is not deleted");
    }
    given_up
}
