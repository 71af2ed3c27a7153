//! Limits that can't be set.

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, AMY, ask, put, set, shown};
use crate::shares::{DEFAULT_SPECS, add_type, created, prepared};
use crate::support::TestServer;

async fn server() -> TestServer {
    let server = prepared(TestServer::start().await).await;
    add_type(&server, 1, "gold", &DEFAULT_SPECS).await;
    server
}

#[tokio::test]
async fn bad_bodies_are_refused_by_name() {
    let server = server().await;
    let not_a_limit = |key: &str| {
        format!("Quota for {key} should be an integer from -1 (no limit) to 2147483647.")
    };
    let nothing = "Must supply at least one quota field to update.".to_owned();
    let cases: Vec<(Value, String)> = vec![
        (json!({ "quota_set": { "shares": -2 } }), not_a_limit("shares")),
        (json!({ "quota_set": { "encryption_keys": -2 } }), not_a_limit("encryption_keys")),
        (json!({ "quota_set": { "gigabytes": 2_147_483_648_i64 } }), not_a_limit("gigabytes")),
        (json!({ "quota_set": { "gigabytes": u64::MAX } }), not_a_limit("gigabytes")),
        (json!({ "quota_set": { "snapshots": "many" } }), not_a_limit("snapshots")),
        (json!({ "quota_set": { "snapshots": "" } }), not_a_limit("snapshots")),
        (json!({ "quota_set": { "snapshots": 1.5 } }), not_a_limit("snapshots")),
        (json!({ "quota_set": { "snapshots": true } }), not_a_limit("snapshots")),
        (json!({ "quota_set": { "snapshots": { "a": 1 } } }), not_a_limit("snapshots")),
        (
            json!({ "quota_set": { "shares": 1, "pigs": 1, "\u{1f411}": 2 } }),
            "Bad key(s) pigs,\u{1f411} in quota_set.".to_owned(),
        ),
        (
            json!({ "quota_set": { "shares": 1, "force": "perhaps" } }),
            "Invalid value for force. Expecting a boolean.".to_owned(),
        ),
        (json!({ "quota_set": { "shares": null, "force": true, "id": "x" } }), nothing.clone()),
        (json!({ "quota_set": [] }), nothing.clone()),
        (json!({ "shares": 5 }), nothing.clone()),
        (json!("quota_set"), nothing),
    ];
    for (body, message) in cases {
        let answer = server.put("/v2/quota-sets/project", body.clone()).await;
        assert_eq!(answer.fault(400, "badRequest"), message, "{body}");
    }
    assert_eq!(shown(&server, "project").await["shares"], 50);
    let long = "x".repeat(256);
    put(&server, &long, json!({ "shares": 1 })).await.fault(400, "badRequest");
    let long = format!("project?user_id={long}");
    put(&server, &long, json!({ "shares": 1 })).await.fault(400, "badRequest");
    let longest = "\u{1f411}".repeat(255);
    let longest: String = longest.bytes().map(|byte| format!("%{byte:02X}")).collect();
    set(&server, &format!("{longest}?user_id={longest}"), json!({ "shares": 1 })).await;
}

#[tokio::test]
async fn what_a_version_lacks_can_not_be_set() {
    let server = server().await;
    for (key, since) in [
        ("share_groups", 40),
        ("share_group_snapshots", 40),
        ("share_replicas", 53),
        ("replica_gigabytes", 53),
        ("per_share_gigabytes", 62),
        ("backups", 80),
        ("backup_gigabytes", 80),
        ("encryption_keys", 90),
    ] {
        let body = json!({ "quota_set": { key: 5 } });
        let send = async |minor| {
            let old = if minor < 7 { "os-" } else { "" };
            let path = format!("/v2/{old}quota-sets/project");
            server.request(Method::PUT, &path).at(V(2, minor)).json(&body).send().await
        };
        for minor in [0, 7, since - 1] {
            let message = send(minor).await.fault(400, "badRequest");
            let expected = format!(
                "'{key}' key is not supported by this microversion. Use 2.{since} or greater \
                 microversion to be able to use '{key}' quotas."
            );
            assert_eq!(message, expected, "2.{minor}");
        }
        assert_eq!(send(since).await.expect(200)["quota_set"][key], 5);
    }
}

