//! Deleting, also by force.

use abaca::api::V;
use abaca_model::{OperationKind, SnapshotStatus};
use abaca_store::{audit, operations, snapshot_instances};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, one_snapshot};
use crate::support::{Answer, TestServer};

async fn delete(server: &TestServer, id: impl std::fmt::Display, token: &str) -> Answer {
    let path = format!("/v2/snapshots/{id}");
    server.request(Method::DELETE, &path).token(token).send().await
}

async fn set_status(server: &TestServer, id: impl std::fmt::Display, status: &str) {
    let body = json!({ "reset_status": { "status": status } });
    server.post(&format!("/v2/snapshots/{id}/action"), body).await.expect(202);
}

#[tokio::test]
async fn every_instance_is_taken_over_for_its_deletion() {
    let (server, snapshot, instance) = one_snapshot().await;
    let answer = delete(&server, snapshot.id, ALICE).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let mut tx = server.app.db.read().await.unwrap();
    let deleting = snapshot_instances::get(&mut tx, instance.id).await.unwrap().unwrap();
    assert_eq!(deleting.status, SnapshotStatus::Deleting);
    assert_eq!(deleting.fence, instance.fence + 1);
    let queued = operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap().remove(0);
    assert_eq!(
        (queued.kind, queued.resource_fence),
        (OperationKind::DeleteSnapshot, deleting.fence)
    );
    assert_eq!(queued.service.as_deref(), Some("seed@seed"));
    let arguments: Value = serde_json::from_str(&queued.arguments).unwrap();
    assert_eq!(arguments, json!({ "force": false }));
    assert_eq!((queued.user_id.as_str(), queued.project_id.as_str()), ("alice", "project"));
    assert_eq!(Some(queued.request_id.as_str()), answer.header("x-openstack-request-id"));
    assert_eq!(audit::of_resource(&mut tx, &instance.id.to_string()).await.unwrap(), []);
    let message = delete(&server, snapshot.id, ALICE).await.fault(400, "badRequest");
    assert_eq!(
        message,
        "Invalid share snapshot: Share Snapshot status must be one of ('available', 'error')."
    );
    assert_eq!(operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_what_is_available_or_in_error_can_be_deleted() {
    let (server, snapshot, _) = one_snapshot().await;
    for status in ["creating", "deleting", "error_deleting", "migrating", "restoring"] {
        set_status(&server, snapshot.id, status).await;
        delete(&server, snapshot.id, "root:project:admin").await.fault(400, "badRequest");
    }
    set_status(&server, snapshot.id, "error").await;
    delete(&server, snapshot.id, ALICE).await.expect(202);
}

#[tokio::test]
async fn who_may_not_delete_is_told_nothing_more() {
    let (server, snapshot, _) = one_snapshot().await;
    let message = delete(&server, snapshot.id, "bob:other:member").await;
    assert_eq!(message.fault(404, "itemNotFound"), "The resource could not be found.");
    for id in [snapshot.id.to_string(), "nope".to_owned()] {
        let message = delete(&server, id, "carol:project:reader").await.fault(403, "forbidden");
        assert_eq!(message, "Policy doesn't allow share:delete_snapshot to be performed.");
    }
    delete(&server, "nope", ALICE).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn force_takes_a_snapshot_from_any_status_and_is_on_record() {
    let (server, snapshot, instance) = one_snapshot().await;
    let path = format!("/v2/snapshots/{}/action", snapshot.id);
    for (version, name, status) in
        [(V(2, 6), "os-force_delete", "creating"), (V::MAX, "force_delete", "error_deleting")]
    {
        set_status(&server, snapshot.id, status).await;
        let force = |token: &str| {
            let request = server.request(Method::POST, &path).token(token).at(version);
            request.json(&json!({ name: null })).send()
        };
        let message = force(ALICE).await.fault(403, "forbidden");
        assert_eq!(message, "Access was denied to this resource.");
        assert_eq!(force("root:project:admin").await.expect(202), Value::Null);
        let mut tx = server.app.db.read().await.unwrap();
        let records = audit::of_resource(&mut tx, &instance.id.to_string()).await.unwrap();
        let record = records.last().unwrap();
        assert_eq!(record.action, "force_delete");
        assert_eq!((record.status_from.as_str(), record.status_to.as_str()), (status, "deleting"));
        assert_eq!(record.user_id, "root");
        let queued = operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap();
        let arguments: Value = serde_json::from_str(&queued.last().unwrap().arguments).unwrap();
        assert_eq!(arguments, json!({ "force": true }));
    }
    for (version, name) in [(V(2, 6), "force_delete"), (V(2, 7), "os-force_delete")] {
        let request = server.request(Method::POST, &path).at(version).json(&json!({ name: null }));
        request.send().await.fault(404, "itemNotFound");
    }
}
