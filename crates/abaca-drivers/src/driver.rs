//! What every backend can do.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    AccessList, AccessTarget, CopyProgress, DriverError, DriverResult, Export, ManageShare,
    ManageSnapshot, Migrated, Migration, MigrationAbilities, MigrationSource, NewReplica, NewShare,
    NewSnapshot, PoolStats, Promoted, ReplicaSync, RevertShare, RuleOutcomes, ShareObject,
    ShareTree, SnapshotObject, SnapshotRef, SweepReport, SyncReplica, TreeState,
};

/// A storage backend.
///
/// Rules that the conformance suite holds every driver to:
/// - Objects are named by the id of their share instance or snapshot instance, nothing else.
/// - A mutation may be repeated at any time, also by another process after this one was killed in
///   the middle: creating what is complete returns it, deleting what is missing succeeds, a
///   half-made object is completed or made anew and never seen by the ground-truth queries.
/// - When a mutation returns `Ok`, its effect survives power loss.
/// - A dropped future may still take effect a little later (its blocking part can't be recalled).
/// - A snapshot needs its share only while it is taken: it outlives the share.
#[async_trait]
pub trait Driver: Send + Sync + 'static {
    /// The name that the config chooses this driver by, such as `directory`.
    fn name(&self) -> &'static str;

    /// What the backend's pools can do and hold now. Also the health check: an error means that
    /// the backend can't be used at the moment.
    async fn stats(&self) -> DriverResult<Vec<PoolStats>>;

    /// Makes an empty share. If it exists already, returns its exports.
    async fn create_share(&self, share: &NewShare) -> DriverResult<Vec<Export>>;

    /// Makes a share that holds the bytes of `snapshot`. If it exists already, returns its exports.
    /// `NotFound` when the snapshot is missing.
    async fn create_share_from_snapshot(
        &self,
        share: &NewShare,
        snapshot: &SnapshotRef,
    ) -> DriverResult<Vec<Export>>;

    /// Removes the share and its bytes, but none of its snapshots.
    async fn delete_share(&self, id: Uuid) -> DriverResult<()>;

    /// Raises the size limit of a share to `new_size_gb` GiB. `InvalidInput` if that is smaller
    /// than the present limit.
    async fn extend_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()>;

    /// Lowers the size limit of a share to `new_size_gb` GiB. `ShrinkBelowData` if it holds more
    /// than that, `InvalidInput` if the new limit is larger than the present one.
    async fn shrink_share(&self, id: Uuid, new_size_gb: u64) -> DriverResult<()>;

    /// Gives a share the bytes of one of its snapshots, and with them a size limit. At every moment
    /// the share is whole: as it was before, or as the snapshot; its exports stay, and so do all
    /// its snapshots. Happens once: a call with the generation of the last one does nothing.
    /// `NotFound` when either is missing, `InvalidInput` when the snapshot is another share's or a
    /// later generation was there before.
    async fn revert_to_snapshot(&self, revert: &RevertShare) -> DriverResult<()>;

    /// Looks whether the share is in order and repairs what of its exports is not; returns them.
    /// `NotFound` when the share is missing, `Damaged` when parts of it are that can't be repaired.
    async fn ensure_share(&self, id: Uuid) -> DriverResult<Vec<Export>>;

    /// Keeps the present bytes of a share, read-only. If the snapshot exists already, it is
    /// returned as it is. `NotFound` when the share is missing, `InvalidInput` when the id is taken
    /// by a snapshot of another share.
    async fn create_snapshot(&self, snapshot: &NewSnapshot) -> DriverResult<SnapshotObject>;

    /// Removes a snapshot and its bytes. A snapshot of that id but of another share is none of it.
    async fn delete_snapshot(&self, snapshot: &SnapshotRef) -> DriverResult<()>;

    /// The complete share of that share instance, if the backend holds it.
    async fn get_share(&self, id: Uuid) -> DriverResult<Option<ShareObject>>;

    /// The complete snapshot of that snapshot instance, if the backend holds it.
    async fn get_snapshot(
        &self,
        id: Uuid,
        share_instance_id: Uuid,
    ) -> DriverResult<Option<SnapshotObject>>;

    /// All complete shares, ordered by id.
    async fn list_shares(&self) -> DriverResult<Vec<ShareObject>>;

    /// All complete snapshots, ordered by share instance id, then id.
    async fn list_snapshots(&self) -> DriverResult<Vec<SnapshotObject>>;

    /// Makes `access` the rules of a share or snapshot: whoever a rule names is let in, everybody else
    /// kept out. All of it is in force when the call returns, and outlives a restart; the list goes
    /// with its object. A rule that this backend can't do is refused alone and is not part of what
    /// [`Driver::get_access`] tells; the rest is applied.
    ///
    /// `NotFound` when the object is missing. `InvalidInput` when the object has a list of a later
    /// generation: then nothing changes, so that a call that was overtaken can't undo what came
    /// after it.
    async fn apply_access(
        &self,
        target: AccessTarget,
        access: &AccessList,
    ) -> DriverResult<RuleOutcomes>;

    /// The rules in force, ordered by id, if the backend holds the object.
    async fn get_access(&self, target: AccessTarget) -> DriverResult<Option<AccessList>>;

    /// Makes a share that is a replica of another, which this or another backend of the same
    /// replication domain holds, with its bytes of some moment of the call. If it exists already,
    /// returns its exports. `NotFound` when the source is missing.
    ///
    /// Only backends with a [`PoolStats::replication_type`] have replicas; they implement this and
    /// the three calls below. A replica is deleted by [`Driver::delete_share`], and its snapshots
    /// by [`Driver::delete_snapshot`].
    async fn create_replica(&self, _replica: &NewReplica) -> DriverResult<Vec<Export>> {
        Err(no_replicas())
    }

    /// Gives a replica the bytes that its source has at some moment of the call, and the size limit
    /// the call names. At every moment it is whole: as it was, or as the source; its exports,
    /// rules and snapshots stay. From then on it follows this generation.
    ///
    /// A share that was the active one becomes a replica by a call of a later generation than that
    /// of its promotion. `InvalidInput`, and nothing changes, by an earlier or the same one: so a
    /// call that was overtaken by a promotion can't undo what tenants wrote since. `NotFound` when
    /// replica or source is missing, with the id of what is.
    async fn update_replica(&self, _replica: &SyncReplica) -> DriverResult<ReplicaSync> {
        Err(no_replicas())
    }

    /// Makes a replica the active share, after a last update from the source. It keeps what it has
    /// when the source is provably not there: neither the object nor the backend that held it. With
    /// `may_be_stale` also when the last update fails otherwise; without, that is the call's error,
    /// and the replica stays as it was.
    ///
    /// Happens once: a call with the generation of the last one only answers what that did.
    /// `InvalidInput` when the replica follows a later generation, `NotFound` when it is missing.
    async fn promote_replica(
        &self,
        _replica: &SyncReplica,
        _may_be_stale: bool,
    ) -> DriverResult<Promoted> {
        Err(no_replicas())
    }

    /// Brings a snapshot of the source over: it becomes a snapshot of the replica with the bytes of
    /// `source`, which this or another backend of the domain holds. If it exists already, it is
    /// returned as it is. `NotFound` when the source is missing, `InvalidInput` when the id is
    /// taken by a snapshot of another share.
    async fn create_replica_snapshot(
        &self,
        _snapshot: &NewSnapshot,
        _source: &SnapshotRef,
    ) -> DriverResult<SnapshotObject> {
        Err(no_replicas())
    }

    /// Where a share is, for another backend of the family that takes it over. `NotFound` when it is
    /// missing, `Unsupported` when there is no such family.
    async fn migration_source(&self, _id: Uuid) -> DriverResult<MigrationSource> {
        Err(no_migration())
    }

    /// How this backend could take a share over from there; `None`: it can't.
    async fn migration_check(
        &self,
        _source: &MigrationSource,
    ) -> DriverResult<Option<MigrationAbilities>> {
        Ok(None)
    }

    /// Takes a share and snapshots over: when it returns, all bytes are here and were compared. Each
    /// appears when it is whole, and is not touched any more by a repeated call: it may be in use
    /// then. Goes on from what an earlier call left unfinished, and does nothing to the source but
    /// keep it from being removed or reverted meanwhile. What it made, finished or not, is removed
    /// by [`Driver::delete_snapshot`] and [`Driver::delete_share`]. Runs for as long as it takes, in
    /// none of the slots of other calls; dropped, it stops soon.
    async fn migrate(
        &self,
        _migration: &Migration,
        _progress: &Arc<CopyProgress>,
    ) -> DriverResult<Migrated> {
        Err(no_migration())
    }

    /// The directory of this machine that holds the bytes of a share, for [`Driver::fill_share`].
    /// `NotFound` when the share is missing, `Unsupported` when its bytes are in no directory.
    async fn share_tree(&self, _id: Uuid) -> DriverResult<ShareTree> {
        Err(DriverError::Unsupported { what: "reaching the bytes of shares as files".to_owned() })
    }

    /// What is in a tree that [`Driver::fill_share`] could be given. Whatever is written after the
    /// call can be seen by another one.
    async fn tree_state(&self, _tree: &ShareTree) -> DriverResult<TreeState> {
        Err(DriverError::Unsupported { what: "reaching the bytes of shares as files".to_owned() })
    }

    /// Takes a share into use that the backend holds and the service does not know: one that was
    /// given up by [`Driver::unmanage_share`], or one that was put where this driver looks for
    /// such. Its bytes stay as they are; from now on it is named by its new id and nobody is let
    /// in. If it is in use already by that id, it is returned as it is.
    ///
    /// `InvalidInput` when there can be nothing of the service's to take at that path, when it is
    /// in use, or when its size is not allowed; `NotFound` when nothing is there. Then it stays as
    /// it was. `InvalidInput` too when a later call gave this share up.
    async fn manage_share(&self, _share: &ManageShare) -> DriverResult<ShareObject> {
        Err(no_manage())
    }

    /// Leaves a share to itself: bytes, exports and access stay as they are, and the service has it
    /// no more. No call by its id finds or deletes it from then on, but for
    /// [`Driver::manage_share`]. Succeeds when there is no such share. `InvalidInput` when a later
    /// call took it into use.
    async fn unmanage_share(&self, _id: Uuid, _generation: u64) -> DriverResult<()> {
        Err(no_manage())
    }

    /// As [`Driver::manage_share`], of a snapshot that was given up, of the same share.
    async fn manage_snapshot(&self, _snapshot: &ManageSnapshot) -> DriverResult<SnapshotObject> {
        Err(no_manage())
    }

    /// As [`Driver::unmanage_share`]. A snapshot of that id but of another share is none of it.
    async fn unmanage_snapshot(
        &self,
        _snapshot: &SnapshotRef,
        _generation: u64,
    ) -> DriverResult<()> {
        Err(no_manage())
    }

    /// Makes a share of the bytes that a backend of any kind keeps in a directory of this machine:
    /// bytes, holes, owners, modes, times, attributes, links. As [`Driver::migrate`] in everything
    /// else. `Unsupported` when the bytes of shares can't be written as files here.
    async fn fill_share(
        &self,
        _share: &NewShare,
        _from: &ShareTree,
        _progress: &Arc<CopyProgress>,
    ) -> DriverResult<Vec<Export>> {
        Err(DriverError::Unsupported { what: "filling shares from files".to_owned() })
    }

    /// Removes what crashed calls left half made or half deleted, and nothing that a running call
    /// still works on, or that belongs to the instances `to_resume`: a repeated call goes on from
    /// there. The reconcilers call it on a timer.
    async fn sweep(&self, to_resume: &BTreeSet<Uuid>) -> DriverResult<SweepReport>;
}

fn no_migration() -> DriverError {
    DriverError::Unsupported { what: "moving shares to other backends".to_owned() }
}

fn no_manage() -> DriverError {
    let what = "taking shares into use that it holds already, or giving them up";
    DriverError::Unsupported { what: what.to_owned() }
}

fn no_replicas() -> DriverError {
    DriverError::Unsupported { what: "replicas".to_owned() }
}
