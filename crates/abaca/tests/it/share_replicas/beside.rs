//! What is asked of replicas while something else is at work on them, or was.

use std::time::Duration;

use abaca_model::{
    Operation, OperationKind, OperationState, ShareInstance, ShareInstanceId, ShareStatus,
    SnapshotInstance, SnapshotStatus, Timestamp,
};
use abaca_store::{audit, operations, replicas, share_instances, snapshot_instances, snapshots};
use axum::http::Method;
use serde_json::json;

use super::requests::{ROOT, act, add_replica, add_share};
use crate::shares::{ALICE, server};
use crate::support::{TestServer, seed};

async fn set(server: &TestServer, id: ShareInstanceId, status: ShareStatus) {
    let mut tx = server.app.db.write().await.unwrap();
    let instance = share_instances::get_locked(&mut tx, id).await.unwrap().unwrap();
    share_instances::take_over(&mut tx, &instance, status, seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
}

async fn operations_of(
    server: &TestServer,
    replica: &ShareInstance,
    kind: OperationKind,
) -> Vec<Operation> {
    let mut tx = server.app.db.read().await.unwrap();
    let all = operations::of_resource(&mut tx, replica.id.uuid()).await.unwrap();
    all.into_iter().filter(|operation| operation.kind == kind).collect()
}

#[tokio::test]
async fn a_replica_is_promoted_when_nothing_works_on_the_active_one() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    for status in ShareStatus::ALL.iter().copied() {
        set(&server, active.id, status).await;
        let answer = act(&server, ROOT, &replica, json!({ "promote": null })).await;
        let expected = if status.is_passing() { 400 } else { 202 };
        assert_eq!(answer.status, expected, "{status}: {}", answer.text);
        set(&server, replica.id, ShareStatus::Available).await;
    }
}

#[tokio::test]
async fn a_replica_is_promoted_when_nothing_works_on_a_snapshot_of_the_active_one() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let (snapshot, copy) = seed::snapshot(5, &active);
    let mut tx = server.app.db.write().await.unwrap();
    snapshots::insert(&mut tx, &snapshot).await.unwrap();
    snapshot_instances::insert(&mut tx, &copy).await.unwrap();
    tx.commit().await.unwrap();
    let change = async |status: SnapshotStatus| {
        let mut tx = server.app.db.write().await.unwrap();
        let copy: SnapshotInstance =
            snapshot_instances::get_locked(&mut tx, copy.id).await.unwrap().unwrap();
        snapshot_instances::take_over(&mut tx, &copy, status, seed::THEN).await.unwrap();
        tx.commit().await.unwrap();
    };
    for (status, of_active, expected) in [
        (SnapshotStatus::Creating, ShareStatus::Available, 400),
        (SnapshotStatus::Restoring, ShareStatus::Available, 400),
        (SnapshotStatus::Creating, ShareStatus::Error, 202),
        (SnapshotStatus::Error, ShareStatus::Available, 202),
        (SnapshotStatus::Available, ShareStatus::Available, 202),
    ] {
        change(status).await;
        set(&server, active.id, of_active).await;
        let answer = act(&server, ROOT, &replica, json!({ "promote": null })).await;
        assert_eq!(answer.status, expected, "{status}, {of_active}: {}", answer.text);
        set(&server, replica.id, ShareStatus::Available).await;
    }
}

#[tokio::test]
async fn a_snapshot_is_taken_of_a_share_that_is_available() {
    use ShareStatus::{Available, Error, Extending, ReplicationChange, Reverting};
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    for (of_active, of_replica, plain, forced) in [
        (Available, Available, 202, 202),
        (Available, Error, 202, 202),
        (Available, ReplicationChange, 400, 400),
        (Error, ReplicationChange, 400, 400),
        (Extending, Available, 400, 202),
        (Reverting, Available, 400, 202),
        (Error, Available, 400, 202),
    ] {
        set(&server, active.id, of_active).await;
        set(&server, replica.id, of_replica).await;
        for (force, expected) in [(false, plain), (true, forced)] {
            let body = json!({ "snapshot": { "share_id": active.share_id, "force": force } });
            let request = server.request(Method::POST, "/v2/snapshots").token(ALICE);
            let status = request.json(&body).send().await.status;
            assert_eq!(status, expected, "{of_active}, {of_replica}, force {force}");
        }
    }
}

