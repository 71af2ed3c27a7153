//! What is refused, and how.

use axum::http::Method;
use serde_json::{Value, json};

use super::one_snapshot;

const UNKNOWN: &str = "0abaca00-0000-4000-8000-00000000ffff";

#[tokio::test]
async fn an_unknown_instance_is_named() {
    let (server, _, _) = one_snapshot().await;
    for id in [UNKNOWN, "nope", "%F0%9F%A7%B6"] {
        let message =
            server.get(&format!("/v2/snapshot-instances/{id}")).await.fault(404, "itemNotFound");
        let shown = if id.starts_with('%') { "\u{1f9f6}" } else { id };
        assert_eq!(message, format!("Snapshot instance {shown} not found."));
        let body = json!({ "reset_status": { "status": "error" } });
        let message = server
            .post(&format!("/v2/snapshot-instances/{id}/action"), body)
            .await
            .fault(404, "itemNotFound");
        assert_eq!(message, "The resource could not be found.");
    }
}

const INVALID: &str = "Invalid state. Valid states: creating, available, deleting, error, \
                       error_deleting, migrating, migrating_to, server_migrating.";

#[tokio::test]
async fn a_reset_that_is_none_changes_nothing() {
    let (server, _, instance) = one_snapshot().await;
    let path = format!("/v2/snapshot-instances/{}/action", instance.id);
    let table: Vec<(Value, &str)> = vec![
        (json!({ "reset_status": {} }), "Must specify 'status'"),
        (json!({ "reset_status": null }), "Must specify 'status'"),
        (json!({ "reset_status": "error" }), "Must specify 'status'"),
        (json!({ "reset_status": [] }), "Must specify 'status'"),
        (json!({ "reset_status": { "os-status": "error" } }), "Must specify 'status'"),
        (json!({ "reset_status": { "status": null } }), INVALID),
        (json!({ "reset_status": { "status": 5 } }), INVALID),
        (json!({ "reset_status": { "status": [] } }), INVALID),
        (json!({ "reset_status": { "status": {} } }), INVALID),
        (json!({ "reset_status": { "status": "" } }), INVALID),
        (json!({ "reset_status": { "status": "ERROR" } }), INVALID),
        (json!({ "reset_status": { "status": "stuck" } }), INVALID),
        (json!({ "reset_status": { "status": "restoring" } }), INVALID),
        (json!({ "nope": null }), "There is no such action: nope"),
        (json!({ "force_delete": null }), "There is no such action: force_delete"),
        (
            json!({ "os-reset_status": { "status": "error" } }),
            "There is no such action: os-reset_status",
        ),
        (json!({ "reset_status": { "status": "error" }, "nope": 1 }), "Malformed request body"),
        (json!({}), "Malformed request body"),
        (json!([]), "Malformed request body"),
        (json!(["reset_status"]), "Malformed request body"),
        (json!("reset_status"), "Malformed request body"),
        (json!(null), "Malformed request body"),
    ];
    for (body, expected) in table {
        let message = server.post(&path, body.clone()).await.fault(400, "badRequest");
        assert_eq!(message, expected, "{body}");
    }
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    for text in ["{", "{\"reset_status\": {\"status\": \"error\"}", "nope", "\u{0}", &deep] {
        let sent = server.request(Method::POST, &path).text(text).send().await;
        assert_eq!(sent.fault(400, "badRequest"), "Malformed request body", "{text}");
    }
    let show = server.get(&format!("/v2/snapshot-instances/{}", instance.id)).await.expect(200);
    assert_eq!(show["snapshot_instance"]["status"], "available");
}

#[tokio::test]
async fn a_bad_status_is_told_before_whether_the_instance_is_there() {
    let (server, _, _) = one_snapshot().await;
    let body = json!({ "reset_status": { "status": "stuck" } });
    let path = format!("/v2/snapshot-instances/{UNKNOWN}/action");
    assert_eq!(server.post(&path, body).await.fault(400, "badRequest"), INVALID);
}

#[tokio::test]
async fn who_is_no_administrator_is_refused_before_anything_is_looked_at() {
    let (server, _, instance) = one_snapshot().await;
    for token in ["alice:project:member", "bob:other:member", "carol:project:reader"] {
        for id in [instance.id.to_string(), UNKNOWN.to_owned(), "nope".to_owned()] {
            for path in ["", "/detail", &format!("/{id}"), "?status=stuck"] {
                let path = format!("/v2/snapshot-instances{path}");
                let answer = server.request(Method::GET, &path).token(token).send().await;
                let message = answer.fault(403, "forbidden");
                assert_eq!(message, "Access was denied to this resource.", "{token} {path}");
            }
            for body in [
                json!({ "reset_status": { "status": "error" } }),
                json!({ "reset_status": { "status": "stuck" } }),
            ] {
                let path = format!("/v2/snapshot-instances/{id}/action");
                let request = server.request(Method::POST, &path).token(token).json(&body);
                request.send().await.fault(403, "forbidden");
            }
        }
    }
}

#[tokio::test]
async fn other_methods_are_named() {
    let (server, _, instance) = one_snapshot().await;
    for (method, path, allowed) in [
        (Method::POST, "/v2/snapshot-instances".to_owned(), "GET, HEAD"),
        (Method::DELETE, format!("/v2/snapshot-instances/{}", instance.id), "GET, HEAD"),
        (Method::GET, format!("/v2/snapshot-instances/{}/action", instance.id), "POST"),
    ] {
        let answer = server.request(method, &path).send().await;
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        answer.fault(405, "badMethod");
    }
}
