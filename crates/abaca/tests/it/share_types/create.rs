//! `POST /types` and `DELETE /types/{id}`

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use super::{create, path};
use crate::support::TestServer;

fn named(name: &str) -> Value {
    json!({ "name": name, "extra_specs": { "driver_handles_share_servers": false } })
}

#[tokio::test]
async fn the_old_name_of_the_body_works_too() {
    let server = TestServer::start().await;
    let body = json!({ "volume_type": named("gold") });
    let made = server.post("/v2/types", body).await.expect(200);
    assert_eq!(made["share_type"]["name"], "gold");
    assert_eq!(made["share_type"]["share_type_access:is_public"], true);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = TestServer::start().await;
    create(&server, "gold", json!({})).await;
    let again = server.post("/v2/types", json!({ "share_type": named("gold") })).await;
    assert_eq!(again.fault(409, "conflictingRequest"), "Share Type gold already exists.");
}

#[tokio::test]
async fn types_had_snapshot_support_before_2_24() {
    let server = TestServer::start().await;
    let at = |version: V, name: &'static str| {
        let request = server.request(Method::POST, "/v2/types").at(version);
        request.json(&json!({ "share_type": named(name) })).send()
    };
    let old = at(V(2, 23), "old").await.expect(200);
    assert_eq!(old["share_type"]["extra_specs"]["snapshot_support"], "True");
    let new = at(V(2, 24), "new").await.expect(200);
    assert_eq!(new["share_type"]["extra_specs"], json!({"driver_handles_share_servers": "False"}));
    // Right after the creation the required spec is shown as it was given.
    assert_eq!(
        new["share_type"]["required_extra_specs"],
        json!({"driver_handles_share_servers": false})
    );
}

#[tokio::test]
async fn descriptions_came_with_2_41() {
    let server = TestServer::start().await;
    let with = |name: &str, description: &str| {
        let mut share_type = named(name);
        share_type["description"] = json!(description);
        json!({ "share_type": share_type })
    };
    let old = server.request(Method::POST, "/v2/types").at(V(2, 40));
    old.json(&with("a", "x")).send().await.fault(400, "badRequest");
    let empty = server.request(Method::POST, "/v2/types").at(V(2, 40));
    empty.json(&with("b", "")).send().await.expect(200);
    let new = server.request(Method::POST, "/v2/types").at(V(2, 41));
    let made = new.json(&with("c", "x")).send().await.expect(200);
    assert_eq!(made["share_type"]["description"], "x");
}

#[tokio::test]
async fn privacy_is_given_by_either_key() {
    let server = TestServer::start().await;
    for (name, key, value, expected) in [
        ("a", "share_type_access:is_public", json!(false), false),
        ("b", "os-share-type-access:is_public", json!(false), false),
        ("c", "share_type_access:is_public", json!("false"), false),
        ("d", "share_type_access:is_public", json!(null), true),
    ] {
        let mut share_type = named(name);
        share_type[key] = value;
        let made = server.post("/v2/types", json!({ "share_type": share_type })).await.expect(200);
        assert_eq!(made["share_type"]["share_type_access:is_public"], expected, "{name}");
    }
    let mut share_type = named("e");
    share_type["share_type_access:is_public"] = json!("nope");
    let bad = server.post("/v2/types", json!({ "share_type": share_type })).await;
    assert!(bad.fault(400, "badRequest").contains("share_type_access:is_public"));
}

#[tokio::test]
async fn bad_bodies() {
    let server = TestServer::start().await;
    let specs = json!({ "driver_handles_share_servers": false });
    let long = "x".repeat(256);
    for share_type in [
        json!([]),
        json!(null),
        json!({ "extra_specs": specs }),
        json!({ "name": "", "extra_specs": specs }),
        json!({ "name": 1, "extra_specs": specs }),
        json!({ "name": long, "extra_specs": specs }),
        json!({ "name": "a", "description": long, "extra_specs": specs }),
        json!({ "name": "a", "description": 5, "extra_specs": specs }),
        json!({ "name": "a" }),
        json!({ "name": "a", "extra_specs": null }),
        json!({ "name": "a", "extra_specs": [] }),
        json!({ "name": "a", "extra_specs": {} }),
    ] {
        let answer = server.post("/v2/types", json!({ "share_type": share_type })).await;
        assert_eq!(answer.status, 400, "{share_type}");
    }
    server.post("/v2/types", json!({ "type": named("a") })).await.fault(400, "badRequest");
    server.request(Method::POST, "/v2/types").send().await.fault(400, "badRequest");
    assert_eq!(server.get("/v2/types").await.expect(200)["share_types"], json!([]));
}

#[tokio::test]
async fn bad_extra_specs_are_named() {
    let server = TestServer::start().await;
    let long = "x".repeat(256);
    for (key, value) in [
        ("driver_handles_share_servers", json!("maybe")),
        ("driver_handles_share_servers", json!(null)),
        ("snapshot_support", json!("maybe")),
        ("replication_type", json!("bogus")),
        ("provisioning:min_share_size", json!("0")),
        ("provisioning:max_share_size", json!("x")),
        ("availability_zones", json!("a,,b")),
        ("availability_zones", json!(["a"])),
        ("anything", json!({"nested": "x"})),
        ("anything", json!(null)),
        ("anything", json!(long)),
    ] {
        let mut share_type = named("a");
        share_type["extra_specs"][key] = value.clone();
        let answer = server.post("/v2/types", json!({ "share_type": share_type })).await;
        let message = answer.fault(400, "badRequest");
        assert!(message.contains(key), "{key}: {value}: {message}");
    }
    for key in ["", long.as_str()] {
        let mut share_type = named("a");
        share_type["extra_specs"][key] = json!("x");
        let answer = server.post("/v2/types", json!({ "share_type": share_type })).await;
        answer.fault(400, "badRequest");
    }
}

#[tokio::test]
async fn a_type_is_deleted_when_no_share_is_of_it() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    let answer = server.delete(&path(&made)).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    server.get(&path(&made)).await.fault(404, "itemNotFound");
    server.delete(&path(&made)).await.fault(404, "itemNotFound");
    create(&server, "gold", json!({})).await;
}
