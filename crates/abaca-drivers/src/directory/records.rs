//! What is kept beside the bytes of shares and snapshots, and how both are found. Blocking; the caller
//! holds the locks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsError, FsResult};
use super::medium::DATA;
use super::root::{Root, read_small_file, to_json, write_file};
use super::sys;
use super::tree::remove::remove_tree;
use crate::ReplicaSource;
use crate::manage::Custody;

pub(super) const RECORD: &str = "record.json";
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
