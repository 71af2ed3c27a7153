//! What is asked for, and what is refused.

use std::time::Duration;

use abaca::api::V;
use abaca_model::quota::Resource;
use abaca_model::{
    OperationKind, ShareId, ShareInstance, ShareInstanceId, ShareStatus, TaskState, Timestamp,
};
use abaca_store::quota::{self, Subject};
use abaca_store::{operations, share_instances, shares};
use axum::http::Method;
use serde_json::{Value, json};

use super::{POOL, ROOT, beat, server};
use crate::shares::{
    ALICE, act, act_at, add, add_type, created, instance_of, operations_of, set_status, settle,
};
use crate::support::{Answer, TestServer, assert_like_sample, sample, seed};

async fn manage_at(server: &TestServer, version: V, share: &Value) -> Answer {
    let path = if version < V(2, 7) { "/v2/os-share-manage" } else { "/v2/shares/manage" };
    let request = server.request(Method::POST, path).token(ROOT).at(version);
    request.json(&json!({ "share": share })).send().await
}

async fn manage(server: &TestServer, share: &Value) -> Answer {
    manage_at(server, V::MAX, share).await
}

fn good(export_path: &str) -> Value {
    json!({
        "export_path": export_path, "service_host": POOL, "protocol": "nfs",
        "share_type": "default", "name": "found", "description": "in the attic",
        "driver_options": { "size": "5", "colour": "blue" },
    })
}

fn with(mut share: Value, key: &str, value: Value) -> Value {
    share[key] = value;
    share
}

fn id(answer: &Value) -> ShareId {
    answer["share"]["id"].as_str().unwrap().parse().unwrap()
}

async fn used(server: &TestServer) -> (i64, i64) {
    let mut tx = server.app.db.read().await.unwrap();
    let usage = quota::of_shares(&mut tx, "admin", Subject::Project).await.unwrap();
    (usage[&Resource::Shares].in_use, usage[&Resource::Gigabytes].in_use)
}

#[tokio::test]
async fn a_share_is_recorded_with_its_path_and_what_will_take_it() {
    let server = server().await;
    let body = manage(&server, &good("/old/share")).await.expect(200);
    let mut like_sample = body.clone();
    let shown = like_sample["share"].as_object_mut().unwrap();
    shown.remove("snapshot_inherit_share_access_support");
    assert_like_sample(&like_sample, "share-manage-response", &[]);
    let (id, instance) = (id(&body), instance_of(&server, id(&body)).await);
    for version in [V(2, 5), V::MAX] {
        let shown = server.get_as(ROOT, version, &format!("/v2/shares/{id}")).await.text;
        let mut shown: Value =
            serde_json::from_str(&shown.replace(&id.to_string(), "SHARE")).unwrap();
        shown["share"]["created_at"] = json!("NOW");
        insta::assert_json_snapshot!(format!("share_{version}"), shown);
    }
    assert_eq!(instance.status, ShareStatus::ManageStarting);
    assert_eq!(instance.host.as_deref(), Some(POOL));
    let operations = operations_of(&server, id).await;
    let [operation] = &operations[..] else { panic!("{operations:?}") };
    assert_eq!((operation.kind, operation.resource_fence), (OperationKind::ManageShare, 1));
    let told: Value = serde_json::from_str(&operation.arguments).unwrap();
    let all = json!({"export_path": "/old/share", "size_gb": 5, "allowed_gb": [0, u64::MAX]});
    assert_eq!(told, all);
    assert_eq!(used(&server).await, (0, 0), "it counts when it is taken");
    let path = format!("/v2/shares/{id}/export_locations");
    let exports = server.get(&path).await.expect(200);
    assert_eq!(exports["export_locations"][0]["path"], "/old/share");

    // Twice is once too often, in the same pool.
    let message = manage(&server, &good("/old/share")).await.fault(409, "conflictingRequest");
    assert!(message.contains("already exists"), "{message}");
    manage(&server, &with(good("/old/share"), "service_host", json!("h@b#other")))
        .await
        .expect(200);
    // What does not get into use neither counts nor is deleted.
    set_status(&server, id, ShareStatus::ManageError).await;
    assert_eq!(used(&server).await, (0, 0));
    server.delete(&format!("/v2/shares/{id}")).await.fault(403, "forbidden");
}

