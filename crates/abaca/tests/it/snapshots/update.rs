//! Renaming.

use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, one_snapshot};
use crate::support::{Answer, TestServer};

async fn put(server: &TestServer, id: impl std::fmt::Display, token: &str, body: Value) -> Answer {
    let path = format!("/v2/snapshots/{id}");
    server.request(Method::PUT, &path).token(token).json(&body).send().await
}

#[tokio::test]
async fn the_display_fields_change_and_nothing_else() {
    let (server, snapshot, _) = one_snapshot().await;
    let show =
        |body: &Value| (body["snapshot"]["name"].clone(), body["snapshot"]["description"].clone());
    for (change, name, description) in [
        (json!({}), json!("snapshot 2"), json!("before the move")),
        (json!({ "display_name": "new" }), json!("new"), json!("before the move")),
        (json!({ "display_description": null }), json!("new"), json!(null)),
        (json!({ "display_name": "" }), json!(""), json!(null)),
        (json!({ "name": "x", "status": "error", "size": 9 }), json!(""), json!(null)),
        (json!({ "display_name": "x".repeat(255) }), json!("x".repeat(255)), json!(null)),
    ] {
        let changed = put(&server, snapshot.id, ALICE, json!({ "snapshot": change })).await;
        let changed = changed.expect(200);
        assert_eq!(show(&changed), (name, description), "{change}");
        assert_eq!(changed["snapshot"]["status"], "available");
        assert_eq!(changed["snapshot"]["size"], 1);
        let path = format!("/v2/snapshots/{}", snapshot.id);
        let shown = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
        assert_eq!(shown, changed);
    }
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let (server, snapshot, _) = one_snapshot().await;
    let long = "x".repeat(256);
    for (body, status, fault, expected) in [
        (json!({}), 422, "computeFault", "Unable to process the contained instructions"),
        (json!([]), 422, "computeFault", "Unable to process the contained instructions"),
        (
            json!({ "snapshot": { "display_name": 7 } }),
            400,
            "badRequest",
            "Invalid value for display_name. Expecting a string.",
        ),
        (
            json!({ "snapshot": { "display_description": {} } }),
            400,
            "badRequest",
            "Invalid value for display_description. Expecting a string.",
        ),
        (
            json!({ "snapshot": { "display_name": long } }),
            400,
            "badRequest",
            "Invalid input received: display_name can only be 255 characters long.",
        ),
    ] {
        let message = put(&server, snapshot.id, ALICE, body.clone()).await.fault(status, fault);
        assert_eq!(message, expected, "{body}");
    }
    for body in [json!({ "snapshot": null }), json!({ "snapshot": [] }), json!({ "snapshot": "s" })]
    {
        put(&server, snapshot.id, ALICE, body).await.fault(400, "badRequest");
    }
}

#[tokio::test]
async fn who_may_not_is_refused() {
    let (server, snapshot, _) = one_snapshot().await;
    let body = json!({ "snapshot": {} });
    for id in [snapshot.id.to_string(), "nope".to_owned()] {
        let message = put(&server, id, "carol:project:reader", body.clone()).await;
        assert_eq!(
            message.fault(403, "forbidden"),
            "Policy doesn't allow share:snapshot_update to be performed."
        );
    }
    put(&server, snapshot.id, "bob:other:member", body.clone()).await.fault(404, "itemNotFound");
    put(&server, "nope", ALICE, body).await.fault(404, "itemNotFound");
}
