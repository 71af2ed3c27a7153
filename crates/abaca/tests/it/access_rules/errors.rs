//! What is refused, and in which words.

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, act, allow, allowed, deny, listed, one_share};

const MISSING: &str = "0abaca00-0000-4000-8000-00000000ffff";

#[tokio::test]
async fn bad_rules_are_named() {
    let (server, share, _) = one_share().await;
    let ip = |text: Value| json!({ "access_type": "ip", "access_to": text });
    let long = |length| "x".repeat(length);
    let table = [
        (json!({}), "access_type not found"),
        (json!({ "access_type": "ip" }), "access_to not found"),
        (json!({ "access_type": null, "access_to": null }), "access_type not found"),
        (json!({ "access_type": 1, "access_to": "x" }), "access_type"),
        (json!({ "access_type": "mac", "access_to": "x" }), "'ip', 'user', 'cert' or 'cephx'"),
        (ip(json!("")), "neither an IP address nor a network"),
        (ip(json!("1.2.3.256")), "neither an IP address nor a network"),
        (ip(json!("1.2.3.4/33")), "neither an IP address nor a network"),
        (ip(json!("1.2.3.4/24")), "has host bits set; the network is 1.2.3.0/24"),
        (ip(json!("AD80:ABAA::|26")), "neither an IP address nor a network"),
        (ip(json!("fe80::1%eth0")), "neither an IP address nor a network"),
        (ip(json!(1)), "access_to"),
        (ip(json!(["10.0.0.1"])), "access_to"),
        (json!({ "access_type": "user", "access_to": "try+" }), "Invalid user or group name"),
        (json!({ "access_type": "user", "access_to": "abc" }), "Invalid user or group name"),
        (json!({ "access_type": "user", "access_to": long(256) }), "Invalid user or group name"),
        (json!({ "access_type": "user", "access_to": "joey\nroot" }), "control characters"),
        (json!({ "access_type": "cert", "access_to": " " }), "Invalid CN"),
        (json!({ "access_type": "cert", "access_to": long(65) }), "Invalid CN"),
        (json!({ "access_type": "cephx", "access_to": "client.x" }), "periods"),
        (json!({ "access_type": "cephx", "access_to": long(256) }), "255 characters"),
        (
            json!({ "access_type": "ip", "access_to": "10.0.0.1", "access_level": "su" }),
            "Invalid share access level: su",
        ),
        (
            json!({ "access_type": "ip", "access_to": "10.0.0.1", "access_level": 1 }),
            "access_level",
        ),
        (
            json!({ "access_type": "ip", "access_to": "10.0.0.1", "metadata": { "a": "" } }),
            "value is blank",
        ),
        (
            json!({ "access_type": "ip", "access_to": "10.0.0.1", "lock_visibility": "maybe" }),
            "lock_visibility",
        ),
        (
            json!({ "access_type": "ip", "access_to": "10.0.0.1", "lock_deletion": [] }),
            "lock_deletion",
        ),
        (
            json!({ "access_type": "ip", "access_to": "10.0.0.1", "lock_reason": "audit" }),
            "Lock reason can only be specified",
        ),
        (json!(null), "Malformed request body"),
        (json!("ip"), "Malformed request body"),
    ];
    for (rule, problem) in table {
        let message = allow(&server, &share, rule.clone()).await.fault(400, "badRequest");
        assert!(message.contains(problem), "{rule}: {message}");
    }
    assert!(listed(&server, &share).await.is_empty());
}

#[tokio::test]
async fn types_and_families_came_with_versions() {
    let (server, share, _) = one_share().await;
    let path = format!("shares/{}", share.id);
    for (kind, client, since) in [("cephx", "alice", 13), ("ip", "fd00::/64", 38)] {
        let body = json!({ "allow_access": { "access_type": kind, "access_to": client } });
        let before = act(&server, ALICE, V(2, since - 1), &path, body.clone()).await;
        before.fault(400, "badRequest");
        act(&server, ALICE, V(2, since), &path, body).await.expect(200);
    }
    // Before there were locks, their names meant nothing.
    let rule = json!({ "access_type": "ip", "access_to": "10.0.0.1", "lock_deletion": true });
    act(&server, ALICE, V(2, 81), &path, json!({ "allow_access": rule })).await.expect(200);
}

