//! One record per resource, as the database keeps it and the views show it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AccessLevel, AccessRuleId, AccessRulesStatus, AccessState, AccessType, AvailabilityZoneId,
    ExportLocationId, ShareGroupTypeId, ShareId, ShareInstanceId, ShareStatus, ShareTypeId,
    SnapshotId, SnapshotInstanceId, SnapshotStatus, TaskState, Timestamp,
};

/// What a share's type promised when the share was made; kept with the share, since a type may
/// change afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCapabilities {
    /// Snapshots may be taken.
    pub snapshot_support: bool,
    /// Shares may be created from its snapshots.
    pub create_share_from_snapshot_support: bool,
    /// The share may be reverted to its latest snapshot.
    pub revert_to_snapshot_support: bool,
    /// Its snapshots may be mounted.
    pub mount_snapshot_support: bool,
    /// `readable`, `writable` or `dr`; `None` for a share without replicas.
    pub replication_type: Option<String>,
}

/// A share as its tenant sees it. Its status and host are those of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// The project that owns it.
    pub project_id: String,
    /// The user who made it.
    pub user_id: String,
    /// The tenant's name for it; need not be unique.
    pub name: Option<String>,
    /// The tenant's description.
    pub description: Option<String>,
    /// Size in GiB.
    pub size: i64,
    /// `NFS`, `CIFS`, ...
    pub share_proto: String,
    /// Visible to every project.
    pub is_public: bool,
    /// Its type.
    pub share_type_id: ShareTypeId,
    /// The snapshot it was created from. That snapshot may be gone by now.
    pub source_snapshot_id: Option<SnapshotId>,
    /// What its type promised.
    pub capabilities: ShareCapabilities,
    /// The tenant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// The last part of the path it is mounted by, if the tenant chose one. Unique.
    pub mount_point_name: Option<String>,
    /// Where a migration of it stands.
    pub task_state: Option<TaskState>,
    /// When it will be deleted; `None`: it is not in the recycle bin.
    pub scheduled_to_be_deleted_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

impl Share {
    /// Whether it is in the recycle bin.
    #[must_use]
    pub fn is_soft_deleted(&self) -> bool {
        self.scheduled_to_be_deleted_at.is_some()
    }
}

/// One place a share lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareInstance {
    /// Its id, which names the object in the backend.
    pub id: ShareInstanceId,
    /// The share it is a place of.
    pub share_id: ShareId,
    /// `host@backend#pool`; `None` until it is scheduled.
    pub host: Option<String>,
    /// The zone of its host, or the one asked for while it is not scheduled.
    pub availability_zone: Option<String>,
    /// Its status.
    pub status: ShareStatus,
    /// The state of its access rules.
    pub access_rules_status: AccessRulesStatus,
    /// `active`, `in_sync`, `out_of_sync` or `error`; `None` for a share without replicas.
    pub replica_state: Option<String>,
    /// `0%` to `100%`; `None` when nothing is known.
    pub progress: Option<String>,
    /// Its access rules are all read-only for the moment.
    pub cast_rules_to_readonly: bool,
    /// Raised by whoever takes the instance over: an operation's result counts only while it is
    /// the fence the operation was made with.
    pub fence: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// When a host was chosen.
    pub scheduled_at: Option<Timestamp>,
    /// When it first became available.
    pub launched_at: Option<Timestamp>,
}

/// A snapshot as its tenant sees it. Its status is the aggregate of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The share it is of.
    pub share_id: ShareId,
    /// The project that owns it.
    pub project_id: String,
    /// The user who made it.
    pub user_id: String,
    /// The tenant's name for it.
    pub name: Option<String>,
    /// The tenant's description.
    pub description: Option<String>,
    /// Size in GiB, as quota counts it.
    pub size: i64,
    /// Size in GiB of the share when the snapshot was taken.
    pub share_size: i64,
    /// Protocol of the share.
    pub share_proto: String,
    /// The tenant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// A snapshot in one place its share lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInstance {
    /// Its id, which names the object in the backend.
    pub id: SnapshotInstanceId,
    /// The snapshot it is a place of.
    pub snapshot_id: SnapshotId,
    /// The share of that snapshot.
    pub share_id: ShareId,
    /// The share instance it was taken of.
    pub share_instance_id: ShareInstanceId,
    /// Its status.
    pub status: SnapshotStatus,
    /// `0%` to `100%`; `None` when nothing is known.
    pub progress: Option<String>,
    /// Where the backend keeps the bytes; `None` until they are there.
    pub provider_location: Option<String>,
    /// As [`ShareInstance::fence`].
    pub fence: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// A path under which a share instance or a snapshot instance can be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportLocation {
    /// Its id.
    pub id: ExportLocationId,
    /// The share instance it leads to, or that of the snapshot instance it leads to.
    pub share_instance_id: ShareInstanceId,
    /// What a client mounts.
    pub path: String,
    /// Shown to administrators only.
    pub is_admin_only: bool,
    /// Its metadata. Whether it is the one to take where there are several is the pair `preferred`.
    pub metadata: BTreeMap<String, String>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// Who may mount a share or a snapshot, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRule {
    /// Its id.
    pub id: AccessRuleId,
    /// The share or snapshot it opens.
    pub resource_id: Uuid,
    /// What kind of name `access_to` is.
    pub access_type: AccessType,
    /// Whom it lets in.
    pub access_to: String,
    /// What they may do. Snapshots can only be read, whatever it says.
    pub access_level: AccessLevel,
    /// The secret a client needs, where the backend made one.
    pub access_key: Option<String>,
    /// How far it is in the place where it is least far.
    pub state: AccessState,
    /// The tenant's metadata; rules of snapshots have none.
    pub metadata: BTreeMap<String, String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its level or key last changed.
    pub updated_at: Option<Timestamp>,
}

/// What kinds of shares there are to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareType {
    /// Its id.
    pub id: ShareTypeId,
    /// Its name, unique.
    pub name: String,
    /// The administrator's description.
    pub description: Option<String>,
    /// Usable by every project; otherwise only by those it was granted to.
    pub is_public: bool,
    /// What a backend must offer, required and optional specs alike.
    pub extra_specs: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// What kinds of groups of shares there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareGroupType {
    /// Its id.
    pub id: ShareGroupTypeId,
    /// Its name, unique.
    pub name: String,
    /// Usable by every project; otherwise only by those it was granted to.
    pub is_public: bool,
    /// What a backend must offer to groups.
    pub group_specs: BTreeMap<String, String>,
    /// The types that shares of such a group may be of.
    pub share_types: BTreeSet<ShareTypeId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A zone that backends are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailabilityZone {
    /// Its id.
    pub id: AvailabilityZoneId,
    /// Its name, unique.
    pub name: String,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// A process that serves a backend or schedules, as its heartbeat shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its number.
    pub id: i64,
    /// `host@backend`, or `host` for a scheduler.
    pub host: String,
    /// `manila-share` or `manila-scheduler`, the names clients filter by.
    pub binary: String,
    /// The zone of its backend.
    pub availability_zone: String,
    /// An administrator took it out of scheduling.
    pub disabled: bool,
    /// The administrator's words on that.
    pub disabled_reason: Option<String>,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// Its last heartbeat.
    pub heartbeat_at: Timestamp,
}
