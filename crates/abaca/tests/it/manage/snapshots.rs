//! Snapshots that are asked for, and those that are refused.

use abaca::api::V;
use abaca_model::quota::Resource;
use abaca_model::{
    OperationKind, Share, ShareId, ShareInstance, ShareInstanceId, ShareStatus, SnapshotId,
    SnapshotInstance, SnapshotStatus, Timestamp,
};
use abaca_store::quota::{self, Subject};
use abaca_store::{operations, share_instances, shares, snapshot_instances};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ROOT, server};
use crate::shares::{add, set_status};
use crate::support::{Answer, TestServer, assert_like_sample, sample, seed};

async fn one_share() -> (TestServer, Share, ShareInstance) {
    let server = server().await;
    let (share, place) = seed::share(1, "project");
    add(&server, &[(share.clone(), place.clone())]).await;
    (server, share, place)
}

async fn manage_at(server: &TestServer, version: V, snapshot: Value) -> Answer {
    let request = server.request(Method::POST, "/v2/snapshots/manage").token(ROOT).at(version);
    request.json(&json!({ "snapshot": snapshot })).send().await
}

async fn manage(server: &TestServer, snapshot: Value) -> Answer {
    manage_at(server, V::MAX, snapshot).await
}

fn good(share: ShareId) -> Value {
    let mut body = sample("snapshot-manage-request")["snapshot"].take();
    body["share_id"] = json!(share);
    body
}

async fn instances(server: &TestServer, id: SnapshotId) -> Vec<SnapshotInstance> {
    let mut tx = server.app.db.write().await.unwrap();
    snapshot_instances::of_snapshot_locked(&mut tx, id).await.unwrap()
}

#[tokio::test]
async fn a_snapshot_is_recorded_with_its_location_and_what_will_take_it() {
    let (server, share, place) = one_share().await;
    manage_at(&server, V(2, 11), good(share.id)).await.fault(404, "itemNotFound");
    let body = manage(&server, good(share.id)).await.expect(202);
    assert_like_sample(&body, "snapshot-manage-response", &["metadata"]);
    let id: SnapshotId = body["snapshot"]["id"].as_str().unwrap().parse().unwrap();
    for version in [V(2, 12), V::MAX] {
        let shown = server.get_as(ROOT, version, &format!("/v2/snapshots/{id}")).await.text;
        let mut shown: Value =
            serde_json::from_str(&shown.replace(&id.to_string(), "SNAPSHOT")).unwrap();
        shown["snapshot"]["created_at"] = json!("NOW");
        insta::assert_json_snapshot!(format!("snapshot_{version}"), shown);
    }
    let all = instances(&server, id).await;
    let [instance] = &all[..] else { panic!("{all:?}") };
    assert_eq!((instance.share_instance_id, instance.fence), (place.id, 1));
    let mut tx = server.app.db.read().await.unwrap();
    let operations = operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap();
    let usage = quota::of_snapshots(&mut tx, "admin", Subject::Project).await.unwrap();
    drop(tx);
    let [operation] = &operations[..] else { panic!("{operations:?}") };
    assert_eq!(operation.kind, OperationKind::ManageSnapshot);
    assert_eq!(operation.service.as_deref(), Some("seed@seed"));
    assert_eq!(usage[&Resource::Snapshots].in_use, 0, "it counts when it is taken");
    let message = manage(&server, good(share.id)).await.fault(409, "conflictingRequest");
    assert!(message.contains(&format!("{id} is already managed")), "{message}");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (server, share, _) = one_share().await;
    let table = [
        ("share_id", json!(null), 422, "share_id is empty"),
        ("share_id", json!(5), 422, "share_id must be a string"),
        ("share_id", json!("absent"), 404, "absent"),
        ("share_id", json!(ShareId::random()), 404, "could not be found"),
        ("provider_location", json!(""), 422, "provider_location is empty"),
        ("provider_location", json!({ "a": 1 }), 422, "provider_location must be a string"),
        ("provider_location", json!("x".repeat(1024)), 400, "provider_location"),
        ("name", json!("x".repeat(256)), 400, "name"),
        ("driver_options", json!([]), 400, "driver_options"),
        ("driver_options", json!({ "size": -1 }), 400, "size"),
        ("metadata", json!("x"), 400, "metadata"),
    ];
    for (key, value, status, problem) in table {
        let mut wanted = good(share.id);
        wanted[key] = value.clone();
        let answer = manage(&server, wanted).await;
        assert_eq!(answer.status, status, "{key} {value}: {}", answer.text);
        assert!(answer.text.contains(problem), "{key} {value}: {}", answer.text);
    }
    for body in [json!({}), json!({ "snapshot": [] }), json!({ "snapshot": {} })] {
        assert_eq!(server.post("/v2/snapshots/manage", body).await.status, 422);
    }
    let nothing = server.request(Method::POST, "/v2/snapshots/manage").token(ROOT).send().await;
    nothing.fault(400, "badRequest");
    for status in [ShareStatus::Deleting, ShareStatus::UnmanageStarting, ShareStatus::Creating] {
        set_status(&server, share.id, status).await;
        manage(&server, good(share.id)).await.fault(409, "conflictingRequest");
    }
    set_status(&server, share.id, ShareStatus::Available).await;
    let mut tx = server.app.db.write().await.unwrap();
    let end = Some(Timestamp::now());
    shares::set_deletion(&mut tx, share.id, end, Timestamp::now()).await.unwrap();
    tx.commit().await.unwrap();
    manage(&server, good(share.id)).await.fault(403, "forbidden");
}

