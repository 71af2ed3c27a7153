//! `POST /share-group-types`, `DELETE /share-group-types/{id}`

use serde_json::{Value, json};

use super::{create, path, share_type};
use crate::support::TestServer;

const PATH: &str = "/v2/share-group-types";

#[tokio::test]
async fn share_types_are_named_or_given_by_id_and_stay_while_a_group_type_has_them() {
    let server = TestServer::start().await;
    let (one, two) = (share_type(&server, "one").await, share_type(&server, "two").await);
    let post = async |share_types: Value| {
        let name = share_types.to_string();
        let body = json!({ "share_group_type": { "name": name, "share_types": share_types } });
        server.post(PATH, body).await
    };
    for (given, expected) in [
        (json!([one, "two", "one"]), vec![&one, &two]),
        (json!(["two"]), vec![&two]),
        (json!("one"), vec![&one]),
    ] {
        let made = post(given.clone()).await.expect(200)["share_group_type"].clone();
        let mut shown: Vec<String> = serde_json::from_value(made["share_types"].clone()).unwrap();
        let mut expected: Vec<String> = expected.into_iter().cloned().collect();
        shown.sort();
        expected.sort();
        assert_eq!(shown, expected, "{given}");
        assert_eq!((&made["is_public"], &made["group_specs"]), (&json!(true), &json!({})));
        if expected.contains(&two) {
            let in_use = server.delete(&format!("/v2/types/{two}")).await;
            assert_eq!(in_use.fault(400, "badRequest"), "Target share type is still in use.");
        }
        let again = server.get(&path(&made)).await.expect(200);
        assert_eq!(again["share_group_type"], made);
        assert_eq!(server.delete(&path(&made)).await.status, 204);
        server.get(&path(&made)).await.fault(404, "itemNotFound");
        server.delete(&path(&made)).await.fault(404, "itemNotFound");
    }
    assert_eq!(server.delete(&format!("/v2/types/{two}")).await.status, 202);
    for gone in [json!(["two"]), json!([one, two]), json!("nope"), json!([""])] {
        let answer = post(gone.clone()).await;
        assert!(matches!(answer.status, 400 | 404), "{gone}: {}", answer.text);
    }
    // A request that failed left nothing.
    assert_eq!(server.get(PATH).await.expect(200), json!({ "share_group_types": [] }));
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", true, json!({})).await;
    let body = json!({ "share_group_type": { "name": "gold", "share_types": ["plain"] } });
    let message = server.post(PATH, body).await.fault(409, "conflictingRequest");
    assert_eq!(message, "Share group type gold already exists.");
    assert_eq!(server.delete(&path(&made)).await.status, 204);
    create(&server, "gold", true, json!({})).await;
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let server = TestServer::start().await;
    share_type(&server, "plain").await;
    let long = "x".repeat(256);
    for (change, said) in [
        (json!({"name": null}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": long}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"share_types": null}), "share types"),
        (json!({"share_types": []}), "share types"),
        (json!({"share_types": [1]}), "share types"),
        (json!({"share_types": ["plain", ""]}), "share types"),
        (json!({"share_types": {"a": "b"}}), "share types"),
        (json!({"group_specs": "x"}), "group_specs"),
        (json!({"group_specs": {"a": 5}}), "group_specs"),
        (json!({"group_specs": {"a": {"b": "c"}}}), "group_specs"),
        (json!({"group_specs": {"a": long}}), "group_specs"),
        (json!({"group_specs": {"": "x"}}), "group_specs"),
        (json!({"is_public": "nope"}), "is_public"),
    ] {
        let mut body = json!({ "share_group_type": { "name": "n", "share_types": ["plain"] } });
        for (key, value) in change.as_object().unwrap() {
            body["share_group_type"][key] = value.clone();
        }
        let message = server.post(PATH, body).await.fault(400, "badRequest");
        assert!(message.contains(said), "{change}: {message}");
    }
    for body in [json!({}), json!({"share_group_type": null}), json!({"share_group_type": []})] {
        server.post(PATH, body).await.fault(400, "badRequest");
    }
}
