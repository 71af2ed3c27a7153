//! Asking for a share: what is made, what is queued, and who may.

use abaca::api::V;
use abaca::policy::Policy;
use abaca_model::{OperationKind, OperationState, ShareId, ShareStatus};
use abaca_store::shares;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, BOB, RITA, add_type, create, instance_of, operations_of, server};
use crate::support::TestServer;

async fn made(server: &TestServer, share: Value) -> ShareId {
    let made = create(server, ALICE, share).await.expect(200);
    made["share"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_share_its_instance_and_its_operation_are_made_together() {
    let server = server().await;
    let asked = json!({ "size": "3", "share_proto": "cifs", "display_name": "n" });
    let id = made(&server, asked).await;
    let mut tx = server.app.db.read().await.unwrap();
    let share = shares::get(&mut tx, id).await.unwrap().unwrap();
    drop(tx);
    assert_eq!((share.project_id.as_str(), share.user_id.as_str()), ("project", "alice"));
    assert_eq!((share.size, share.share_proto.as_str()), (3, "CIFS"));
    assert_eq!((share.name.as_deref(), share.description), (Some("n"), None));
    assert!(share.capabilities.mount_snapshot_support, "as the type has it");
    let instance = instance_of(&server, id).await;
    assert_eq!((instance.status, instance.host, instance.fence), (ShareStatus::Creating, None, 1));
    let operations = operations_of(&server, id).await;
    assert_eq!(operations.len(), 1);
    let operation = &operations[0];
    assert_eq!(operation.kind, OperationKind::CreateShare);
    assert_eq!(operation.state, OperationState::Queued);
    assert_eq!((operation.resource_fence, operation.service.as_deref()), (1, None));
    assert_eq!(operation.arguments, "{}");
    assert_eq!(operation.user_id, "alice");
    assert!(operation.request_id.starts_with("req-"), "{}", operation.request_id);
}

#[tokio::test]
async fn capabilities_are_copied_from_the_type_that_was_named() {
    let server = server().await;
    let plain = add_type(&server, 5, "plain", &[("snapshot_support", "<is> True")]).await;
    for name in ["plain".to_owned(), plain.to_string()] {
        for key in ["share_type", "volume_type"] {
            let mut asked = json!({ "size": 1, "share_proto": "NFS" });
            asked[key] = json!(name);
            let share = create(&server, ALICE, asked).await.expect(200)["share"].take();
            assert_eq!(share["share_type_name"], "plain");
            assert_eq!(share["share_type"], json!(plain));
            assert_eq!(share["snapshot_support"], true);
            assert_eq!(share["create_share_from_snapshot_support"], false);
            assert_eq!(share["revert_to_snapshot_support"], false);
            assert_eq!(share["mount_snapshot_support"], false);
        }
    }
}

#[tokio::test]
async fn a_zone_may_be_asked_for_by_name_or_id() {
    let server = server().await;
    let zones = server.get("/v2/availability-zones").await;
    let zones = zones.json();
    let far = zones["availability_zones"].as_array().unwrap().iter().find(|z| z["name"] == "far");
    let mut asked = vec!["far".to_owned()];
    asked.extend(far.map(|zone| zone["id"].as_str().unwrap().to_owned()));
    for zone in asked {
        let share = json!({ "size": 1, "share_proto": "NFS", "availability_zone": zone });
        let share = create(&server, ALICE, share).await.expect(200);
        assert_eq!(share["share"]["availability_zone"], "far");
    }
    let share = json!({ "size": 1, "share_proto": "NFS", "availability_zone": "nowhere" });
    let message = create(&server, ALICE, share).await.fault(404, "itemNotFound");
    assert_eq!(message, "Availability zone nowhere could not be found.");
}

#[tokio::test]
async fn the_default_type_stands_in_and_must_be_there() {
    let server = TestServer::start().await;
    let share = json!({ "size": 1, "share_proto": "NFS" });
    let message = create(&server, ALICE, share).await.fault(404, "itemNotFound");
    assert_eq!(message, "Share type not found.");
}

#[tokio::test]
async fn a_private_type_is_for_those_it_was_granted_to() {
    let server = server().await;
    let body = json!({ "share_type": {
        "name": "private", "share_type_access:is_public": false,
        "extra_specs": { "driver_handles_share_servers": "False" },
    } });
    let private = server.post("/v2/types", body).await.expect(200);
    let id = private["share_type"]["id"].as_str().unwrap();
    let share = json!({ "size": 1, "share_proto": "NFS", "share_type": "private" });
    create(&server, ALICE, share.clone()).await.fault(404, "itemNotFound");
    let grant = json!({ "addProjectAccess": { "project": "project" } });
    server.post(&format!("/v2/types/{id}/action"), grant).await.expect(202);
    create(&server, ALICE, share.clone()).await.expect(200);
    create(&server, BOB, share).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn a_public_share_needs_its_own_rule() {
    let server = server().await;
    let share =
        |is_public: Value| json!({ "size": 1, "share_proto": "NFS", "is_public": is_public });
    let message = create(&server, ALICE, share(json!(true))).await.fault(403, "forbidden");
    assert_eq!(message, "User is not authorized to set 'is_public' to True in the request.");
    create(&server, ALICE, share(json!("no"))).await.expect(200);
    let made = create(&server, "root:admin:admin", share(json!("True"))).await.expect(200);
    assert_eq!(made["share"]["is_public"], true);
    let open = json!({ "share:create_public_share": "rule:project-member" });
    let open =
        super::prepared(TestServer::with_policy(Policy::from_rules(&open).unwrap()).await).await;
    create(&open, ALICE, share(json!(true))).await.expect(200);
}

#[tokio::test]
async fn a_reader_makes_none() {
    let server = server().await;
    let share = json!({ "size": 1, "share_proto": "NFS" });
    let message = create(&server, RITA, share).await.fault(403, "forbidden");
    assert_eq!(message, "Access was denied to this resource.");
    let list = server.get("/v2/shares?all_tenants=1").await.expect(200);
    assert_eq!(list, json!({ "shares": [] }));
}

#[tokio::test]
async fn every_version_creates() {
    let server = server().await;
    for minor in [0, 23, 24, 30, 31, 47, 48, 64, 65, 84, 90, 99] {
        let body = json!({ "share": {
            "size": 1, "share_proto": "NFS", "name": "", "description": null, "share_type": null,
            "share_network_id": null, "snapshot_id": null, "availability_zone": null,
            "share_group_id": null, "is_public": false, "metadata": {}, "scheduler_hints": {},
            "mount_point_name": null, "encryption_key_ref": null, "unknown": [1],
        } });
        let request = server.request(Method::POST, "/v2/shares").token(ALICE).at(V(2, minor));
        request.json(&body).send().await.expect(200);
    }
}
