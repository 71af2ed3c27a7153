//! Who may mount a snapshot.

use abaca::api::V;
use abaca_model::{OperationKind, Share, Snapshot, SnapshotInstance, SnapshotStatus, Timestamp};
use abaca_store::access_rules::Of;
use abaca_store::snapshot_work;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, BOB, RITA, act, operations_of, rows, settle};
use crate::support::{Answer, TestServer, seed};

async fn one_snapshot(mountable: bool) -> (TestServer, Snapshot, SnapshotInstance) {
    let server = TestServer::start().await;
    let (mut share, place) = seed::share(1, "project");
    share.capabilities.mount_snapshot_support = mountable;
    let share = Share { ..share };
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    let (snapshot, instance) = seed::snapshot(2, &place);
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
    (server, snapshot, instance)
}

async fn allow(server: &TestServer, token: &str, version: V, id: &str, rule: Value) -> Answer {
    let path = format!("snapshots/{id}");
    act(server, token, version, &path, json!({ "allow_access": rule })).await
}

async fn list(server: &TestServer, token: &str, id: &str) -> Answer {
    server.get_as(token, V::MAX, &format!("/v2/snapshots/{id}/access-list")).await
}

#[tokio::test]
async fn a_rule_comes_is_listed_and_goes() {
    let (server, snapshot, instance) = one_snapshot(true).await;
    let id = snapshot.id.to_string();
    let rule = json!({ "access_type": "ip", "access_to": "10.0.0.0/24" });
    let allowed = allow(&server, ALICE, V(2, 32), &id, rule).await.expect(202);
    let allowed = &allowed["snapshot_access"];
    let expected = json!({
        "id": allowed["id"], "access_type": "ip", "access_to": "10.0.0.0/24",
        "state": "queued_to_apply",
    });
    assert_eq!(*allowed, expected);
    let listed = list(&server, RITA, &id).await.expect(200);
    assert_eq!(listed, json!({ "snapshot_access_list": [expected] }));
    let made = operations_of(&server, instance.id.uuid()).await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].kind, OperationKind::UpdateSnapshotAccessRules);
    assert_eq!(made[0].service.as_deref(), Some("seed@seed"));

    assert!(settle(&server, Of::Snapshots, instance.id.uuid(), &[]).await);
    let listed = list(&server, ALICE, &id).await.expect(200);
    assert_eq!(listed["snapshot_access_list"][0]["state"], "active");

    let deny = json!({ "deny_access": { "access_id": allowed["id"] } });
    let path = format!("snapshots/{id}");
    let denied = act(&server, ALICE, V::MAX, &path, deny.clone()).await;
    assert_eq!((denied.status, denied.text.as_str()), (202, ""));
    let listed = list(&server, ALICE, &id).await.expect(200);
    assert_eq!(listed["snapshot_access_list"][0]["state"], "queued_to_deny");
    assert!(settle(&server, Of::Snapshots, instance.id.uuid(), &[]).await);
    let listed = list(&server, ALICE, &id).await.expect(200);
    assert_eq!(listed, json!({ "snapshot_access_list": [] }));
    let message = act(&server, ALICE, V::MAX, &path, deny).await.fault(404, "itemNotFound");
    assert_eq!(message, "NotFound: Resource could not be found.");
}

#[tokio::test]
async fn bad_rules_are_named() {
    let (server, snapshot, _) = one_snapshot(true).await;
    let id = snapshot.id.to_string();
    let ip = |text: &str| json!({ "access_type": "ip", "access_to": text });
    for (rule, problem) in [
        (json!(null), "Access data not found"),
        (json!({}), "Required parameter access_type not found."),
        (json!({ "access_type": "ip" }), "Required parameter access_to not found."),
        (
            json!({ "access_type": "", "access_to": "x" }),
            "Required parameter access_type is empty.",
        ),
        (json!({ "access_type": "ip", "access_to": 1 }), "Parameter access_to must be a string."),
        (json!({ "access_type": "cephx", "access_to": "alice" }), "'ip', 'user' or 'cert'"),
        (ip("1.2.3.4/33"), "neither an IP address"),
        (ip("2001:0db8:0000:85a3:0000:0000:ac1f:8001/64"), "host bits"),
    ] {
        let answer = allow(&server, ALICE, V::MAX, &id, rule.clone()).await;
        let message = answer.fault(400, "badRequest");
        assert!(message.contains(problem), "{rule}: {message}");
    }
    allow(&server, ALICE, V(2, 37), &id, ip("fd00::1")).await.fault(400, "badRequest");
    allow(&server, ALICE, V(2, 38), &id, ip("fd00::1")).await.expect(202);
    let message = allow(&server, ALICE, V::MAX, &id, ip("fd00::1/128")).await;
    let message = message.fault(400, "badRequest");
    assert_eq!(message, "Share snapshot access ip:fd00::1/128 exists.");
    allow(&server, ALICE, V(2, 31), &id, ip("10.0.0.1")).await.fault(404, "itemNotFound");
    for body in [json!({}), json!({ "access_id": "" }), json!({ "access_id": 1 })] {
        let path = format!("snapshots/{id}");
        let denied = act(&server, ALICE, V::MAX, &path, json!({ "deny_access": body })).await;
        denied.fault(400, "badRequest");
    }
}