#[tokio::test]
async fn a_resync_is_not_left_to_an_update_of_before() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let kind = OperationKind::UpdateReplica;
    let resync = async || act(&server, ROOT, &replica, json!({ "resync": null })).await.expect(202);
    resync().await;
    resync().await;
    assert_eq!(operations_of(&server, &replica, kind).await.len(), 1, "one does for both");

    // What is queued will find that the replica is no longer its own.
    let reset = json!({ "reset_status": { "status": "error" } });
    act(&server, ROOT, &replica, reset).await.expect(202);
    resync().await;
    resync().await;
    let all = operations_of(&server, &replica, kind).await;
    let mut fences: Vec<_> = all.iter().map(|one| one.resource_fence).collect();
    fences.sort_unstable();
    assert_eq!(fences, [1, 2]);

    // What runs may have copied already.
    let services = [Some("seed@other")];
    for _ in 0..2 {
        let mut tx = server.app.db.write().await.unwrap();
        let (now, lease) = (Timestamp::now(), Duration::from_secs(60));
        let claimed = operations::claim(&mut tx, "w/1", &services, now, lease).await.unwrap();
        assert_eq!(claimed.unwrap().kind, kind);
        tx.commit().await.unwrap();
    }
    resync().await;
    let all = operations_of(&server, &replica, kind).await;
    let queued: Vec<_> = all.iter().filter(|one| one.state == OperationState::Queued).collect();
    assert_eq!((all.len(), queued.len(), queued[0].resource_fence), (3, 1, 2));
}

#[tokio::test]
async fn the_only_active_replica_is_not_deleted_as_an_instance_either() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let alone = add_share(&server, 2).await;
    for (instance, expected) in [(&active, 409), (&replica, 202), (&alone, 202)] {
        let path = format!("/v2/share_instances/{}/action", instance.id);
        let answer = server.post(&path, json!({ "force_delete": null })).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
}

/// The last record of a resource: what was done to it, and from what to what it changed.
async fn on_record(server: &TestServer, id: &str) -> Option<[String; 3]> {
    let mut tx = server.app.db.read().await.unwrap();
    let record = audit::of_resource(&mut tx, id).await.unwrap().pop()?;
    Some([record.action, record.status_from, record.status_to])
}

#[tokio::test]
async fn what_administrators_set_by_hand_is_on_record() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let (snapshot, _) = seed::snapshot(5, &active);
    let (_, copy) = seed::snapshot(5, &replica);
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&copy)).await;
    let (replica_id, copy_id) = (replica.id.to_string(), copy.id.to_string());
    let reset = json!({ "reset_replica_state": { "replica_state": "out_of_sync" } });
    act(&server, ROOT, &replica, reset).await.expect(202);
    let state = ["reset_replica_state", "in_sync", "out_of_sync"].map(str::to_owned);
    assert_eq!(on_record(&server, &replica_id).await, Some(state));
    assert_eq!(on_record(&server, &copy_id).await, None);
    act(&server, ROOT, &replica, json!({ "force_delete": null })).await.expect(202);
    let deleted = ["force_delete", "available", "deleting"].map(str::to_owned);
    for id in [replica_id, copy_id] {
        assert_eq!(on_record(&server, &id).await.as_ref(), Some(&deleted));
    }
}

#[tokio::test]
async fn a_replica_that_is_said_to_be_active_is_written_to() {
    let server = server().await;
    let former = add_share(&server, 1).await;
    let replica = add_replica(&server, &former, "in_sync").await;
    let mut tx = server.app.db.write().await.unwrap();
    let set = replicas::set_state(&mut tx, former.id, former.fence, "error", seed::THEN).await;
    assert!(set.unwrap());
    tx.commit().await.unwrap();
    let active = json!({ "reset_replica_state": { "replica_state": "active" } });
    act(&server, ROOT, &replica, active).await.expect(202);
    let path = format!("/v2/share-replicas/{}", replica.id);
    let shown = server.get(&path).await.expect(200)["share_replica"].clone();
    assert_eq!(
        (&shown["replica_state"], &shown["cast_rules_to_readonly"]),
        (&json!("active"), &json!(false))
    );
    let kind = OperationKind::UpdateAccessRules;
    assert_eq!(operations_of(&server, &replica, kind).await.len(), 1);
}
