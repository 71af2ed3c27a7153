//! Rows that snapshots stand on, made without the store's own functions for them.

use abaca_model::{
    ShareId, ShareInstanceId, ShareTypeId, Snapshot, SnapshotId, SnapshotInstance,
    SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use abaca_store::{Tx, snapshot_instances, snapshots};
use sea_query::Query;

/// A share and its first instance.
#[derive(Clone, Copy)]
pub(crate) struct SeededShare {
    pub(crate) id: ShareId,
    pub(crate) instance_id: ShareInstanceId,
}

/// A share of 1 GiB with one instance on `host`.
pub(crate) async fn share(tx: &mut Tx, project: &str, host: &str) -> SeededShare {
    let (type_id, id) = (ShareTypeId::random(), ShareId::random());
    let share_type = Query::insert()
        .into_table("share_types")
        .columns(["id", "name", "is_public", "created_at"])
        .values_panic([
            type_id.to_string().into(),
            type_id.to_string().into(),
            1_i64.into(),
            0_i64.into(),
        ])
        .to_owned();
    tx.execute(&share_type).await.unwrap();
    let share = Query::insert()
        .into_table("shares")
        .columns([
            "id",
            "project_id",
            "user_id",
            "size",
            "share_proto",
            "is_public",
            "share_type_id",
            "snapshot_support",
            "create_share_from_snapshot_support",
            "revert_to_snapshot_support",
            "mount_snapshot_support",
            "created_at",
        ])
        .values_panic([
            id.to_string().into(),
            project.into(),
            "user".into(),
            1_i64.into(),
            "NFS".into(),
            0_i64.into(),
            type_id.to_string().into(),
            1_i64.into(),
            1_i64.into(),
            1_i64.into(),
            1_i64.into(),
            0_i64.into(),
        ])
        .to_owned();
    tx.execute(&share).await.unwrap();
    SeededShare { id, instance_id: share_instance(tx, id, host, None).await }
}

/// One more place of a share.
pub(crate) async fn share_instance(
    tx: &mut Tx,
    share_id: ShareId,
    host: &str,
    replica_state: Option<&str>,
) -> ShareInstanceId {
    let id = ShareInstanceId::random();
    let instance = Query::insert()
        .into_table("share_instances")
        .columns([
            "id",
            "share_id",
            "host",
            "status",
            "access_rules_status",
            "replica_state",
            "cast_rules_to_readonly",
            "fence",
            "created_at",
        ])
        .values_panic([
            id.to_string().into(),
            share_id.to_string().into(),
            host.into(),
            "available".into(),
            "active".into(),
            replica_state.map(str::to_owned).into(),
            0_i64.into(),
            0_i64.into(),
            0_i64.into(),
        ])
        .to_owned();
    tx.execute(&instance).await.unwrap();
    id
}

/// A snapshot of a share, as it is when it is asked for.
pub(crate) fn snapshot(share: SeededShare, project: &str, name: &str, created_at: i64) -> Snapshot {
    Snapshot {
        id: SnapshotId::random(),
        share_id: share.id,
        project_id: project.to_owned(),
        user_id: "user".to_owned(),
        name: Some(name.to_owned()),
        description: None,
        size: 1,
        share_size: 1,
        share_proto: "NFS".to_owned(),
        metadata: std::collections::BTreeMap::new(),
        created_at: Timestamp::from_micros(created_at),
        updated_at: None,
    }
}

/// An instance of a snapshot, as it is when it is asked for.
pub(crate) fn instance(
    snapshot: &Snapshot,
    share_instance_id: ShareInstanceId,
    status: SnapshotStatus,
) -> SnapshotInstance {
    SnapshotInstance {
        id: SnapshotInstanceId::random(),
        snapshot_id: snapshot.id,
        share_id: snapshot.share_id,
        share_instance_id,
        status,
        progress: Some("0%".to_owned()),
        provider_location: None,
        fence: 0,
        created_at: snapshot.created_at,
        updated_at: None,
    }
}

/// Adds a snapshot with one instance.
pub(crate) async fn insert(
    tx: &mut Tx,
    snapshot: &Snapshot,
    share: SeededShare,
    status: SnapshotStatus,
) -> SnapshotInstance {
    let instance = instance(snapshot, share.instance_id, status);
    snapshots::insert(tx, snapshot).await.unwrap();
    snapshot_instances::insert(tx, &instance).await.unwrap();
    instance
}
