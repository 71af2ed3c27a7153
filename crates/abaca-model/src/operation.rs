//! The operation queue's row: what is to be done, how far it is, who is doing it.

use uuid::Uuid;

use crate::word::words;
use crate::{OperationId, Timestamp};

words! {
    /// What an operation does, and to what kind of resource.
    OperationKind ("operation") {
        /// Creates a share instance in a backend, empty or from a snapshot.
        CreateShare => "create_share",
        /// Deletes a share instance; the share goes with its last instance.
        DeleteShare => "delete_share",
        /// Grows a share.
        ExtendShare => "extend_share",
        /// Shrinks a share.
        ShrinkShare => "shrink_share",
        /// Creates a snapshot instance in a backend.
        CreateSnapshot => "create_snapshot",
        /// Deletes a snapshot instance; the snapshot goes with its last instance.
        DeleteSnapshot => "delete_snapshot",
        /// Gives a share the bytes of its latest snapshot.
        RevertShare => "revert_share",
        /// Looks whether a share is in its backend, and exports it again.
        EnsureShare => "ensure_share",
        /// Creates a replica of a share.
        CreateReplica => "create_replica",
        /// Deletes a replica and its instances of snapshots.
        DeleteReplica => "delete_replica",
        /// Makes a replica the active one.
        PromoteReplica => "promote_replica",
        /// Brings a replica up to date with the active one.
        UpdateReplica => "update_replica",
        /// Takes a share into use that its backend holds already.
        ManageShare => "manage_share",
        /// Forgets a share, whose bytes stay where they are.
        UnmanageShare => "unmanage_share",
        /// Takes a snapshot into use that its backend holds already.
        ManageSnapshot => "manage_snapshot",
        /// Forgets a snapshot, whose bytes stay where they are.
        UnmanageSnapshot => "unmanage_snapshot",
        /// Moves a share to another pool.
        MigrateShare => "migrate_share",
        /// Makes a backend agree with the access rules of a share instance.
        UpdateAccessRules => "update_access_rules",
        /// Makes a backend agree with the access rules of a snapshot instance.
        UpdateSnapshotAccessRules => "update_snapshot_access_rules",
    }

    /// How far an operation is.
    OperationState ("state of an operation") {
        /// Waits for a runner, at the earliest at its `run_at`.
        Queued => "queued",
        /// A runner holds its lease.
        Running => "running",
        /// Done.
        Succeeded => "succeeded",
        /// Ended with the resource in its error status.
        Failed => "failed",
        /// Its resource was taken over, by an administrator's reset or a later operation.
        Superseded => "superseded",
    }
}

/// A row of the operation queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// The share instance or snapshot instance it works on, by kind.
    pub resource_id: Uuid,
    /// The fence of that resource when the operation was made: it may write to the resource only
    /// while that fence stands. Of a synchronisation of access rules: the generation of the rules
    /// that it was first asked for.
    pub resource_fence: i64,
    /// `host@backend` of the worker that must run it; `None`: any worker.
    pub service: Option<String>,
    /// How far it is.
    pub state: OperationState,
    /// The next step to run, counted from zero.
    pub step: i64,
    /// What it was told, and what its steps remember, as a JSON object.
    pub arguments: String,
    /// Attempts of the present step that failed for a passing reason.
    pub attempts: i64,
    /// Not to be claimed before.
    pub run_at: Timestamp,
    /// The runner that holds the lease.
    pub lease_owner: Option<String>,
    /// When the lease ends unless it is renewed.
    pub lease_expires_at: Option<Timestamp>,
    /// Raised by every claim; a runner writes only while its number stands.
    pub fence: i64,
    /// The project of the request that asked for it.
    pub project_id: String,
    /// The user of that request.
    pub user_id: String,
    /// The id of that request.
    pub request_id: String,
    /// Why it failed, or why it is being retried.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