#[tokio::test]
async fn share_types_have_quota_since_2_39() {
    let server = server().await;
    let root = "root:admin:admin";
    for (minor, old) in [(6, "os-"), (38, "")] {
        let path = format!("/v2/{old}quota-sets/project?share_type=gold");
        for method in [Method::GET, Method::DELETE] {
            let answer = ask(&server, method, V(2, minor), root, &path).await;
            let message = answer.fault(400, "badRequest");
            assert!(message.contains("'share_type'") && message.contains("2.39"), "{message}");
        }
        let body = json!({ "quota_set": { "shares": 1 } });
        let request = server.request(Method::PUT, &path).at(V(2, minor)).json(&body);
        request.send().await.fault(400, "badRequest");
    }
    let both = "/v2/quota-sets/project?share_type=gold&user_id=alice";
    let nosuch = "/v2/quota-sets/project?share_type=nosuch";
    for method in [Method::GET, Method::DELETE] {
        ask(&server, method.clone(), V(2, 39), root, both).await.fault(400, "badRequest");
        let message = ask(&server, method, V(2, 39), root, nosuch).await.fault(404, "itemNotFound");
        assert_eq!(message, "Share type with name or id 'nosuch' not found.");
    }
    put(&server, "project?share_type=nosuch", json!({ "shares": 1 }))
        .await
        .fault(404, "itemNotFound");
    for key in ["share_networks", "share_groups", "share_group_snapshots"] {
        let answer = put(&server, "project?share_type=gold", json!({ key: 1 })).await;
        let message = answer.fault(400, "badRequest");
        assert!(message.starts_with(&format!("'{key}' quota cannot be set for share type.")));
    }
}

#[tokio::test]
async fn a_limit_fits_between_what_is_used_and_what_the_project_has() {
    let server = server().await;
    for token in [ALICE, ALICE, AMY] {
        created(&server, token).await;
    }
    set(&server, "project", json!({ "shares": 10 })).await;
    let [alice, gold] = ["project?user_id=alice", "project?share_type=gold"];
    for (whose, limit, message) in [
        ("project", 2, "Quota value 2 for shares is smaller than already used and reserved 3."),
        (alice, 1, "Quota value 1 for shares is smaller than already used and reserved 2."),
        (alice, 11, "Quota value 11 for shares must not be greater than 10, that of the project."),
        (gold, 11, "Quota value 11 for shares must not be greater than 10, that of the project."),
        (gold, -1, "Quota value -1 for shares must not be greater than 10, that of the project."),
    ] {
        let limits = json!({ "snapshots": 1, "shares": limit });
        let refused = put(&server, whose, limits.clone()).await.fault(400, "badRequest");
        assert_eq!(refused, message, "{whose}");
        assert_eq!(shown(&server, whose).await["snapshots"], 50, "all or nothing: {whose}");
        let mut forced = limits;
        forced["force"] = json!("yes");
        assert_eq!(set(&server, whose, forced).await["shares"], limit, "{whose}");
        set(&server, "project", json!({ "shares": 10, "snapshots": 50, "force": true })).await;
        ask(
            &server,
            Method::DELETE,
            V::MAX,
            "root:admin:admin",
            &format!("/v2/quota-sets/{whose}"),
        )
        .await
        .expect(202);
        set(&server, "project", json!({ "shares": 10, "snapshots": 50, "force": true })).await;
    }
    set(&server, alice, json!({ "shares": 5 })).await;
    set(&server, "project?user_id=amy", json!({ "shares": 4 })).await;
    let message = put(&server, "project", json!({ "shares": 8 })).await.fault(400, "badRequest");
    assert_eq!(
        message,
        "Quota value 8 for shares must not be less than 9, which the project's users have together."
    );
    set(&server, "project", json!({ "shares": 9 })).await;
    set(&server, "project", json!({ "shares": -1 })).await;
    set(&server, gold, json!({ "shares": -1 })).await;
}

#[tokio::test]
async fn tenants_see_their_own_and_set_nothing() {
    let server = server().await;
    let mallory = "mallory:other:member";
    for path in ["/v2/quota-sets/project", "/v2/quota-sets/project/detail"] {
        ask(&server, Method::GET, V::MAX, mallory, path).await.fault(403, "forbidden");
        ask(&server, Method::GET, V::MAX, "rita:project:reader", path).await.expect(200);
    }
    for token in [mallory, ALICE, "rita:project:reader"] {
        let path = "/v2/quota-sets/project";
        ask(&server, Method::DELETE, V::MAX, token, path).await.fault(403, "forbidden");
        let body = json!({ "quota_set": { "shares": -1 } });
        let request = server.request(Method::PUT, path).token(token).json(&body);
        request.send().await.fault(403, "forbidden");
    }
    // A private type is not there for those who may not use it.
    let private = json!({ "share_type": {
        "name": "secret", "share_type_access:is_public": false,
        "extra_specs": { "driver_handles_share_servers": "False" },
    } });
    server.post("/v2/types", private).await.expect(200);
    let path = "/v2/quota-sets/project?share_type=secret";
    ask(&server, Method::GET, V::MAX, ALICE, path).await.fault(404, "itemNotFound");
    server.get(path).await.expect(200);
}
