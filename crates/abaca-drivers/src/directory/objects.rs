//! Makes, changes, finds and removes shares and snapshots. Blocking; the caller holds the locks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsError, FsResult, Stop};
use super::medium::{Content, DATA};
use super::mount::{self, MOUNT};
use super::root::{Root, read_small_file, to_json, write_file};
use super::sys;
use super::tree::remove::{open_writable, remove_tree};
use crate::ReplicaSource;
use crate::manage::Custody;

const RECORD: &str = "record.json";
pub(super) const ACCESS: &str = "access.json";

/// Shares and snapshots are kept the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Share,
    Snapshot,
}

impl Kind {
    /// Name of the directory that holds the complete objects.
    pub(super) fn container(self) -> &'static str {
        match self {
            Self::Share => "shares",
            Self::Snapshot => "snapshots",
        }
    }

    /// Name of an object being made or removed.
    pub(super) fn working_name(self, id: Uuid) -> String {
        match self {
            Self::Share => format!("share-{id}"),
            Self::Snapshot => format!("snapshot-{id}"),
        }
    }
}

/// Kept beside the bytes of a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShareRecord {
    pub(super) size_gb: u64,
    pub(super) pool: String,
    pub(super) protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mount_point_name: Option<String>,
    /// Generation of the last revert.
    #[serde(default)]
    pub(super) reverted: u64,
    /// The generation that it follows as a replica, or was promoted by.
    #[serde(default)]
    pub(super) replication: u64,
    #[serde(default)]
    pub(super) is_replica: bool,
    /// Promoted without a last update.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_stale: bool,
    /// What it was last updated from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) updated_from: Option<ReplicaSource>,
    #[serde(default, skip_serializing_if = "Custody::is_plain")]
    pub(super) custody: Custody,
    /// The share instances it was before it was given up and taken into use again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former_ids: Vec<Uuid>,
}

/// Kept beside the bytes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SnapshotRecord {
    pub(super) share_instance_id: Uuid,
    /// Of the share; unknown of snapshots that older versions took.
    #[serde(default)]
    pub(super) protocol: Option<String>,
    #[serde(default, skip_serializing_if = "Custody::is_plain")]
    pub(super) custody: Custody,
}

/// What is kept beside the bytes of an object.
pub(super) trait Record: DeserializeOwned {
    fn custody(&self) -> Custody;
}

impl Record for ShareRecord {
    fn custody(&self) -> Custody {
        self.custody
    }
}

impl Record for SnapshotRecord {
    fn custody(&self) -> Custody {
        self.custody
    }
}

/// What is made.
pub(super) struct New<'a, R> {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    /// Kept beside the bytes.
    pub(super) record: &'a R,
    pub(super) content: Content,
    /// The size limit in GiB of a share.
    pub(super) size_gb: Option<u64>,
    /// The name by which the bytes can be reached too.
    pub(super) mount_point_name: Option<&'a str>,
}

/// What is made of bytes that take long to come.
pub(super) struct Resumed<'a, R> {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    /// Kept beside the bytes.
    pub(super) record: &'a R,
    /// The size limit in GiB of a share.
    pub(super) size_gb: Option<u64>,
    /// The name by which the bytes can be reached too.
    pub(super) mount_point_name: Option<&'a str>,
}

