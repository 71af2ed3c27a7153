//! What is asked of replicas: bodies, versions, refusals, quota.

use abaca::api::V;
use abaca_model::quota::{Limit, Resource};
use abaca_model::{
    OperationKind, Share, ShareInstance, ShareInstanceId, ShareStatus, SnapshotInstance,
    SnapshotInstanceId,
};
use abaca_store::{operations, share_instances};
use axum::http::Method;
use serde_json::{Value, json};

use crate::shares::{ALICE, BOB, add, prepared, server};
use crate::support::{Answer, TestServer, assert_like_sample, seed};

pub(super) const ROOT: &str = "root:admin:admin";

/// A replicated share of `project`, with its active replica.
pub(super) async fn add_share(server: &TestServer, number: u128) -> ShareInstance {
    let (mut share, mut active) = seed::share(number, "project");
    share.capabilities.replication_type = Some("readable".to_owned());
    active.replica_state = Some("active".to_owned());
    add(server, &[(share, active.clone())]).await;
    active
}

/// A replica beside the active one.
pub(super) async fn add_replica(
    server: &TestServer,
    active: &ShareInstance,
    state: &str,
) -> ShareInstance {
    let replica = ShareInstance {
        id: ShareInstanceId::from(seed::uuid(active.id.uuid().as_u128() % 1_000_000 + 7)),
        host: Some("seed@other#pool".to_owned()),
        replica_state: Some(state.to_owned()),
        cast_rules_to_readonly: true,
        ..active.clone()
    };
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &replica).await.unwrap();
    tx.commit().await.unwrap();
    replica
}

async fn post(server: &TestServer, token: &str, version: V, body: Value) -> Answer {
    let request = server.request(Method::POST, "/v2/share-replicas").token(token).at(version);
    let request = request.header("x-openstack-manila-api-experimental", "true");
    request.json(&json!({ "share_replica": body })).send().await
}

pub(super) async fn act(
    server: &TestServer,
    token: &str,
    replica: &ShareInstance,
    body: Value,
) -> Answer {
    let path = format!("/v2/share-replicas/{}/action", replica.id);
    server.request(Method::POST, &path).token(token).json(&body).send().await
}

