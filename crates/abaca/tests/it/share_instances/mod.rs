//! Share instances.

use abaca::api::V;
use abaca::policy::Policy;
use abaca_model::{OperationKind, ShareId, ShareInstance, ShareInstanceId, ShareStatus};
use abaca_store::{audit, share_instances};
use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::shares::{
    ALICE, BOB, add, created, instance_of, operations_of, prepared, server, settle,
};
use crate::support::{Answer, TestServer, assert_like_sample, sample, seed};

const ROOT: &str = "root:admin:admin";

async fn one() -> (TestServer, ShareId, ShareInstance) {
    let server = server().await;
    let (share, instance) = seed::share(1, "project");
    add(&server, &[(share.clone(), instance.clone())]).await;
    (server, share.id, instance)
}

#[tokio::test]
async fn an_instance_is_shown_as_each_version_has_it() {
    let (server, share, instance) = one().await;
    let mut changes = Map::new();
    let mut before = Map::new();
    for minor in 0..=V::MAX.1 {
        let path = format!("/v2/share_instances/{}", instance.id);
        let answer = server.get_as(ROOT, V(2, minor), &path).await;
        if minor < 3 {
            answer.fault(404, "itemNotFound");
            continue;
        }
        let show = answer.expect(200);
        let list = server.get_as(ROOT, V(2, minor), "/v2/share_instances").await.expect(200);
        assert_eq!(list, json!({ "share_instances": [show["share_instance"]] }));
        let of_share = format!("/v2/shares/{share}/instances");
        assert_eq!(server.get_as(ROOT, V(2, minor), &of_share).await.expect(200), list);
        let now = show["share_instance"].as_object().unwrap().clone();
        let mut change: Map<String, Value> = now
            .iter()
            .filter(|(key, value)| before.get(*key) != Some(*value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for key in before.keys().filter(|key| !now.contains_key(*key)) {
            change.insert(format!("{key} is gone"), Value::Null);
        }
        if !change.is_empty() {
            changes.insert(format!("2.{minor:02}"), Value::Object(change));
        }
        before = now;
    }
    insta::assert_json_snapshot!("show", changes);
}

#[tokio::test]
async fn bodies_have_the_keys_and_types_of_the_samples() {
    let (server, _, instance) = one().await;
    let list = server.get("/v2/share_instances").await.expect(200);
    assert_like_sample(&list, "share-instances-list-response", &[]);
    let mut show = server.get(&format!("/v2/share_instances/{}", instance.id)).await.expect(200);
    // The sample is of a version before the type was shown.
    assert!(
        sample("share-show-instance-response")["share_instance"].get("share_type_id").is_none()
    );
    show["share_instance"].as_object_mut().unwrap().remove("share_type_id");
    assert_like_sample(&show, "share-show-instance-response", &[]);
}

#[tokio::test]
async fn old_versions_show_export_locations() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let instance = instance_of(&server, id).await;
    let path = format!("/exports/{}", instance.id);
    let show = format!("/v2/share_instances/{}", instance.id);
    let shown = server.get_as(ROOT, V(2, 8), &show).await.expect(200)["share_instance"].take();
    assert_eq!(
        (&shown["export_location"], &shown["export_locations"]),
        (&json!(path), &json!([path]))
    );
    let list = server.get_as(ROOT, V(2, 8), "/v2/share_instances").await.expect(200);
    assert_eq!(list["share_instances"], json!([shown]));
}

#[tokio::test]
async fn lists_are_filtered() {
    let server = server().await;
    let (share, first) = seed::share(1, "project");
    let (other, mut second) = seed::share(2, "other");
    second.host = Some("b@b#pool".to_owned());
    second.status = ShareStatus::Error;
    add(&server, &[(share, first.clone()), (other, second.clone())]).await;
    let found = async |minor: u32, query: &str| {
        let list = server.get_as(ROOT, V(2, minor), &format!("/v2/share_instances?{query}")).await;
        let list = list.expect(200);
        let all = list["share_instances"].as_array().unwrap();
        all.iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let both = [first.id.to_string(), second.id.to_string()];
    assert_eq!(found(99, "limit=x&metadata=x&nope=1&share_id=x").await, both);
    for query in ["host=b@b", "host=b@b%23pool", "status=error"] {
        assert_eq!(found(99, query).await, [second.id.to_string()], "{query}");
        assert_eq!(found(34, query).await, both, "{query}");
    }
    for query in ["host=b", "share_server_id=x", "is_soft_deleted=true", "export_location_path=/x"]
    {
        assert_eq!(found(99, query).await, [""; 0], "{query}");
    }
    let bad = server.get("/v2/share_instances?is_soft_deleted=x").await.fault(400, "badRequest");
    assert!(bad.contains("is_soft_deleted"), "{bad}");
}

async fn act(server: &TestServer, version: V, token: &str, id: &str, body: Value) -> Answer {
    let path = format!("/v2/share_instances/{id}/action");
    server.request(Method::POST, &path).token(token).at(version).json(&body).send().await
}

#[tokio::test]
async fn a_reset_is_the_administrators_word() {
    let (server, _, instance) = one().await;
    let id = instance.id.to_string();
    let body = |status: Value| json!({ "reset_status": { "status": status } });
    let asked = sample("share-instance-actions-reset-state-request");
    act(&server, V::MAX, ROOT, &id, asked).await.expect(202);
    act(&server, V::MAX, ROOT, &id, body(json!("error"))).await.expect(202);
    let shown = server.get(&format!("/v2/share_instances/{id}")).await.expect(200);
    assert_eq!(shown["share_instance"]["status"], "error");
    let mut tx = server.app.db.read().await.unwrap();
    let records = audit::of_resource(&mut tx, &id).await.unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(
        (records[1].status_from.as_str(), records[1].status_to.as_str()),
        ("available", "error")
    );
    drop(tx);
    for status in [json!(null), json!(5), json!([]), json!("nope"), json!("extending")] {
        let answer = act(&server, V::MAX, ROOT, &id, body(status)).await;
        let message = answer.fault(400, "badRequest");
        assert!(message.starts_with("Invalid state. Valid states: creating, "), "{message}");
    }
    let missing = act(&server, V::MAX, ROOT, &id, json!({ "reset_status": null })).await;
    assert_eq!(missing.fault(400, "badRequest"), "Must specify 'status'");
    let unknown = seed::uuid(404).to_string();
    for id in [unknown.as_str(), "nope"] {
        act(&server, V::MAX, ROOT, id, body(json!("error"))).await.fault(404, "itemNotFound");
        act(&server, V::MAX, ROOT, id, body(json!("nope"))).await.fault(400, "badRequest");
        server.get(&format!("/v2/share_instances/{id}")).await.fault(404, "itemNotFound");
    }
    let old = json!({ "os-reset_status": { "status": "available" } });
    act(&server, V(2, 6), ROOT, &id, old.clone()).await.expect(202);
    act(&server, V(2, 2), ROOT, &id, old.clone()).await.fault(404, "itemNotFound");
    act(&server, V(2, 7), ROOT, &id, old).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn a_forced_deletion_needs_no_status() {
    let (server, share, instance) = one().await;
    let id = instance.id.to_string();
    let creating = json!({ "reset_status": { "status": "creating" } });
    act(&server, V::MAX, ROOT, &id, creating).await.expect(202);
    let asked = sample("share-instance-actions-force-delete-request");
    act(&server, V::MAX, ROOT, &id, asked).await.expect(202);
    let operation = operations_of(&server, share).await.pop().unwrap();
    assert_eq!((operation.kind, operation.resource_fence), (OperationKind::DeleteShare, 3));
    assert_eq!(operation.arguments, r#"{"force":true}"#);
    assert_eq!(instance_of(&server, share).await.status, ShareStatus::Deleting);
    let unknown = seed::uuid(404).to_string();
    let forced = json!({ "force_delete": null });
    act(&server, V::MAX, ROOT, &unknown, forced).await.fault(404, "itemNotFound");
    let old = json!({ "os-force_delete": null });
    act(&server, V(2, 6), ROOT, &id, old).await.expect(202);
}

#[tokio::test]
async fn snapshot_instances_hold_their_share_instance() {
    let (server, _, place) = one().await;
    let (snapshot, instance) = seed::snapshot(2, &place);
    seed::add_snapshot(&server.app.db, &snapshot, &[instance]).await;
    let forced = json!({ "force_delete": null });
    let answer = act(&server, V::MAX, ROOT, &place.id.to_string(), forced).await;
    let message = answer.fault(409, "conflictingRequest");
    assert!(message.contains("1 dependent snapshot instances"), "{message}");
}

#[tokio::test]
async fn what_goes_with_an_instance_is_on_record() {
    let (server, share, place) = one().await;
    let other = ShareInstance {
        id: ShareInstanceId::from(seed::uuid(7)),
        status: ShareStatus::Error,
        ..place.clone()
    };
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &other).await.unwrap();
    tx.commit().await.unwrap();
    let (snapshot, copy) = seed::snapshot(2, &other);
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&copy)).await;
    let forced = json!({ "force_delete": null });
    act(&server, V::MAX, ROOT, &other.id.to_string(), forced).await.expect(202);
    let mut tx = server.app.db.read().await.unwrap();
    for (id, kind, from) in [
        (other.id.to_string(), "share_instance", "error"),
        (copy.id.to_string(), "snapshot_instance", "available"),
    ] {
        let records = audit::of_resource(&mut tx, &id).await.unwrap();
        let [record] = &records[..] else { panic!("{share}: {records:?}") };
        let change = (record.status_from.as_str(), record.status_to.as_str());
        assert_eq!((record.action.as_str(), record.resource_type.as_str()), ("force_delete", kind));
        assert_eq!(change, (from, "deleting"));
    }
}

#[tokio::test]
async fn they_are_for_administrators() {
    let (server, share, instance) = one().await;
    let id = instance.id.to_string();
    for token in [ALICE, BOB] {
        for path in [
            "/v2/share_instances".to_owned(),
            format!("/v2/share_instances/{id}"),
            format!("/v2/share_instances/{id}/export_locations"),
            format!("/v2/shares/{share}/instances"),
        ] {
            let message = server.get_as(token, V::MAX, &path).await.fault(403, "forbidden");
            assert_eq!(message, "Access was denied to this resource.", "{path}");
        }
        let bodies =
            [json!({ "reset_status": { "status": "error" } }), json!({ "force_delete": null })];
        for body in bodies {
            act(&server, V::MAX, token, &id, body).await.fault(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn a_policy_may_open_them_to_the_members_of_a_project() {
    let rules = json!({
        "share_instance:index": "rule:project-member",
        "share_instance:show": "rule:project-member",
    });
    let server = prepared(TestServer::with_policy(Policy::from_rules(&rules).unwrap()).await).await;
    let (mine, first) = seed::share(1, "project");
    let (others, second) = seed::share(2, "other");
    add(&server, &[(mine, first.clone()), (others.clone(), second.clone())]).await;
    let list = server.get_as(ALICE, V::MAX, "/v2/share_instances").await.expect(200);
    let all = list["share_instances"].as_array().unwrap();
    assert_eq!((all.len(), &all[0]["id"]), (1, &json!(first.id)), "only her project's");
    let show =
        async |id: String| server.get_as(ALICE, V::MAX, &format!("/v2/share_instances/{id}")).await;
    show(first.id.to_string()).await.expect(200);
    show(second.id.to_string()).await.fault(403, "forbidden");
    let path = format!("/v2/shares/{}/instances", others.id);
    server.get_as(ALICE, V::MAX, &path).await.fault(404, "itemNotFound");
}
