//! `/services`

mod ensure;

use std::time::Duration;

use abaca::api::V;
use abaca_model::Timestamp;
use abaca_store::services;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{TestServer, assert_like_sample, sample};

const ADMIN: &str = "admin:admin:admin";

/// Two backends and a scheduler; the second backend is down.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    let now = Timestamp::now();
    let mut tx = server.app.db.write().await.unwrap();
    for (host, binary, zone, at) in [
        ("h@up", "manila-share", "one", now),
        ("h@down", "manila-share", "two", now.before(Duration::from_secs(61))),
        ("h", "manila-scheduler", "one", now),
    ] {
        services::heartbeat(&mut tx, host, binary, zone, at).await.unwrap();
    }
    tx.commit().await.unwrap();
    server
}

async fn hosts(server: &TestServer, query: &str) -> Vec<String> {
    let body = server.get(&format!("/v2/services?{query}")).await.expect(200);
    let services = body["services"].as_array().unwrap();
    services.iter().map(|service| service["host"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn bodies_by_version() {
    let server = server().await;
    let oldest = server.get_as(ADMIN, V(2, 0), "/v2/os-services").await.expect(200);
    assert_like_sample(&oldest, "services-list-response", &[]);
    for (version, path) in
        [(V(2, 6), "/v2/os-services"), (V(2, 7), "/v2/services"), (V(2, 82), "/v2/services")]
    {
        assert_eq!(server.get_as(ADMIN, version, path).await.expect(200), oldest, "{version}");
    }
    for version in [V(2, 0), V(2, 83), V(2, 86), V::MAX] {
        let path = if version < V(2, 7) { "/v2/os-services" } else { "/v2/services" };
        let body = server.get_as(ADMIN, version, path).await.expect(200);
        insta::assert_json_snapshot!(format!("list_{version}"), body, {
            ".services[].updated_at" => "[time]",
        });
    }
    server.get_as(ADMIN, V(2, 7), "/v2/os-services").await.fault(404, "itemNotFound");
    server.get_as(ADMIN, V(2, 6), "/v2/services").await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn filters() {
    let server = server().await;
    let all = ["h@up", "h@down", "h"];
    for (query, expected) in [
        ("", &all[..]),
        ("host=h", &["h"]),
        ("host=", &[]),
        ("binary=manila-share", &["h@up", "h@down"]),
        ("zone=two", &["h@down"]),
        ("zone=three", &[]),
        ("zone=", &all),
        ("state=up", &["h@up", "h"]),
        ("state=down&binary=manila-share", &["h@down"]),
        ("state=x", &[]),
        ("status=enabled", &all),
        ("status=disabled", &[]),
        ("status=x", &[]),
        ("ensuring=false", &all),
        ("ensuring=true", &[]),
        ("ensuring=x", &[]),
        ("foo=bar", &all),
    ] {
        assert_eq!(hosts(&server, query).await, expected, "{query}");
    }
    let zones = server.get("/v2/availability-zones").await.expect(200);
    let zone = zones["availability_zones"][0]["id"].as_str().unwrap();
    assert_eq!(hosts(&server, &format!("zone={zone}")).await, ["h@up", "h"]);
    let before = server.get_as(ADMIN, V(2, 92), "/v2/services?ensuring=true").await.expect(200);
    assert_eq!(before["services"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_service_is_disabled_with_a_reason_and_enabled_again() {
    let server = server().await;
    let service = |reason: Value| {
        let mut body = json!({ "host": "h@up", "binary": "manila-share" });
        if !reason.is_null() {
            body["disabled_reason"] = reason;
        }
        body
    };
    let at = |version, action: &str, body: &Value| {
        let request = server.request(Method::PUT, &format!("/v2/services/{action}"));
        request.at(version).json(body).send()
    };
    let listed = async || {
        let body = server.get("/v2/services?host=h@up").await.expect(200);
        let shown = &body["services"][0];
        (shown["status"].clone(), shown["disabled_reason"].clone())
    };

    let answer = at(V(2, 85), "disable", &service(json!(" why "))).await.expect(200);
    assert_like_sample(&answer, "service-disable-response", &[]);
    assert_eq!(answer["disabled_reason"], "why");
    assert_eq!(listed().await, (json!("disabled"), json!("why")));
    assert!(hosts(&server, "status=disabled").await == ["h@up"]);

    // None given: the reason stays.
    let answer = at(V(2, 86), "disable", &service(json!(""))).await.expect(200);
    assert_eq!((&answer["disabled_reason"], &answer["ensuring"]), (&json!(null), &json!(null)));
    assert_eq!(listed().await, (json!("disabled"), json!("why")));

    // From before there were reasons: the reason stays too.
    let answer = at(V(2, 82), "enable", &service(json!(null))).await.expect(200);
    let expected = json!({"host": "h@up", "binary": "manila-share", "status": "enabled"});
    assert_eq!(answer, expected);
    assert_eq!(listed().await, (json!("enabled"), json!("why")));

    let answer = at(V(2, 83), "enable", &service(json!(null))).await.expect(200);
    assert_like_sample(&answer, "service-enable-response", &[]);
    assert_eq!(listed().await, (json!("enabled"), json!(null)));

    let old = server.request(Method::PUT, "/v2/os-services/disable").at(V(2, 6));
    assert_eq!(old.json(&service(json!(null))).send().await.expect(200)["status"], "disabled");
}

#[tokio::test]
async fn bad_requests() {
    let server = server().await;
    let put = async |action: &'static str, body: Value| {
        server.put(&format!("/v2/services/{action}"), body).await
    };
    for body in [json!({}), json!([]), json!({"host": "h@up"}), json!({"host": 5, "binary": "x"})] {
        put("enable", body.clone()).await.fault(400, "badRequest");
        put("disable", body).await.fault(400, "badRequest");
    }
    server.request(Method::PUT, "/v2/services/enable").send().await.fault(400, "badRequest");
    let long = "x".repeat(256);
    for reason in [json!(" "), json!(long), json!(5)] {
        let body = json!({"host": "h@up", "binary": "manila-share", "disabled_reason": reason});
        let message = put("disable", body).await.fault(400, "badRequest");
        assert!(message.contains("disabled_reason"), "{message}");
    }
    let early = server.request(Method::PUT, "/v2/services/disable").at(V(2, 82));
    let request = sample("service-disable-request");
    early.json(&request).send().await.fault(400, "badRequest");
    let message = put("disable", request).await.fault(404, "itemNotFound");
    assert_eq!(message, "Could not find binary manila-share on host openstackhost@generic#pool_0.");
    let known = json!({"host": "h@up", "binary": "manila-share"});
    put("nope", known).await.fault(404, "itemNotFound");
}
