//! The objects that go into and come out of a driver.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DriverError, DriverResult};

/// A share to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShare {
    /// Id of the share instance; it names the object in the backend.
    pub id: Uuid,
    /// Size limit in GiB.
    pub size_gb: u64,
    /// The share protocol in the API's upper case: `NFS`, `CIFS`, `CEPHFS`, ...
    pub protocol: String,
    /// The pool that the scheduler chose, as named in [`crate::PoolStats::pool_name`].
    pub pool: String,
    /// The last part of the path by which it is mounted, if the tenant chose one: up to 255 ASCII
    /// letters, digits, `_` and `-`.
    pub mount_point_name: Option<String>,
}

impl NewShare {
    /// The name to mount it by, if there is one and it can be part of a path.
    ///
    /// # Errors
    /// [`DriverError::InvalidInput`] when it can't.
    pub(crate) fn checked_mount_point_name(&self) -> DriverResult<Option<&str>> {
        checked_mount_point_name(self.mount_point_name.as_deref())
    }
}

/// As [`NewShare::checked_mount_point_name`], of any name.
pub(crate) fn checked_mount_point_name(name: Option<&str>) -> DriverResult<Option<&str>> {
    let Some(name) = name else { return Ok(None) };
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=255).contains(&name.len()) && name.bytes().all(is_fine) {
        return Ok(Some(name));
    }
    let field = "mount_point_name";
    let problem = "expected 1 to 255 ASCII letters, digits, '_' and '-'".into();
    Err(DriverError::InvalidInput { field, problem })
}

/// A snapshot to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Id of the snapshot instance; it names the object in the backend.
    pub id: Uuid,
    /// Id of the share instance whose bytes are kept.
    pub share_instance_id: Uuid,
}

/// Where a snapshot is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRef {
    /// Id of the snapshot instance.
    pub id: Uuid,
    /// Id of the share instance it was taken of.
    pub share_instance_id: Uuid,
    /// What [`SnapshotObject::provider_location`] said when it was made, if that is known.
    pub provider_location: Option<String>,
}

impl From<NewSnapshot> for SnapshotRef {
    fn from(new: NewSnapshot) -> Self {
        Self { id: new.id, share_instance_id: new.share_instance_id, provider_location: None }
    }
}

impl From<&SnapshotObject> for SnapshotRef {
    fn from(object: &SnapshotObject) -> Self {
        Self {
            id: object.id,
            share_instance_id: object.share_instance_id,
            provider_location: Some(object.provider_location.clone()),
        }
    }
}

/// A share to be reverted to one of its snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevertShare {
    /// The snapshot, and by it the share.
    pub snapshot: SnapshotRef,
    /// Size limit of the share afterwards, in GiB.
    pub size_gb: u64,
    /// Tells one revert of the share from its repetition: higher with each.
    pub generation: u64,
}

/// Where the bytes of a replica come from: the active share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaSource {
    /// Id of its share instance.
    pub id: Uuid,
    /// What [`ShareObject::provider_location`] says of it in its own backend.
    pub provider_location: String,
}

/// A replica to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplica {
    /// The share it becomes.
    pub share: NewShare,
    /// Where its bytes come from.
    pub source: ReplicaSource,
    /// As in [`SyncReplica::generation`].
    pub generation: u64,
}

/// A replica to be brought up to date, or to be promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReplica {
    /// Id of the replica's share instance.
    pub id: Uuid,
    /// Size limit of the replica afterwards, in GiB.
    pub size_gb: u64,
    /// Where its bytes come from.
    pub source: ReplicaSource,
    /// Tells who follows whom: each promotion within a share has a higher one than all calls
    /// before it, and what comes after it a higher one still.
    pub generation: u64,
}

/// How far a replica is after an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaSync {
    /// It has all bytes of its source.
    InSync,
    /// It has some moment's bytes of its source, and a later call is needed.
    OutOfSync,
}

/// What a promotion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// Where the share can be reached now.
    pub exports: Vec<Export>,
    /// It has all bytes of the share that was active before; else those of its last update.
    pub is_current: bool,
}

/// One place where a share can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// What a client mounts. The `directory` driver gives a local path until file servers exist.
    pub path: String,
    /// Shown to administrators only.
    #[serde(default)]
    pub is_admin_only: bool,
    /// Clients should try this one first.
    #[serde(default)]
    pub preferred: bool,
    /// Further metadata of the export location.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Export {
    /// An export that tenants see and should try first, without metadata.
    pub fn preferred(path: impl Into<String>) -> Self {
        Self { path: path.into(), is_admin_only: false, preferred: true, metadata: BTreeMap::new() }
    }
}

/// A share as the backend holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareObject {
    /// Id of the share instance.
    pub id: Uuid,
    /// Size limit in GiB.
    pub size_gb: u64,
    /// The pool that holds it.
    pub pool: String,
    /// Where the backend keeps the bytes, in its own terms (`directory`: an absolute path). A
    /// backend of the same replication domain finds them by it.
    pub provider_location: String,
    /// Where it can be reached.
    pub exports: Vec<Export>,
}

/// A snapshot as the backend holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotObject {
    /// Id of the snapshot instance.
    pub id: Uuid,
    /// Id of the share instance it was taken of.
    pub share_instance_id: Uuid,
    /// Where the backend keeps the bytes, in its own terms (`directory`: an absolute path).
    pub provider_location: String,
    /// Where it can be reached, for shares whose snapshots may be mounted.
    #[serde(default)]
    pub exports: Vec<Export>,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    /// Half-made or half-deleted objects that were removed.
    pub removed: u64,
    /// Leftovers that another running call still holds, so they were kept.
    pub busy: u64,
}
