//! What is asked of replicas while something else is at work on them, or was.

use abaca_model::{ShareInstanceId, ShareStatus, SnapshotInstance, SnapshotStatus};
use abaca_store::{share_instances, snapshot_instances, snapshots};
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