fn keys(replica: &Value) -> Vec<&str> {
    replica["share_replica"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_replica_is_asked_for_and_shown_as_each_version_does() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let share = active.share_id;
    let body = json!({ "share_id": share, "metadata": { "a": "b" } });
    let made = post(&server, ALICE, V::MAX, body.clone()).await.expect(202);
    let replica = &made["share_replica"];
    assert_eq!(
        (&replica["status"], &replica["replica_state"], &replica["metadata"]),
        (&json!("creating"), &json!("out_of_sync"), &json!({ "a": "b" }))
    );
    let id = replica["id"].as_str().unwrap();
    let mut tx = server.app.db.read().await.unwrap();
    let asked = operations::of_resource(&mut tx, id.parse().unwrap()).await.unwrap();
    assert_eq!(asked[0].kind, OperationKind::CreateReplica);
    let row = share_instances::get(&mut tx, id.parse().unwrap()).await.unwrap().unwrap();
    assert!(row.cast_rules_to_readonly, "of a readable share");
    drop(tx);
    let plain = [
        "availability_zone",
        "created_at",
        "id",
        "replica_state",
        "share_id",
        "share_network_id",
        "status",
        "updated_at",
    ];
    for (version, token, more) in [
        (V(2, 11), ALICE, vec![]),
        (V(2, 11), ROOT, vec!["host", "share_server_id"]),
        (V(2, 30), ROOT, vec!["cast_rules_to_readonly", "host", "share_server_id"]),
        (V(2, 94), ROOT, vec!["cast_rules_to_readonly", "host", "share_server_id"]),
        (V(2, 95), ALICE, vec!["metadata"]),
    ] {
        let request = server.request(Method::GET, &format!("/v2/share-replicas/{id}"));
        let request = request.header("x-openstack-manila-api-experimental", "true");
        let shown = request.token(token).at(version).send().await.expect(200);
        let mut expected: Vec<&str> = plain.iter().copied().chain(more).collect();
        expected.sort_unstable();
        let mut found = keys(&shown);
        found.sort_unstable();
        assert_eq!(found, expected, "{version} {token}");
    }
    let shown = server.get(&format!("/v2/share-replicas/detail?share_id={share}")).await;
    assert_eq!(shown.expect(200)["share_replicas"][1]["metadata"], json!({ "a": "b" }));
    for (version, status) in [(V(2, 10), 404), (V(2, 55), 404), (V(2, 56), 200)] {
        let path = format!("/v2/share-replicas/{id}");
        assert_eq!(server.get_as(ALICE, version, &path).await.status, status, "{version}");
    }
    let by_root = made_by_root(&server).await;
    assert_eq!(by_root["share_replica"]["host"], "", "none yet");
    assert_like_sample(&by_root, "share-replica-create-response", &["metadata"]);
    let list = server.get("/v2/share-replicas/detail").await.expect(200);
    assert_like_sample(&list, "share-replicas-list-detail-response", &["metadata"]);
    let list = server.get("/v2/share-replicas").await.expect(200);
    assert_like_sample(&list, "share-replicas-list-response", &[]);
    let shown = server.get(&format!("/v2/share-replicas/{id}")).await.expect(200);
    assert_like_sample(&shown, "share-replicas-show-response", &["metadata"]);
    server
        .get_as(BOB, V::MAX, &format!("/v2/share-replicas/{id}"))
        .await
        .fault(404, "itemNotFound");
}

async fn made_by_root(server: &TestServer) -> Value {
    let active = add_share(server, 9).await;
    let body = json!({ "share_replica": { "share_id": active.share_id } });
    server.post("/v2/share-replicas", body).await.expect(202)
}

#[tokio::test]
async fn metadata_of_a_replica_is_its_own() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let path = format!("/v2/share-replicas/{}/metadata", replica.id);
    let pairs = json!({ "metadata": { "project": "x", "aim": "doc" } });
    let set = server.post(&path, pairs.clone()).await.expect(200);
    assert_like_sample(&set, "share-replica-set-metadata-response", &["metadata"]);
    assert_eq!(server.get(&path).await.expect(200), pairs);
    let shown = server.get(&format!("{path}/aim")).await.expect(200);
    assert_eq!(shown, json!({ "meta": { "aim": "doc" } }));
    server.delete(&format!("{path}/aim")).await.expect(200);
    let other = format!("/v2/share-replicas/{}/metadata", active.id);
    assert_eq!(server.get(&other).await.expect(200), json!({ "metadata": {} }));
    server.get_as(ALICE, V(2, 94), &path).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn what_can_not_be_is_refused() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let (plain, instance) = seed::share(2, "project");
    let (binned, place) = seed::share(3, "project");
    let binned = Share { scheduled_to_be_deleted_at: Some(seed::THEN), ..binned };
    add(&server, &[(plain.clone(), instance), (binned.clone(), place)]).await;
    let share = active.share_id;
    for (body, status) in [
        (json!({}), 400),
        (json!({ "share_id": 7 }), 400),
        (json!({ "share_id": "nil" }), 404),
        (json!({ "share_id": "a\0b" }), 400),
        (json!({ "share_id": plain.id }), 400),
        (json!({ "share_id": binned.id }), 403),
        (json!({ "share_id": share, "availability_zone": "nowhere" }), 400),
        (json!({ "share_id": share, "share_network_id": "x" }), 400),
        (json!({ "share_id": share, "scheduler_hints": { "same_host": "x" } }), 400),
        (json!({ "share_id": share, "scheduler_hints": [] }), 400),
        (json!({ "share_id": share, "scheduler_hints": { "only_host": "x".repeat(256) } }), 400),
        (json!({ "share_id": share, "metadata": { "": "x" } }), 400),
    ] {
        let answer = post(&server, ALICE, V::MAX, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let strange = server.post("/v2/share-replicas", json!({ "share_replica": 1 })).await;
    assert_eq!(strange.status, 422);
    let nothing = server.request(Method::POST, "/v2/share-replicas").token(ROOT).send().await;
    nothing.fault(400, "badRequest");
    assert_eq!(post(&server, BOB, V::MAX, json!({ "share_id": share })).await.status, 404);

    // One that is the only active one stays so.
    for (body, status) in [
        (json!({ "promote": null }), 200),
        (json!({ "resync": null }), 200),
        (json!({ "force_delete": null }), 400),
        (json!({ "reset_replica_state": { "replica_state": "error" } }), 400),
        (json!({ "reset_replica_state": { "replica_state": "odd" } }), 400),
        (json!({ "reset_replica_state": {} }), 400),
        (json!({ "reset_status": { "status": 5 } }), 400),
    ] {
        let answer = act(&server, ROOT, &active, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let stale = add_replica(&server, &active, "out_of_sync").await;
    let promote = json!({ "promote": null });
    act(&server, ALICE, &stale, promote.clone()).await.fault(403, "forbidden");
    for odd in [json!(0), json!(-1), json!("x"), json!([]), json!(1.5)] {
        let body = json!({ "promote": { "quiesce_wait_time": odd } });
        act(&server, ROOT, &stale, body).await.fault(400, "badRequest");
    }
    let second = json!({ "reset_replica_state": { "replica_state": "active" } });
    act(&server, ROOT, &stale, second).await.fault(400, "badRequest");
    let shown = act(&server, ROOT, &stale, promote.clone()).await.expect(202);
    assert_eq!(shown["share_replica"]["status"], "replication_change");
    act(&server, ROOT, &stale, promote).await.fault(400, "badRequest");
    let share = server.get(&format!("/v2/shares/{share}")).await.expect(200);
    assert_eq!(share["share"]["status"], "replication_change");
}

#[tokio::test]
async fn an_active_replica_that_does_not_work_gets_no_followers() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    crate::shares::set_status(&server, active.share_id, ShareStatus::Error).await;
    let body = json!({ "share_id": active.share_id });
    post(&server, ALICE, V::MAX, body).await.fault(400, "badRequest");
}

#[tokio::test]
async fn replicas_count_against_quota() {
    let few = [
        (Resource::ShareReplicas, Limit::AtMost(3)),
        (Resource::ReplicaGigabytes, Limit::AtMost(3)),
    ];
    let server = prepared(TestServer::with_quota(&few).await).await;
    let active = add_share(&server, 1).await;
    let body = json!({ "share_id": active.share_id });
    post(&server, ALICE, V::MAX, body.clone()).await.expect(202);
    // Of 1 GiB each: two replicas that grow by one are two more.
    let extend = json!({ "extend": { "new_size": 2 } });
    let path = format!("/v2/shares/{}/action", active.share_id);
    assert_eq!(server.post(&path, extend).await.status, 413);
    post(&server, ALICE, V::MAX, body.clone()).await.expect(202);
    post(&server, ALICE, V::MAX, body).await.fault(413, "overLimit");
    let used = server.get("/v2/quota-sets/project/detail").await.expect(200);
    assert_eq!(used["quota_set"]["share_replicas"]["in_use"], 3);
    assert_eq!(used["quota_set"]["replica_gigabytes"]["in_use"], 3);
}

#[tokio::test]
async fn what_replicas_grow_by_counts_against_quota_at_once() {
    let few = [(Resource::ReplicaGigabytes, Limit::AtMost(10))];
    let server = prepared(TestServer::with_quota(&few).await).await;
    let extend = json!({ "extend": { "new_size": 4 } });
    for (number, status) in [(1, 202), (2, 413)] {
        let active = add_share(&server, number).await;
        add_replica(&server, &active, "in_sync").await;
        let path = format!("/v2/shares/{}/action", active.share_id);
        assert_eq!(server.post(&path, extend.clone()).await.status, status);
    }
    let used = server.get("/v2/quota-sets/project/detail").await.expect(200);
    let used = &used["quota_set"]["replica_gigabytes"];
    assert_eq!((&used["in_use"], &used["reserved"]), (&json!(4), &json!(6)));
}

#[tokio::test]
async fn a_replica_that_is_deleted_takes_no_snapshot_from_the_tenant() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let (snapshot, copy) = seed::snapshot(2, &active);
    let other = SnapshotInstance {
        id: SnapshotInstanceId::from(seed::uuid(77)),
        share_instance_id: replica.id,
        ..copy.clone()
    };
    seed::add_snapshot(&server.app.db, &snapshot, &[copy, other]).await;
    server.delete(&format!("/v2/share-replicas/{}", replica.id)).await.expect(202);
    let shown = server.get(&format!("/v2/snapshots/{}", snapshot.id)).await.expect(200);
    assert_eq!(shown["snapshot"]["status"], "available");
    let path = format!("/v2/snapshot-instances?snapshot_id={}", snapshot.id);
    let copies = server.get(&path).await.expect(200);
    let deleting = |copy: &&Value| copy["status"] == "deleting";
    assert_eq!(copies["snapshot_instances"].as_array().unwrap().iter().filter(deleting).count(), 1);
}

#[tokio::test]
async fn export_locations_tell_of_their_replica() {
    let server = server().await;
    let active = add_share(&server, 1).await;
    let replica = add_replica(&server, &active, "in_sync").await;
    let exports = [abaca_store::export_work::NewExportLocation {
        path: "/there".to_owned(),
        is_admin_only: false,
        preferred: true,
        metadata: std::collections::BTreeMap::from([("k".to_owned(), "v".to_owned())]),
    }];
    let mut tx = server.app.db.write().await.unwrap();
    let now = abaca_model::Timestamp::now();
    abaca_store::share_work::record_exports(&mut tx, replica.id, &exports, now).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/v2/share-replicas/{}/export-locations", replica.id);
    let list = server.get_as(ALICE, V(2, 56), &path).await.expect(200);
    let shown = &list["export_locations"][0];
    let id = shown["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "path": "/there", "preferred": true,
        "replica_state": "in_sync", "availability_zone": "nova",
    });
    assert_eq!(*shown, expected);
    let one = server.get_as(ROOT, V(2, 87), &format!("{path}/{id}")).await.expect(200);
    assert_eq!(one["export_location"]["metadata"], json!({ "k": "v" }));
    assert_eq!(one["export_location"]["share_instance_id"], json!(replica.id));
    server.get_as(ALICE, V(2, 46), &path).await.fault(404, "itemNotFound");
    let other = format!("/v2/share-replicas/{}/export-locations/{id}", active.id);
    server.get(&other).await.fault(404, "itemNotFound");
    let of_share = format!("/v2/shares/{}/export_locations/{id}", active.share_id);
    server.get(&of_share).await.fault(404, "itemNotFound");
}