impl Root {
    pub(super) fn container(&self, kind: Kind) -> BorrowedFd<'_> {
        match kind {
            Kind::Share => self.shares.as_fd(),
            Kind::Snapshot => self.snapshots.as_fd(),
        }
    }

    /// The record of a complete object that the service keeps.
    pub(super) fn record<R: Record>(&self, kind: Kind, id: Uuid) -> FsResult<Option<R>> {
        let record: Option<R> = self.any_record(kind, id)?;
        Ok(record.filter(|record| !record.custody().unmanaged))
    }

    /// As [`Root::record`], also of what the service gave up.
    pub(super) fn any_record<R: Record>(&self, kind: Kind, id: Uuid) -> FsResult<Option<R>> {
        match self.read(kind, id, RECORD) {
            // Another call may have replaced the object meanwhile.
            Err(error) if is_absent(&error) => {}
            other => return other,
        }
        match self.read(kind, id, RECORD) {
            Err(error) if is_absent(&error) => Err(damaged(kind, id, RECORD, &error)),
            other => other,
        }
    }

    /// What is kept of an object's access rules; `None` also when that is nothing.
    pub(super) fn access<R: DeserializeOwned>(&self, kind: Kind, id: Uuid) -> FsResult<Option<R>> {
        match self.read(kind, id, ACCESS) {
            Err(error) if error.is_gone() => Ok(None),
            other => other,
        }
    }

    fn read<R: DeserializeOwned>(&self, kind: Kind, id: Uuid, file: &str) -> FsResult<Option<R>> {
        let Some(object) = self.open_object(kind, id)? else { return Ok(None) };
        let content = match read_small_file(object.as_fd(), file) {
            // Another call removes the object at this moment.
            Err(error) if error.is_gone() && self.open_object(kind, id)?.is_none() => {
                return Ok(None);
            }
            other => other?,
        };
        serde_json::from_slice(&content).map(Some).map_err(|error| FsError::Damaged {
            what: format!("{file} of {} is damaged: {error}", kind.working_name(id)),
        })
    }

    /// An object that is being made or was when its call was killed, with its record.
    pub(super) fn unfinished<R: Record>(
        &self,
        kind: Kind,
        id: Uuid,
    ) -> FsResult<Option<(R, OwnedFd)>> {
        let name = kind.working_name(id);
        let opened = sys::open_directory(self.tmp.as_fd(), name.as_str());
        let read = opened.and_then(|object| {
            let content = read_small_file(object.as_fd(), RECORD)?;
            Ok((content, object))
        });
        match read {
            Err(error) if error.is_gone() => Ok(None),
            // Before it is written, nothing is begun.
            read => read.map(|(content, object)| {
                serde_json::from_slice(&content).ok().map(|record| (record, object))
            }),
        }
    }

    /// The bytes of a complete object.
    pub(super) fn data(&self, kind: Kind, id: Uuid) -> FsResult<Option<OwnedFd>> {
        match self.open_object(kind, id)? {
            Some(object) => match sys::open_directory(object.as_fd(), DATA) {
                Err(error) if is_absent(&error) => Err(damaged(kind, id, DATA, &error)),
                opened => opened.map(Some),
            },
            None => Ok(None),
        }
    }

    /// Makes an object that does not exist. It appears complete and durable, or not at all.
    pub(super) fn make(&self, new: New<'_, impl Serialize>, cancel: &Cancel) -> FsResult<()> {
        self.check_still_there()?;
        let (kind, id) = (new.kind, new.id);
        let name = kind.working_name(id);
        self.discard(self.tmp.as_fd(), &name, cancel)?;
        let made = self.make_in_tmp(&name, new, cancel).and_then(|()| {
            sys::rename(self.tmp.as_fd(), &*name, self.container(kind), id.to_string().as_str())
        });
        if let Err(error) = made {
            self.give_back(&name, cancel);
            return Err(error);
        }
        self.settle(kind)
    }

    /// Replaces a complete object, but for its access rules. It is the old or the new one at every
    /// moment.
    pub(super) fn replace(&self, new: New<'_, impl Serialize>, cancel: &Cancel) -> FsResult<()> {
        self.check_still_there()?;
        let (kind, id) = (new.kind, new.id);
        let name = kind.working_name(id);
        if sys::exists(self.tmp.as_fd(), name.as_str())? {
            // It may be what an earlier exchange took away.
            self.settle(kind)?;
            self.discard(self.tmp.as_fd(), &name, cancel)?;
        }
        let exchanged = self
            .make_in_tmp(&name, new, cancel)
            .and_then(|()| self.copy_access_to_tmp(kind, id, &name))
            .and_then(|()| {
                let id = id.to_string();
                sys::exchange(self.tmp.as_fd(), &*name, self.container(kind), id.as_str())
            });
        if exchanged.is_ok() {
            // Until it is durable the disk names the old object: it must not go before.
            self.settle(kind)?;
        }
        self.give_back(&name, cancel);
        exchanged
    }

    /// Gives the space of something unfinished or replaced back at once; what this leaves, the next
    /// attempt or sweep removes.
    fn give_back(&self, name: &str, cancel: &Cancel) {
        if let Err(leftover) = self.discard(self.tmp.as_fd(), name, cancel) {
            tracing::warn!(error = %leftover, name, "a leftover stays until the sweep");
        }
    }

    /// Whether this file system can exchange two directories in one change. An error when that
    /// could not be found out.
    pub(super) fn can_exchange(&self) -> FsResult<bool> {
        let id = Uuid::new_v4();
        // Names that a sweep knows, should this process be killed here.
        let (one, other) = (Kind::Share.working_name(id), Kind::Snapshot.working_name(id));
        let tmp = self.tmp.as_fd();
        let tried = sys::make_directory(tmp, one.as_str())
            .and_then(|()| sys::make_directory(tmp, other.as_str()))
            .and_then(|()| sys::exchange(tmp, one.as_str(), tmp, other.as_str()));
        for name in [&one, &other] {
            // What stays is removed by the next sweep.
            let _ = sys::remove_directory(tmp, name.as_str());
        }
        match tried {
            Err(error)
                if matches!(
                    error.errno(),
                    Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
                ) =>
            {
                Ok(false)
            }
            tried => tried.map(|()| true),
        }
    }

    /// Makes the appearance or disappearance of objects of this kind durable.
    pub(super) fn settle(&self, kind: Kind) -> FsResult<()> {
        self.medium.settle(&[self.container(kind), self.tmp.as_fd()])
    }

    /// Removes what is in `tmp` or `trash`: an object, or a part of one.
    pub(super) fn discard(
        &self,
        directory: BorrowedFd<'_>,
        name: &str,
        cancel: &Cancel,
    ) -> FsResult<()> {
        self.medium.remove(directory, name, cancel)?;
        remove_tree(directory, name, cancel)
    }

    /// As [`Root::make`], of bytes that `fill` brings into the directory that it is given, with one
    /// beside it for its own use; when it was interrupted, that holds what it has brought already,
    /// unless a sweep came between that was not told to leave it.
    pub(super) fn make_resumed(
        &self,
        new: &Resumed<'_, impl Serialize>,
        cancel: &Cancel,
        fill: impl FnOnce(&OwnedFd, BorrowedFd<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.check_still_there()?;
        let Resumed { kind, id, record, size_gb, mount_point_name } = *new;
        let name = kind.working_name(id);
        unless_existing(sys::make_directory(self.tmp.as_fd(), name.as_str()))?;
        let object = sys::open_directory(self.tmp.as_fd(), name.as_str())?;
        remove_tree(object.as_fd(), RECORD, &Cancel::default())?;
        write_file(object.as_fd(), RECORD, &to_json(record)?)?;
        if let Some(name) = mount_point_name {
            remove_tree(object.as_fd(), MOUNT, &Cancel::default())?;
            mount::make(object.as_fd(), name)?;
        }
        self.medium.begin(object.as_fd(), cancel)?;
        let data = open_writable(object.as_fd(), c"data")?;
        if let Some(size_gb) = size_gb {
            self.medium.limit(data.as_fd(), size_gb, cancel)?;
        }
        fill(&data, object.as_fd())?;
        if kind == Kind::Snapshot {
            self.medium.seal(object.as_fd(), cancel)?;
        }
        sys::sync(object.as_fd())?;
        sys::rename(
            self.tmp.as_fd(),
            name.as_str(),
            self.container(kind),
            id.to_string().as_str(),
        )?;
        Ok(self.settle(kind)?)
    }

    fn make_in_tmp(
        &self,
        name: &str,
        new: New<'_, impl Serialize>,
        cancel: &Cancel,
    ) -> FsResult<()> {
        sys::make_directory(self.tmp.as_fd(), name)?;
        let object = sys::open_directory(self.tmp.as_fd(), name)?;
        write_file(object.as_fd(), RECORD, &to_json(new.record)?)?;
        if let Some(name) = new.mount_point_name {
            mount::make(object.as_fd(), name)?;
        }
        self.medium.make(object.as_fd(), new.content, new.size_gb, cancel)?;
        sys::sync(object.as_fd())
    }

    /// Gives what is being made in place of an object the object's access rules.
    fn copy_access_to_tmp(&self, kind: Kind, id: Uuid, name: &str) -> FsResult<()> {
        let Some(old) = self.open_object(kind, id)? else { return Ok(()) };
        let content = match read_small_file(old.as_fd(), ACCESS) {
            Err(error) if error.is_gone() => return Ok(()),
            other => other?,
        };
        let new = sys::open_directory(self.tmp.as_fd(), name)?;
        write_file(new.as_fd(), ACCESS, &content)?;
        sys::sync(new.as_fd())
    }

    /// Replaces the record of a complete object.
    pub(super) fn replace_record(
        &self,
        kind: Kind,
        id: Uuid,
        record: &impl Serialize,
    ) -> FsResult<()> {
        self.replace_file(kind, id, RECORD, &format!("record-{id}"), record)
    }

    /// Replaces what is kept of a complete object's access rules.
    pub(super) fn replace_access(
        &self,
        kind: Kind,
        id: Uuid,
        access: &impl Serialize,
    ) -> FsResult<()> {
        self.replace_file(kind, id, ACCESS, &format!("access-{id}"), access)
    }

    fn replace_file(
        &self,
        kind: Kind,
        id: Uuid,
        file: &str,
        working_name: &str,
        content: &impl Serialize,
    ) -> FsResult<()> {
        let Some(object) = self.open_object(kind, id)? else {
            return Err(FsError::Damaged { what: format!("{} is gone", kind.working_name(id)) });
        };
        remove_tree(self.tmp.as_fd(), working_name, &Cancel::default())?;
        write_file(self.tmp.as_fd(), working_name, &to_json(content)?)?;
        sys::rename(self.tmp.as_fd(), working_name, object.as_fd(), file)?;
        sys::sync(object.as_fd())
    }

    /// Removes an object, whatever state a crash left it in.
    pub(super) fn remove(&self, kind: Kind, id: Uuid, cancel: &Cancel) -> FsResult<()> {
        let name = kind.working_name(id);
        self.discard(self.tmp.as_fd(), &name, cancel)?;
        for file in ["record", "access"] {
            remove_tree(self.tmp.as_fd(), format!("{file}-{id}"), cancel)?;
        }
        self.discard(self.trash.as_fd(), &name, cancel)?;
        let id = id.to_string();
        if sys::exists(self.container(kind), id.as_str())? {
            sys::rename(self.container(kind), id.as_str(), self.trash.as_fd(), name.as_str())?;
            self.medium.settle(&[self.container(kind), self.trash.as_fd()])?;
        }
        self.discard(self.trash.as_fd(), &name, cancel)
    }

    /// Ids of all complete objects, ordered.
    pub(super) fn ids(&self, kind: Kind) -> FsResult<Vec<Uuid>> {
        let mut ids = Vec::new();
        sys::read_directory(self.container(kind), |name, _| {
            ids.extend(name.to_str().ok().and_then(parse_id));
            Ok(())
        })?;
        ids.sort_unstable();
        Ok(ids)
    }

    pub(super) fn open_object(&self, kind: Kind, id: Uuid) -> FsResult<Option<OwnedFd>> {
        match sys::open_directory(self.container(kind), id.to_string().as_str()) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.errno() == Some(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What is to be made may be there already.
pub(super) fn unless_existing(result: FsResult<()>) -> FsResult<()> {
    match result {
        Err(error) if error.already_exists() => Ok(()),
        other => other,
    }
}

/// Nothing is there, or something else. A stale handle is left out, since it may pass.
fn is_absent(error: &FsError) -> bool {
    matches!(error.errno(), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}

fn damaged(kind: Kind, id: Uuid, part: &str, error: &FsError) -> FsError {
    let object = kind.working_name(id);
    let why = error.errno().map(|number| format!(": {number}")).unwrap_or_default();
    FsError::Damaged { what: format!("{part} of {object} is missing{why}") }
}

/// An id in the one spelling that this driver writes.
pub(super) fn parse_id(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok().filter(|id| id.to_string() == text)
}