#[tokio::test]
async fn only_snapshots_that_can_be_mounted_have_rules() {
    let (server, snapshot, _) = one_snapshot(false).await;
    let id = snapshot.id.to_string();
    let rule = json!({ "access_type": "ip", "access_to": "10.0.0.1" });
    let path = format!("snapshots/{id}");
    let deny = json!({ "deny_access": { "access_id": "nope" } });
    for answer in [
        allow(&server, ALICE, V::MAX, &id, rule).await,
        act(&server, ALICE, V::MAX, &path, deny).await,
        list(&server, ALICE, &id).await,
    ] {
        let message = answer.fault(400, "badRequest");
        assert!(message.contains("does not support mounting its snapshots"), "{message}");
    }
}

#[tokio::test]
async fn the_snapshot_must_be_available() {
    let (server, snapshot, instance) = one_snapshot(true).await;
    let id = snapshot.id.to_string();
    let path = format!("snapshots/{id}");
    let rule =
        |number: usize| json!({ "access_type": "ip", "access_to": format!("10.0.0.{number}") });
    let first = allow(&server, ALICE, V::MAX, &id, rule(255)).await.expect(202);
    let deny = json!({ "deny_access": { "access_id": first["snapshot_access"]["id"] } });
    for (number, status) in SnapshotStatus::ALL.iter().enumerate() {
        let mut tx = server.app.db.write().await.unwrap();
        let (fence, now) = (instance.fence, Timestamp::now());
        snapshot_work::set_status(&mut tx, instance.id, fence, *status, now).await.unwrap();
        tx.commit().await.unwrap();
        let answers = [
            allow(&server, ALICE, V::MAX, &id, rule(number)).await,
            act(&server, ALICE, V::MAX, &path, deny.clone()).await,
        ];
        for answer in answers {
            if *status == SnapshotStatus::Available {
                assert_eq!(answer.status, 202, "{}", answer.text);
            } else if status.is_deferred() {
                // To its tenant it is gone already.
                assert_eq!(answer.status, 404, "{}", answer.text);
            } else {
                let message = answer.fault(400, "badRequest");
                assert!(message.contains("is not in available state"), "{status}: {message}");
            }
        }
    }
}

#[tokio::test]
async fn others_are_refused_and_rules_go_with_their_snapshot() {
    let (server, snapshot, instance) = one_snapshot(true).await;
    let id = snapshot.id.to_string();
    let rule = json!({ "access_type": "user", "access_to": "joey" });
    allow(&server, BOB, V::MAX, &id, rule.clone()).await.fault(404, "itemNotFound");
    list(&server, BOB, &id).await.fault(404, "itemNotFound");
    allow(&server, RITA, V::MAX, &id, rule.clone()).await.fault(403, "forbidden");
    allow(&server, ALICE, V::MAX, "nope", rule.clone()).await.fault(404, "itemNotFound");
    let made = allow(&server, ALICE, V::MAX, &id, rule).await.expect(202);
    // The rule of a snapshot is none of a share.
    let path =
        format!("/v2/share-access-rules/{}", made["snapshot_access"]["id"].as_str().unwrap());
    server.request(Method::GET, &path).send().await.fault(404, "itemNotFound");

    let mut tx = server.app.db.write().await.unwrap();
    let work = snapshot_work::load(&mut tx, instance.id).await.unwrap().unwrap();
    assert!(snapshot_work::remove(&mut tx, &work, work.fence).await.unwrap());
    tx.commit().await.unwrap();
    assert!(rows(&server, Of::Snapshots, snapshot.id.uuid()).await.is_empty());
}
