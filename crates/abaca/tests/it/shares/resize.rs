//! Growing and shrinking.

use abaca::api::V;
use abaca_model::{OperationKind, ShareId, ShareStatus};
use serde_json::{Value, json};

use super::{
    ALICE, BOB, RITA, act, act_at, add_type, create, created, instance_of, operations_of, server,
    set_status, settle,
};
use crate::support::TestServer;

async fn settled(server: &TestServer, size: i64) -> ShareId {
    let share = json!({ "size": size, "share_proto": "NFS" });
    let share = create(server, ALICE, share).await.expect(200);
    let id = share["share"]["id"].as_str().unwrap().parse().unwrap();
    settle(server, id).await;
    id
}

fn grow(size: impl Into<Value>) -> Value {
    json!({ "extend": { "new_size": size.into() } })
}

fn shrink(size: impl Into<Value>) -> Value {
    json!({ "shrink": { "new_size": size.into() } })
}

#[tokio::test]
async fn the_size_changes_when_the_operation_has_ended() {
    let server = server().await;
    for (size, body, status, kind) in [
        (5, grow("5"), ShareStatus::Extending, OperationKind::ExtendShare),
        (1, shrink(1), ShareStatus::Shrinking, OperationKind::ShrinkShare),
    ] {
        let id = settled(&server, 2).await;
        let fence = instance_of(&server, id).await.fence;
        let answer = act(&server, ALICE, id, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""));
        let instance = instance_of(&server, id).await;
        assert_eq!((instance.status, instance.fence), (status, fence + 1));
        let shown = server.get(&format!("/v2/shares/{id}")).await.expect(200);
        assert_eq!(
            (&shown["share"]["size"], &shown["share"]["status"]),
            (&json!(2), &json!(status))
        );
        let operations = operations_of(&server, id).await;
        let operation = operations.last().unwrap();
        assert_eq!((operation.kind, operation.resource_fence), (kind, fence + 1));
        assert_eq!(operation.service.as_deref(), Some("h@b"));
        let arguments: Value = serde_json::from_str(&operation.arguments).unwrap();
        assert_eq!(arguments, json!({ "new_size": size }));
    }
}

#[tokio::test]
async fn only_what_is_larger_is_an_extend_and_what_is_smaller_a_shrink() {
    let server = server().await;
    let id = settled(&server, 3).await;
    for size in [0, 1, 3] {
        let message = act(&server, ALICE, id, grow(size)).await.fault(400, "badRequest");
        assert_eq!(
            message,
            format!(
                "Invalid input received: New size for extend must be greater than current size. \
                 (current: 3, extended: {size})."
            )
        );
    }
    for size in [0, 3, 4] {
        let message = act(&server, ALICE, id, shrink(size)).await.fault(400, "badRequest");
        assert!(
            message.contains("New size for shrink must be less than current size"),
            "{message}"
        );
    }
    assert_eq!(operations_of(&server, id).await.len(), 1, "that of its creation");
}

#[tokio::test]
async fn the_status_must_allow_it() {
    let server = server().await;
    let id = settled(&server, 2).await;
    for status in ShareStatus::ALL {
        set_status(&server, id, *status).await;
        if status.is_deferred() {
            // To its tenant it is gone already.
            act(&server, ALICE, id, grow(3)).await.expect(404);
            continue;
        }
        if *status != ShareStatus::Available {
            let message = act(&server, ALICE, id, grow(3)).await.fault(400, "badRequest");
            assert!(message.contains(&format!("current status is: {status}")), "{message}");
        }
        let shrinks = [ShareStatus::Available, ShareStatus::ShrinkingPossibleDataLossError];
        if !shrinks.contains(status) {
            act(&server, ALICE, id, shrink(1)).await.fault(400, "badRequest");
        }
    }
    set_status(&server, id, ShareStatus::ShrinkingPossibleDataLossError).await;
    act(&server, ALICE, id, shrink(1)).await.expect(202);
    let unplaced = created(&server, ALICE).await;
    set_status(&server, unplaced, ShareStatus::Available).await;
    act(&server, ALICE, unplaced, grow(3)).await.fault(400, "badRequest");
}

#[tokio::test]
async fn force_is_for_administrators_since_2_64() {
    let server = server().await;
    let id = settled(&server, 2).await;
    let forced = json!({ "extend": { "new_size": 3, "force": true } });
    let message = act(&server, ALICE, id, forced.clone()).await.fault(403, "forbidden");
    assert_eq!(message, "Policy doesn't allow share:force_extend to be performed.");
    act_at(&server, V(2, 63), ALICE, id, forced.clone()).await.expect(202);
    settle(&server, id).await;
    act(&server, "root:admin:admin", id, forced).await.expect(202);
    settle(&server, id).await;
    let old = json!({ "os-extend": { "new_size": 4 } });
    act_at(&server, V(2, 6), ALICE, id, old).await.expect(202);
    settle(&server, id).await;
    let old = json!({ "os-shrink": { "new_size": 1 } });
    act_at(&server, V(2, 6), ALICE, id, old).await.expect(202);
}

#[tokio::test]
async fn the_type_bounds_the_size() {
    let server = server().await;
    let specs = [
        ("provisioning:min_share_size", "2"),
        ("provisioning:max_share_size", "4"),
        ("provisioning:max_share_extend_size", "6"),
    ];
    add_type(&server, 5, "sized", &specs).await;
    let share = json!({ "size": 3, "share_proto": "NFS", "share_type": "sized" });
    let share = create(&server, ALICE, share).await.expect(200);
    let id = share["share"]["id"].as_str().unwrap().parse().unwrap();
    settle(&server, id).await;
    let root = "root:admin:admin";
    act(&server, ALICE, id, shrink(1)).await.fault(400, "badRequest");
    act(&server, ALICE, id, grow(5)).await.fault(400, "badRequest");
    act(&server, root, id, grow(7)).await.fault(400, "badRequest");
    act(&server, root, id, grow(6)).await.expect(202);
}

#[tokio::test]
async fn others_are_refused() {
    let server = server().await;
    let id = settled(&server, 2).await;
    for body in [grow(3), shrink(1)] {
        let message = act(&server, RITA, id, body.clone()).await.fault(403, "forbidden");
        assert_eq!(message, "Access was denied to this resource.");
        act(&server, BOB, id, body).await.fault(404, "itemNotFound");
    }
    let public = json!({ "share": { "is_public": true } });
    server.put(&format!("/v2/shares/{id}"), public).await.expect(200);
    for (body, rule) in [(grow(3), "share:extend"), (shrink(1), "share:shrink")] {
        let message = act(&server, BOB, id, body).await.fault(403, "forbidden");
        assert_eq!(message, format!("Policy doesn't allow {rule} to be performed."));
    }
}
