//! Bodies, and requests that are refused.

use abaca::api::V;
use serde_json::{Value, json};

use super::{ALICE, PATH, change, locked, one_share, path, post, remove};
use crate::support::{assert_like_sample, sample};

#[tokio::test]
async fn a_lock_is_placed_shown_changed_and_removed() {
    let (server, share, _) = one_share().await;
    let mut request = sample("resource-lock-create-request");
    request["resource_lock"]["resource_id"] = json!(share.id);
    let made = post(&server, ALICE, request["resource_lock"].clone()).await.expect(200);
    assert_like_sample(&made, "resource-lock-create-response", &[]);
    insta::assert_json_snapshot!("lock", made, {
        ".resource_lock.id" => "[id]",
        ".resource_lock.created_at" => "[time]",
        ".resource_lock.links[].href" => "[href]",
    });
    let lock = &made["resource_lock"];
    assert!(lock["links"][0]["href"].as_str().unwrap().ends_with(&path(lock)));
    let shown = server.get_as(ALICE, V(2, 81), &path(lock)).await.expect(200);
    assert_like_sample(&shown, "resource-lock-get-response", &[]);
    assert_eq!(shown, made);
    let listed = server.get_as(ALICE, V(2, 81), PATH).await.expect(200);
    assert_like_sample(&listed, "resource-lock-get-all-response", &[]);
    assert_eq!(server.get_as(ALICE, V(2, 80), PATH).await.status, 404);

    let update = sample("resource-lock-update-request")["resource_lock"].clone();
    let updated = change(&server, ALICE, lock, update.clone()).await.expect(200);
    assert_like_sample(&updated, "resource-lock-update-response", &[]);
    assert_eq!(updated["resource_lock"]["lock_reason"], update["lock_reason"]);
    assert_eq!(server.get_as(ALICE, V::MAX, &path(lock)).await.expect(200), updated);
    // What is not given stays, and null takes the reason away.
    for (given, reason) in [
        (json!({}), update["lock_reason"].clone()),
        (json!({"resource_action": null}), update["lock_reason"].clone()),
        (json!({"resource_action": "delete", "lock_reason": null}), Value::Null),
    ] {
        let updated = change(&server, ALICE, lock, given.clone()).await.expect(200);
        assert_eq!(updated["resource_lock"]["lock_reason"], reason, "{given}");
        assert_eq!(updated["resource_lock"]["resource_action"], "delete", "{given}");
    }
    assert_eq!(remove(&server, ALICE, lock).await.status, 204);
    remove(&server, ALICE, lock).await.fault(404, "itemNotFound");
    change(&server, ALICE, lock, json!({})).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let (server, share, _) = one_share().await;
    let long = "é".repeat(1024);
    for (key, value) in [
        ("resource_id", json!("invalid-share-id")),
        ("resource_id", json!(null)),
        ("resource_id", json!(5)),
        ("resource_type", json!("snapshot")),
        ("resource_type", json!(["share"])),
        ("resource_action", json!("invalid-action")),
        ("resource_action", json!("show")),
        ("resource_action", json!(1)),
        ("lock_reason", json!(long)),
        ("lock_reason", json!({"a": 1})),
        ("project_id", json!("other")),
    ] {
        let mut lock = json!({ "resource_id": share.id });
        lock[key] = value.clone();
        let message = post(&server, ALICE, lock).await.fault(400, "badRequest");
        let named = message.contains(key) || message.contains("Resource ID");
        assert!(named, "{key}={value}: {message}");
    }
    for unknown in ["share", "access_rule"] {
        let id = "1874d9cf-fe37-4062-ac8e-00488554a0e1";
        let lock = json!({ "resource_id": id, "resource_type": unknown });
        let message = post(&server, ALICE, lock).await.fault(400, "badRequest");
        assert_eq!(message, "No such resource found.");
    }
    for body in [json!({}), json!({"resource_lock": []}), json!({"resource_lock": null})] {
        server.post(PATH, body).await.fault(400, "badRequest");
    }
    let lock = locked(&server, ALICE, &share, &"é".repeat(1023)).await;
    for (key, value) in [
        ("resource_action", json!("invalid-action")),
        ("resource_action", json!("show")),
        ("lock_reason", json!(long)),
        ("resource_id", json!(share.id)),
        ("lock_context", json!("admin")),
    ] {
        let given = json!({ key: value });
        let message = change(&server, ALICE, &lock, given).await.fault(400, "badRequest");
        assert!(message.contains(key), "{key}={value}: {message}");
    }
    for id in ["nope", "1874d9cf-fe37-4062-ac8e-00488554a0e1"] {
        server.get(&format!("{PATH}/{id}")).await.fault(404, "itemNotFound");
        server.delete(&format!("{PATH}/{id}")).await.fault(404, "itemNotFound");
    }
}