#[tokio::test]
async fn a_client_has_one_rule_and_networks_may_overlap() {
    let (server, share, _) = one_share().await;
    for address in ["10.0.0.0/24", "fd00::1", "10.0.0.0/25", "10.0.0.1"] {
        allowed(&server, &share, address).await;
    }
    for address in
        ["10.0.0.0/24", "10.0.0.0/255.255.255.0", "10.0.0.1/32", "fd00::1/128", "FD00:0::1"]
    {
        let rule = json!({ "access_type": "ip", "access_to": address, "access_level": "ro" });
        let message = allow(&server, &share, rule).await.fault(400, "badRequest");
        assert_eq!(message, format!("Share access ip:{address} exists."));
    }
    for (kind, client) in [("user", "joey"), ("cert", "joey"), ("cephx", "joey")] {
        let rule = json!({ "access_type": kind, "access_to": client });
        allow(&server, &share, rule.clone()).await.expect(200);
        let message = allow(&server, &share, rule).await.fault(400, "badRequest");
        assert_eq!(message, format!("Share access {kind}:joey exists."));
    }
    assert_eq!(listed(&server, &share).await.len(), 7);
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let (server, share, _) = one_share().await;
    let path = format!("shares/{}", share.id);
    for id in ["nope", MISSING] {
        let denied =
            act(&server, ALICE, V::MAX, &path, json!({ "deny_access": { "access_id": id } }));
        let message = denied.await.fault(404, "itemNotFound");
        assert_eq!(message, "Resource could not be found.");
        for (method, rest, body) in [
            (Method::GET, "", None),
            (Method::PUT, "", Some(json!({ "update_access": { "access_level": "ro" } }))),
            (Method::PUT, "/metadata", Some(json!({ "metadata": { "a": "b" } }))),
            (Method::DELETE, "/metadata/a", None),
        ] {
            let path = format!("/v2/share-access-rules/{id}{rest}");
            let mut request = server.request(method, &path).token(ALICE);
            if let Some(body) = body {
                request = request.json(&body);
            }
            let message = request.send().await.fault(404, "itemNotFound");
            assert_eq!(message, format!("Share access rule {id} not found."));
        }
        let list = format!("/v2/share-access-rules?share_id={id}");
        let message = server.get_as(ALICE, V::MAX, &list).await.fault(400, "badRequest");
        assert_eq!(message, format!("Share {id} not found."));
        let path = format!("shares/{id}");
        let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.1" } });
        act(&server, ALICE, V::MAX, &path, rule).await.fault(404, "itemNotFound");
    }
    let (other, place) = crate::support::seed::share(2, "project");
    crate::support::seed::add_share(&server.app.db, &other, &[place]).await;
    let rule = allowed(&server, &other, "10.0.0.1").await;
    deny(&server, &share, &rule).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn a_bad_denial_or_level_is_named() {
    let (server, share, _) = one_share().await;
    let path = format!("shares/{}", share.id);
    for body in [json!({}), json!({ "access_id": null }), json!({ "access_id": 1 }), json!(null)] {
        let denied = act(&server, ALICE, V::MAX, &path, json!({ "deny_access": body })).await;
        denied.fault(400, "badRequest");
    }
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let path = format!("/v2/share-access-rules/{}", rule["id"].as_str().unwrap());
    for (body, problem) in [
        (json!({}), "malformed"),
        (json!({ "update_access": null }), "malformed"),
        (json!({ "update_access": {} }), "Missing 'access_level'"),
        (json!({ "update_access": { "access_level": "" } }), "Missing 'access_level'"),
        (json!({ "update_access": { "access_level": "su" } }), "access level: su"),
        (json!({ "update_access": { "access_level": ["ro"] } }), "access_level"),
    ] {
        let message = server.put(&path, body.clone()).await.fault(400, "badRequest");
        assert!(message.contains(problem), "{body}: {message}");
    }
    let body = json!({ "update_access": { "access_level": "ro" } });
    let old = server.request(Method::PUT, &path).at(V(2, 87)).json(&body).send().await;
    old.fault(405, "badMethod");
    assert_eq!(old.header("allow"), Some("GET, HEAD"));
    let older = server.request(Method::PUT, &path).at(V(2, 44)).json(&body).send().await;
    older.fault(404, "itemNotFound");
    deny(&server, &share, &rule).await.expect(202);
    let message = server.put(&path, body).await.fault(400, "badRequest");
    assert!(message.contains("is being denied"), "{message}");
}