#[tokio::test]
async fn what_a_version_lacks_is_ignored() {
    let server = server().await;
    let named = [("driver_handles_share_servers", "False"), ("mount_point_name_support", "True")];
    add_type(&server, 9, "named", &named).await;
    let asked = |key: &str, value: Value| {
        with(with(good(&format!("/{key}")), "share_type", json!("named")), key, value)
    };
    let public = asked("is_public", json!(true));
    let old = manage_at(&server, V(2, 7), &public).await.expect(200);
    assert_eq!(old["share"]["is_public"], false);
    let nonsense = asked("is_public", json!("maybe"));
    manage_at(&server, V(2, 8), &nonsense).await.fault(400, "badRequest");
    let public = with(public, "export_path", json!({ "path": "/in an object" }));
    assert_eq!(manage_at(&server, V(2, 8), &public).await.expect(200)["share"]["is_public"], true);

    let with_server = asked("share_server_id", json!("x"));
    manage_at(&server, V(2, 49), &with_server).await.fault(400, "badRequest");
    manage_at(&server, V(2, 48), &with_server).await.expect(200);
    let named = asked("mount_point_name", json!("attic"));
    let ignored = manage_at(&server, V(2, 91), &named).await.expect(200);
    let kept = async |answer: &Value| {
        let mut tx = server.app.db.read().await.unwrap();
        shares::get(&mut tx, id(answer)).await.unwrap().unwrap().mount_point_name
    };
    assert_eq!(kept(&ignored).await, None);
    let named = with(named, "export_path", json!("/named"));
    let answer = manage_at(&server, V(2, 92), &named).await.expect(200);
    assert!(kept(&answer).await.unwrap().ends_with("attic"));

    let body = json!({ "share": good("/x") });
    for (path, version) in [("/v2/shares/manage", V(2, 6)), ("/v2/os-share-manage", V(2, 7))] {
        let request = server.request(Method::POST, path).token(ROOT).at(version);
        request.json(&body).send().await.fault(404, "itemNotFound");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = server().await;
    add_type(&server, 9, "served", &[("driver_handles_share_servers", "True")]).await;
    let long = "x".repeat(1024);
    let table = [
        ("export_path", json!(null), 422, "export_path is empty"),
        ("export_path", json!(""), 422, "export_path is empty"),
        ("export_path", json!({}), 422, "export_path is empty"),
        ("export_path", json!({ "a": "b" }), 422, "Export path must be"),
        ("export_path", json!(5), 422, "Export path must be"),
        ("export_path", json!(long), 400, "export_path can only be 1023"),
        ("service_host", json!(""), 422, "service_host is empty"),
        ("service_host", json!(5), 400, "service_host"),
        ("service_host", json!("h@b"), 400, "should contain pool"),
        ("service_host", json!("h@b#"), 400, "should contain pool"),
        ("service_host", json!("#"), 400, "should contain pool"),
        ("service_host", json!("h@other#pool"), 404, "h@other"),
        ("service_host", json!(format!("{POOL}{long}")), 400, "service_host can only be 255"),
        ("protocol", json!("ß".repeat(200)), 400, "protocol can only be 255"),
        ("protocol", json!(""), 422, "protocol is empty"),
        ("protocol", json!(["NFS"]), 400, "protocol"),
        ("share_type", json!("absent"), 404, "Share type not found"),
        ("share_type", json!(5), 400, "share_type"),
        ("share_type", json!("served"), 400, "Share Server ID"),
        ("name", json!(long), 400, "name"),
        ("description", json!(5), 400, "description"),
        ("driver_options", json!("x"), 400, "driver_options"),
        ("driver_options", json!({ "size": 0 }), 400, "size"),
        ("driver_options", json!({ "size": "x" }), 400, "size"),
        ("is_public", json!(null), 400, "is_public"),
    ];
    for (key, value, status, problem) in table {
        let answer = manage(&server, &with(good("/x"), key, value.clone())).await;
        assert_eq!(answer.status, status, "{key} {value}: {}", answer.text);
        assert!(answer.text.contains(problem), "{key} {value}: {}", answer.text);
    }
    for key in ["export_path", "service_host", "protocol"] {
        let mut share = good("/x");
        share.as_object_mut().unwrap().remove(key);
        let answer = manage(&server, &share).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.contains(&format!("{key} not found")), "{}", answer.text);
    }
    for body in [json!({}), json!({ "share": null }), json!({ "share": {} }), json!([])] {
        let answer = server.post("/v2/shares/manage", body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
    let nothing = server.request(Method::POST, "/v2/shares/manage").token(ROOT).send().await;
    nothing.fault(400, "badRequest");
    beat(&server, Timestamp::from_micros(Timestamp::now().micros() - 3_600_000_000)).await;
    let answer = manage(&server, &good("/x")).await.fault(400, "badRequest");
    assert!(answer.contains("is down"), "{answer}");
    assert!(server.get("/v2/shares").await.expect(200)["shares"].as_array().unwrap().is_empty());
}

/// A share of Alice's that could be given up.
async fn settled(server: &TestServer) -> ShareId {
    let id = created(server, ALICE).await;
    settle(server, id).await;
    id
}

fn unmanage() -> Value {
    sample("share-actions-unmanage-request")
}

#[tokio::test]
async fn giving_a_share_up_takes_it_over_for_its_operation() {
    let server = server().await;
    let id = settled(&server).await;
    act_at(&server, V(2, 6), ROOT, id, unmanage()).await.fault(404, "itemNotFound");
    let answer = act(&server, ROOT, id, unmanage()).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let instance = instance_of(&server, id).await;
    assert_eq!((instance.status, instance.fence), (ShareStatus::UnmanageStarting, 2));
    let operations = operations_of(&server, id).await;
    let operation = operations.last().unwrap();
    assert_eq!((operation.kind, operation.resource_fence), (OperationKind::UnmanageShare, 2));
    assert_eq!(operation.service.as_deref(), Some("h@b"));
    act(&server, ROOT, id, unmanage()).await.fault(403, "forbidden");

    let old = settled(&server).await;
    let path = format!("/v2/os-share-unmanage/{old}/unmanage");
    let request = |version| server.request(Method::POST, &path).token(ROOT).at(version);
    request(V(2, 7)).send().await.fault(404, "itemNotFound");
    assert_eq!(request(V(2, 0)).send().await.status, 202);
    assert_eq!(instance_of(&server, old).await.status, ShareStatus::UnmanageStarting);
    // What was not taken into use can be forgotten as well.
    let failed = manage(&server, &good("/nowhere")).await.expect(200);
    let failed = self::id(&failed);
    set_status(&server, failed, ShareStatus::ManageError).await;
    assert_eq!(act(&server, ROOT, failed, unmanage()).await.status, 202);
}

#[tokio::test]
async fn what_can_not_be_given_up_stays() {
    let server = server().await;
    let id = settled(&server).await;
    let refused = async |id, status, problem: &str| {
        let answer = act(&server, ROOT, id, unmanage()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(problem), "{}", answer.text);
    };
    for status in ShareStatus::ALL.iter().filter(|status| status.is_passing()) {
        set_status(&server, id, *status).await;
        refused(id, 403, &format!("is in '{status}' state")).await;
    }
    set_status(&server, id, ShareStatus::Available).await;

    let mut tx = server.app.db.write().await.unwrap();
    let task = Some(TaskState::MigrationInProgress);
    shares::set_task_state(&mut tx, id, task, Timestamp::now()).await.unwrap();
    tx.commit().await.unwrap();
    refused(id, 400, "active task").await;
    let mut tx = server.app.db.write().await.unwrap();
    shares::set_task_state(&mut tx, id, None, Timestamp::now()).await.unwrap();
    tx.commit().await.unwrap();

    let lock = json!({ "resource_lock": { "resource_id": id } });
    let lock = server.post("/v2/resource-locks", lock).await.expect(200);
    refused(id, 403, "prevent delete action").await;
    let lock = lock["resource_lock"]["id"].as_str().unwrap().to_owned();
    server.delete(&format!("/v2/resource-locks/{lock}")).await.expect(204);

    let place = instance_of(&server, id).await;
    let (snapshot, instance) = seed::snapshot(2, &place);
    seed::add_snapshot(&server.app.db, &snapshot, &[instance]).await;
    refused(id, 403, "'1' dependent snapshot(s)").await;

    let (share, active) = seed::share(3, "project");
    let active = ShareInstance { replica_state: Some("active".to_owned()), ..active };
    let other = ShareInstance {
        id: ShareInstanceId::random(),
        replica_state: Some("in_sync".to_owned()),
        ..active.clone()
    };
    add(&server, &[(share.clone(), active)]).await;
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &other).await.unwrap();
    let end = Timestamp::now().after(Duration::from_secs(600));
    tx.commit().await.unwrap();
    refused(share.id, 409, "has replicas").await;

    let binned = settled(&server).await;
    let mut tx = server.app.db.write().await.unwrap();
    shares::set_deletion(&mut tx, binned, Some(end), Timestamp::now()).await.unwrap();
    tx.commit().await.unwrap();
    refused(binned, 403, "soft deleted").await;
    refused(ShareId::random(), 404, "").await;
    let mut tx = server.app.db.read().await.unwrap();
    let begun = operations::of_resource(&mut tx, place.id.uuid()).await.unwrap();
    assert!(begun.iter().all(|one| one.kind != OperationKind::UnmanageShare), "{begun:?}");
}
