//! Deleting, also by force.

use abaca::api::V;
use abaca_model::{OperationKind, ShareId, ShareStatus};
use abaca_store::audit;
use axum::http::Method;
use serde_json::json;

use super::{
    ALICE, BOB, RITA, act, act_at, created, instance_of, operations_of, server, set_status, settle,
};
use crate::support::{Answer, TestServer, seed};

async fn delete(server: &TestServer, token: &str, id: ShareId) -> Answer {
    server.request(Method::DELETE, &format!("/v2/shares/{id}")).token(token).send().await
}

#[tokio::test]
async fn a_deletion_takes_the_instance_over() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let answer = delete(&server, ALICE, id).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let instance = instance_of(&server, id).await;
    assert_eq!((instance.status, instance.fence), (ShareStatus::Deleting, 2));
    let operations = operations_of(&server, id).await;
    let operation = operations.last().unwrap();
    assert_eq!((operation.kind, operation.resource_fence), (OperationKind::DeleteShare, 2));
    assert_eq!(operation.service.as_deref(), Some("h@b"));
    assert_eq!(operation.arguments, r#"{"force":false}"#);
    let message = delete(&server, ALICE, id).await.fault(403, "forbidden");
    assert_eq!(
        message,
        "Invalid share: Share status must be one of ('available', 'error', 'inactive')."
    );
}

#[tokio::test]
async fn what_was_never_placed_is_deleted_by_any_worker() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    delete(&server, ALICE, id).await.fault(403, "forbidden");
    set_status(&server, id, ShareStatus::Error).await;
    delete(&server, ALICE, id).await.expect(202);
    assert_eq!(operations_of(&server, id).await.last().unwrap().service, None);
}

#[tokio::test]
async fn only_settled_shares_are_deleted_but_by_force() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let settled = [ShareStatus::Available, ShareStatus::Error, ShareStatus::Inactive];
    for status in ShareStatus::ALL {
        set_status(&server, id, *status).await;
        // Whose deletion was deferred, its tenant does not see.
        let expected = match status {
            status if settled.contains(status) => 202,
            status if status.is_deferred() => 404,
            _ => 403,
        };
        assert_eq!(delete(&server, ALICE, id).await.status, expected, "{status}");
        set_status(&server, id, *status).await;
        let forced = json!({ "force_delete": null });
        act(&server, "root:admin:admin", id, forced).await.expect(202);
    }
    let last = operations_of(&server, id).await.pop().unwrap();
    assert_eq!(last.arguments, r#"{"force":true}"#);
    let instance = instance_of(&server, id).await;
    let mut tx = server.app.db.read().await.unwrap();
    let records = audit::of_resource(&mut tx, &instance.id.to_string()).await.unwrap();
    assert_eq!(records.len(), ShareStatus::ALL.len(), "force is on record");
    let record = records.last().unwrap();
    assert_eq!((record.user_id.as_str(), record.action.as_str()), ("root", "force_delete"));
    assert_eq!(record.status_to, "deleting");
}

#[tokio::test]
async fn snapshots_hold_a_share() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let place = instance_of(&server, id).await;
    let (snapshot, instance) = seed::snapshot(2, &place);
    seed::add_snapshot(&server.app.db, &snapshot, &[instance]).await;
    let held = "Invalid share: Share still has 1 dependent snapshots.";
    assert_eq!(delete(&server, ALICE, id).await.fault(403, "forbidden"), held);
    let forced = json!({ "force_delete": {} });
    let answer = act(&server, "root:admin:admin", id, forced).await;
    assert_eq!(answer.fault(400, "badRequest"), held);
    assert_eq!(instance_of(&server, id).await.status, ShareStatus::Available);
}

#[tokio::test]
async fn others_are_refused() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let denied = "Access was denied to this resource.";
    assert_eq!(delete(&server, RITA, id).await.fault(403, "forbidden"), denied);
    delete(&server, BOB, id).await.fault(404, "itemNotFound");
    for token in [ALICE, BOB, RITA] {
        let answer = act(&server, token, id, json!({ "force_delete": null })).await;
        assert_eq!(answer.fault(403, "forbidden"), denied);
    }
    let public = json!({ "share": { "is_public": true } });
    server.put(&format!("/v2/shares/{id}"), public).await.expect(200);
    let message = delete(&server, BOB, id).await.fault(403, "forbidden");
    assert_eq!(message, "Policy doesn't allow share:delete to be performed.");
    let old = json!({ "os-force_delete": null });
    act_at(&server, V(2, 6), "root:admin:admin", id, old).await.expect(202);
}