#[tokio::test]
async fn a_snapshot_is_given_up_unless_something_works_on_it() {
    let (server, share, place) = one_share().await;
    let (snapshot, instance) = seed::snapshot(2, &place);
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
    let path = format!("/v2/snapshots/{}/action", snapshot.id);
    let unmanage = async |version| {
        let request = server.request(Method::POST, &path).token(ROOT).at(version);
        request.json(&sample("snapshot-actions-unmanage-request")).send().await
    };
    unmanage(V(2, 11)).await.fault(404, "itemNotFound");
    for status in SnapshotStatus::ALL.iter().filter(|status| status.is_passing()) {
        let mut tx = server.app.db.write().await.unwrap();
        let (id, now) = (instance.id, Timestamp::now());
        abaca_store::snapshot_work::set_status(&mut tx, id, 1, *status, now).await.unwrap();
        tx.commit().await.unwrap();
        let message = unmanage(V::MAX).await.fault(403, "forbidden");
        assert!(message.contains(&format!("is in '{status}' state")), "{message}");
    }
    let mut tx = server.app.db.write().await.unwrap();
    let (status, now) = (SnapshotStatus::ManageError, Timestamp::now());
    abaca_store::snapshot_work::set_status(&mut tx, instance.id, 1, status, now).await.unwrap();
    tx.commit().await.unwrap();
    let answer = unmanage(V(2, 12)).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let after = instances(&server, snapshot.id).await;
    assert_eq!((after[0].status, after[0].fence), (SnapshotStatus::UnmanageStarting, 2));
    let mut tx = server.app.db.read().await.unwrap();
    let operations = operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap();
    assert_eq!(operations[0].kind, OperationKind::UnmanageSnapshot);
    drop(tx);

    // Nothing of a share with replicas.
    let mut tx = server.app.db.write().await.unwrap();
    let (share_2, active) = seed::share(3, "project");
    let active = ShareInstance { replica_state: Some("active".to_owned()), ..active };
    let (of_replicas, its) = seed::snapshot(4, &active);
    shares::insert(&mut tx, &share_2).await.unwrap();
    share_instances::insert(&mut tx, &active).await.unwrap();
    let id = ShareInstanceId::random();
    let other = ShareInstance { id, replica_state: Some("in_sync".to_owned()), ..active };
    share_instances::insert(&mut tx, &other).await.unwrap();
    tx.commit().await.unwrap();
    seed::add_snapshot(&server.app.db, &of_replicas, &[its]).await;
    let path = format!("/v2/snapshots/{}/action", of_replicas.id);
    let refused = server.post(&path, json!({ "unmanage": null })).await;
    assert!(refused.fault(409, "conflictingRequest").contains("has replicas"));
    let refused = manage(&server, good(share_2.id)).await;
    assert!(refused.fault(409, "conflictingRequest").contains("has replicas"));
    assert_eq!(share.id, snapshot.share_id);
}
