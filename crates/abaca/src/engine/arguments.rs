//! What a request tells the operation it asks for: the JSON of `operations.arguments`.

use abaca_model::{ShareCapabilities, ShareId, ShareInstanceId, SnapshotInstanceId};
use serde::{Deserialize, Serialize};

/// Of [`abaca_model::OperationKind::CreateShare`] and `CreateReplica`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateShare {
    /// The snapshot instance whose bytes the share starts with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SnapshotInstanceId>,
    /// Where it is wished to be.
    #[serde(flatten)]
    pub hints: Hints,
}

/// Of [`abaca_model::OperationKind::CreateSnapshot`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSnapshot {
    /// Its bytes come from the instance in the active replica.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows: bool,
}

/// Of [`abaca_model::OperationKind::UpdateReplica`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateReplica {
    /// An administrator asked for it: what failed, or is lost, is made anew as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repairs: bool,
}

/// Of [`abaca_model::OperationKind::PromoteReplica`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoteReplica {
    /// How long the writers of the active replica are waited for, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiesce_wait_time: Option<u64>,
    /// Since the active replica's writers are being kept out. Set by the operation itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiescing: Option<Quiescing>,
}

/// That no client is to write to a replica any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiescing {
    /// The active replica.
    pub active: ShareInstanceId,
    /// Until when that is waited for, in microseconds since 1970.
    pub until: i64,
}

/// Where a share is wished to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// In a pool that holds each of these shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_host: Vec<ShareId>,
    /// In a pool that holds none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub different_host: Vec<ShareId>,
    /// In this pool, `host@backend#pool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_host: Option<String>,
    /// In any zone, whatever its type says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_zone: bool,
}

/// Of [`abaca_model::OperationKind::ExtendShare`] and `ShrinkShare`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizeShare {
    /// The size asked for, in GiB.
    pub new_size: i64,
    /// The scheduler is not asked whether there is room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// Of [`abaca_model::OperationKind::DeleteShare`] and `DeleteSnapshot`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// The rows go even if the backend fails; the reconcilers see to what is left there.
    #[serde(default)]
    pub force: bool,
    /// The tenant has it no more, and the backend is asked until it has deleted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deferred: bool,
    /// The share lives elsewhere by now: of this instance the snapshots go first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_snapshots: bool,
}

/// Of [`abaca_model::OperationKind::MigrateShare`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrateShare {
    /// Where the share goes: `host@backend#pool`.
    pub host: String,
    /// The drivers are not asked whether they can do it.
    #[serde(default)]
    pub force_host_assisted: bool,
    /// Clients must be able to write meanwhile.
    #[serde(default)]
    pub writable: bool,
    /// Clients must keep their mounts.
    #[serde(default)]
    pub nondisruptive: bool,
    /// Whatever belongs to a file must come along.
    #[serde(default)]
    pub preserve_metadata: bool,
    /// Snapshots must come along.
    #[serde(default)]
    pub preserve_snapshots: bool,
    /// What the type it changes to promises; `None`: it keeps its own.
    #[serde(default)]
    pub promised: Option<ShareCapabilities>,
}

impl MigrateShare {
    /// Whether something is asked for that is the drivers' to promise, never the data mover's.
    #[must_use]
    pub fn wants_more_than_bytes(&self) -> bool {
        self.writable || self.nondisruptive || self.preserve_metadata || self.preserve_snapshots
    }
}

/// Of [`abaca_model::OperationKind::ManageShare`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManageShare {
    /// Where the backend shall find it.
    pub export_path: String,
    /// The size it shall have, in GiB, if that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<u64>,
    /// The least and the most that its type takes, in GiB.
    pub allowed_gb: (u64, u64),
}

/// Of [`abaca_model::OperationKind::RevertShare`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertShare {
    /// The snapshot instance whose bytes the share gets.
    pub snapshot_instance: SnapshotInstanceId,
    /// Its fence while it is `restoring`.
    pub snapshot_fence: i64,
    /// Its share's size afterwards, in GiB.
    pub size: i64,
    /// By which the backend knows whether this revert has happened: higher than that of any before.
    /// Not the fence, which is lower again in a restored backup of the database.
    #[serde(default)]
    pub generation: u64,
}

/// The JSON object for `operations.arguments`.
#[must_use]
pub fn to_json(arguments: &impl Serialize) -> String {
    // Plain structs of numbers, flags and ids can't fail to serialise.
    serde_json::to_string(arguments).unwrap_or_else(|_| "{}".to_owned())
}
