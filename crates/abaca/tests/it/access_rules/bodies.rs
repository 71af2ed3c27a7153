//! Bodies, at the versions that change them, held against the samples.

use std::collections::BTreeMap;

use abaca::api::V;
use abaca_model::{AccessLevel, AccessType};
use abaca_store::access_rules::Of;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, act, allow, one_share};
use crate::support::{assert_like_sample, sample, seed};

#[tokio::test]
async fn each_version_shows_what_it_knows() {
    let (server, share, place) = one_share().await;
    let mut rule = seed::access_rule(7, share.id.uuid(), "alice");
    rule.access_type = AccessType::Cephx;
    rule.access_level = AccessLevel::ReadOnly;
    rule.access_key = Some("secret".to_owned());
    rule.metadata = BTreeMap::from([("key1".to_owned(), "value1".to_owned())]);
    seed::add_access_rule(&server.app.db, Of::Shares, &rule, place.id.uuid()).await;
    let path = format!("shares/{}", share.id);
    for minor in [0, 6, 7, 20, 21, 27, 28, 32, 33, 44] {
        let action = if minor < 7 { "os-access_list" } else { "access_list" };
        let body = json!({ action: null });
        let list = act(&server, ALICE, V(2, minor), &path, body).await.expect(200);
        insta::assert_json_snapshot!(format!("list_2_{minor:02}"), list);
    }
    let list = format!("/v2/share-access-rules?share_id={}", share.id);
    let show = format!("/v2/share-access-rules/{}", rule.id);
    for version in [V(2, 45), V::MAX] {
        let list = server.get_as(ALICE, version, &list).await.expect(200);
        insta::assert_json_snapshot!(format!("list_2_{}", version.1), list);
        assert_like_sample(&list, "share-access-rules-list-response", &["metadata"]);
        let show = server.get_as(ALICE, version, &show).await.expect(200);
        insta::assert_json_snapshot!(format!("show_2_{}", version.1), show);
        assert_like_sample(&show, "share-access-rules-show-response", &["metadata"]);
    }
    for path in [&list, &show] {
        server.get_as(ALICE, V(2, 44), path).await.fault(404, "itemNotFound");
    }
    let old = act(&server, ALICE, V(2, 45), &path, json!({ "access_list": null })).await;
    old.fault(404, "itemNotFound");
    let old = act(&server, ALICE, V(2, 21), &path, json!({ "access_list": null })).await;
    let list = old.expect(200);
    assert_like_sample(&list, "share-actions-list-access-rules-response", &[]);
}

#[tokio::test]
async fn who_allows_is_shown_the_rule() {
    for minor in [0, 7, 21, 27, 28, 33, 45, 99] {
        let (server, share, _) = one_share().await;
        let action = if minor < 7 { "os-allow_access" } else { "allow_access" };
        let rule = json!({
            "access_type": "ip", "access_to": "10.0.0.0/24", "access_level": "ro",
            "metadata": { "key1": "value1" },
        });
        let path = format!("shares/{}", share.id);
        let shown =
            act(&server, ALICE, V(2, minor), &path, json!({ action: rule })).await.expect(200);
        let shown = &shown["access"];
        let state = if minor < 28 { "new" } else { "queued_to_apply" };
        assert_eq!(shown["state"], state, "2.{minor}");
        assert_eq!(shown["share_id"], json!(share.id));
        let expected = json!(["ip", "10.0.0.0/24", "ro"]);
        assert_eq!(
            json!([shown["access_type"], shown["access_to"], shown["access_level"]]),
            expected
        );
        for (key, since) in
            [("access_key", 21), ("created_at", 33), ("updated_at", 33), ("metadata", 45)]
        {
            assert_eq!(shown.get(key).is_some(), minor >= since, "{key} at 2.{minor}");
        }
        let metadata = shown.get("metadata").cloned().unwrap_or_default();
        assert_eq!(metadata, if minor < 45 { Value::Null } else { json!({ "key1": "value1" }) });
    }
}

#[tokio::test]
async fn the_samples_of_requests_are_understood() {
    let (server, share, _) = one_share().await;
    let mut grant = sample("share-actions-grant-access-request");
    // There are no locks to be had.
    grant["allow_access"]["lock_deletion"] = json!(false);
    grant["allow_access"]["lock_reason"] = json!(null);
    let rule = allow(&server, &share, grant["allow_access"].clone()).await.expect(200);
    assert_like_sample(&rule, "share-access-rules-show-response", &["metadata"]);
    let id = rule["access"]["id"].as_str().unwrap();

    let path = format!("/v2/share-access-rules/{id}");
    let body = sample("share-access-rules-update-request");
    let updated = server.request(Method::PUT, &path).token(ALICE).json(&body).send().await;
    let updated = updated.expect(200);
    assert_like_sample(&updated, "share-access-rules-update-response", &["metadata"]);
    assert_eq!(updated["access"]["access_level"], "ro");
    assert_eq!(updated["access"]["state"], "queued_to_update");
    assert!(updated["access"]["updated_at"].is_string());

    let body = sample("share-access-rules-update-metadata-request");
    let answer = server.put(&format!("{path}/metadata"), body).await.expect(200);
    assert_eq!(answer, sample("share-access-rules-update-metadata-response"));

    let mut revoke = sample("share-actions-revoke-access-request");
    revoke["deny_access"]["access_id"] = json!(id);
    let path = format!("shares/{}", share.id);
    let denied = act(&server, ALICE, V::MAX, &path, revoke).await;
    assert_eq!((denied.status, denied.text.as_str()), (202, ""));
}
