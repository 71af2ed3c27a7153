//! Shares that start with the bytes of a snapshot.

use abaca::api::V;
use abaca_model::{
    OperationKind, Share, ShareInstance, Snapshot, SnapshotInstance, SnapshotStatus,
};
use abaca_store::snapshot_instances;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, BOB, add, add_type, create, instance_of, operations_of, server};
use crate::support::{TestServer, seed};

struct Scene {
    server: TestServer,
    snapshot: Snapshot,
    instance: SnapshotInstance,
}

/// A snapshot of 2 GiB of a share in the zone `nova`, both Alice's.
async fn scene(change: impl FnOnce(&mut Share, &mut ShareInstance)) -> Scene {
    let server = server().await;
    let (mut share, mut place) = seed::share(1, "project");
    change(&mut share, &mut place);
    add(&server, &[(share, place.clone())]).await;
    let (mut snapshot, instance) = seed::snapshot(2, &place);
    snapshot.size = 2;
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
    Scene { server, snapshot, instance }
}

impl Scene {
    async fn create(&self, token: &str, given: Value) -> crate::support::Answer {
        let mut share = json!({ "share_proto": "NFS", "snapshot_id": self.snapshot.id });
        share.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        create(&self.server, token, share).await
    }
}

#[tokio::test]
async fn the_snapshot_gives_size_type_zone_and_bytes() {
    let scene = scene(|_, _| ()).await;
    let share = scene.create(ALICE, json!({})).await.expect(200)["share"].take();
    assert_eq!(share["snapshot_id"], json!(scene.snapshot.id));
    assert_eq!((&share["size"], &share["availability_zone"]), (&json!(2), &json!("nova")));
    assert_eq!(share["share_type_name"], "default");
    let id = share["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(instance_of(&scene.server, id).await.host, None, "the scheduler finds the place");
    let operations = operations_of(&scene.server, id).await;
    assert_eq!(operations[0].kind, OperationKind::CreateShare);
    let arguments: Value = serde_json::from_str(&operations[0].arguments).unwrap();
    assert_eq!(arguments, json!({ "source": scene.instance.id }));
    let larger = json!({ "size": 5, "share_type": "default", "availability_zone": "nova" });
    scene.create(ALICE, larger).await.expect(200);
    let path = format!("/v2/shares?snapshot_id={}", scene.snapshot.id);
    let list = scene.server.get_as(ALICE, V::MAX, &path).await.expect(200);
    assert_eq!(list["shares"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_does_not_fit_the_snapshot_is_refused() {
    let scene = scene(|_, _| ()).await;
    add_type(&scene.server, 5, "other", &[]).await;
    let network = seed::uuid(404);
    let table = [
        (json!({ "size": 1 }), "must be equal or greater than snapshot size"),
        (json!({ "share_type": "other" }), "Invalid share type specified"),
        (json!({ "availability_zone": "far" }), "must be the same as the parent share"),
        (json!({ "share_network_id": network }), "should be the same as snapshot's parent"),
    ];
    for (given, problem) in table {
        let message = scene.create(ALICE, given.clone()).await.fault(400, "badRequest");
        assert!(message.contains(problem), "{given}: {message}");
    }
    let message = scene.create(BOB, json!({})).await.fault(404, "itemNotFound");
    let id = scene.snapshot.id;
    assert_eq!(message, format!("ShareSnapshotNotFound: Snapshot {id} could not be found."));
}

#[tokio::test]
async fn the_snapshot_must_be_available() {
    let scene = scene(|_, _| ()).await;
    let mut tx = scene.server.app.db.write().await.unwrap();
    let status = SnapshotStatus::Error;
    snapshot_instances::take_over(&mut tx, &scene.instance, status, seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
    let message = scene.create(ALICE, json!({})).await.fault(400, "badRequest");
    assert_eq!(message, "Invalid share snapshot: status must be 'available'.");
}

#[tokio::test]
async fn the_parent_must_have_the_capability_since_2_24() {
    let scene = scene(|share, _| {
        share.capabilities.create_share_from_snapshot_support = false;
    })
    .await;
    let message = scene.create(ALICE, json!({})).await.fault(400, "badRequest");
    assert!(message.contains("does not have that capability"), "{message}");
    let body = json!({ "share": { "share_proto": "NFS", "snapshot_id": scene.snapshot.id } });
    let request = scene.server.request(Method::POST, "/v2/shares").token(ALICE);
    request.at(V(2, 23)).json(&body).send().await.expect(200);
}
