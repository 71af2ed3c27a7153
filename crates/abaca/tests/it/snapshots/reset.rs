//! An administrator's reset of a snapshot: of all its instances.

use abaca::api::V;
use abaca_model::{
    ShareInstance, ShareInstanceId, ShareStatus, SnapshotInstance, SnapshotInstanceId,
    SnapshotStatus,
};
use abaca_store::{audit, share_instances, snapshot_instances};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, one_share};
use crate::support::seed;

#[tokio::test]
async fn every_instance_is_set_and_on_record() {
    let (server, _, place) = one_share().await;
    let second = ShareInstance {
        id: ShareInstanceId::from(seed::uuid(7)),
        replica_state: Some("in_sync".to_owned()),
        ..place.clone()
    };
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &second).await.unwrap();
    tx.commit().await.unwrap();
    let (snapshot, instance) = seed::snapshot(2, &place);
    let other = SnapshotInstance {
        id: SnapshotInstanceId::from(seed::uuid(8)),
        share_instance_id: second.id,
        ..instance.clone()
    };
    seed::add_snapshot(&server.app.db, &snapshot, &[instance.clone(), other.clone()]).await;
    let path = format!("/v2/snapshots/{}", snapshot.id);
    for status in ["error", "restoring", "manage_starting", "available"] {
        let body = json!({ "reset_status": { "status": status } });
        let answer = server.post(&format!("{path}/action"), body).await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""));
        assert_eq!(server.get(&path).await.expect(200)["snapshot"]["status"], status);
        let mut tx = server.app.db.read().await.unwrap();
        for id in [instance.id, other.id] {
            let reset = snapshot_instances::get(&mut tx, id).await.unwrap().unwrap();
            assert_eq!(reset.status.as_str(), status);
            let records = audit::of_resource(&mut tx, &id.to_string()).await.unwrap();
            assert_eq!(records.last().unwrap().status_to, status);
            assert_eq!(reset.fence, 1 + records.len() as i64);
        }
    }
}

#[tokio::test]
async fn what_a_migration_left_behind_goes_on_going() {
    for left in [ShareStatus::Deleting, ShareStatus::ErrorDeleting] {
        let (server, _, place) = one_share().await;
        let old = ShareInstance {
            id: ShareInstanceId::from(seed::uuid(7)),
            status: left,
            ..place.clone()
        };
        let mut tx = server.app.db.write().await.unwrap();
        share_instances::insert(&mut tx, &old).await.unwrap();
        tx.commit().await.unwrap();
        let (snapshot, instance) = seed::snapshot(2, &place);
        let going = SnapshotInstance {
            id: SnapshotInstanceId::from(seed::uuid(8)),
            share_instance_id: old.id,
            status: SnapshotStatus::Deleting,
            ..instance.clone()
        };
        seed::add_snapshot(&server.app.db, &snapshot, &[instance.clone(), going.clone()]).await;
        let (only, mut last) = seed::snapshot(3, &old);
        last.status = SnapshotStatus::Deleting;
        seed::add_snapshot(&server.app.db, &only, std::slice::from_ref(&last)).await;
        let body = json!({ "reset_status": { "status": "error" } });
        for id in [snapshot.id, only.id] {
            server.post(&format!("/v2/snapshots/{id}/action"), body.clone()).await.expect(202);
        }
        let mut tx = server.app.db.read().await.unwrap();
        // An instance that is the snapshot's last is reset wherever it is.
        for (id, status, fence) in [
            (instance.id, "error", 2),
            (going.id, "deleting", going.fence),
            (last.id, "error", last.fence + 1),
        ] {
            let found = snapshot_instances::get(&mut tx, id).await.unwrap().unwrap();
            assert_eq!((found.status.as_str(), found.fence), (status, fence), "{left}");
        }
    }
}

const INVALID: &str = "Invalid state. Valid states: available, error, error_deleting, deleting, \
                       creating, manage_starting, unmanage_starting, unmanage_error, manage_error, \
                       migrating, migrating_to, restoring.";

#[tokio::test]
async fn what_is_wrong_is_told() {
    let (server, snapshot, _) = super::one_snapshot().await;
    let path = format!("/v2/snapshots/{}/action", snapshot.id);
    let table: Vec<(Value, &str)> = vec![
        (json!({ "reset_status": {} }), "Must specify 'status'"),
        (json!({ "reset_status": { "status": "server_migrating" } }), INVALID),
        (json!({ "reset_status": { "status": null } }), INVALID),
        (json!({ "nope": {} }), "There is no such action: nope"),
        (json!({ "reset_status": {}, "force_delete": null }), "Malformed request body"),
        (json!([]), "Malformed request body"),
    ];
    for (body, expected) in table {
        assert_eq!(
            server.post(&path, body.clone()).await.fault(400, "badRequest"),
            expected,
            "{body}"
        );
    }
    let body = json!({ "reset_status": { "status": "error" } });
    let unknown = server.post("/v2/snapshots/nope/action", body.clone()).await;
    assert_eq!(unknown.fault(404, "itemNotFound"), "The resource could not be found.");
    let tenant = server.request(Method::POST, &path).token(ALICE).json(&body).send().await;
    assert_eq!(tenant.fault(403, "forbidden"), "Access was denied to this resource.");
}

#[tokio::test]
async fn its_name_changed_with_2_7() {
    let (server, snapshot, _) = super::one_snapshot().await;
    let path = format!("/v2/snapshots/{}/action", snapshot.id);
    for (version, name, status) in [
        (V(2, 0), "os-reset_status", 202),
        (V(2, 6), "os-reset_status", 202),
        (V(2, 7), "os-reset_status", 404),
        (V(2, 6), "reset_status", 404),
        (V(2, 7), "reset_status", 202),
    ] {
        let body = json!({ name: { "status": "error" } });
        let sent = server.request(Method::POST, &path).at(version).json(&body).send().await;
        assert_eq!(sent.status, status, "{name} at {version}");
    }
}
