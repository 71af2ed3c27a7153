//! The recycle bin.

use std::time::Duration;

use abaca::api::V;
use abaca_model::{ShareId, ShareInstance, ShareInstanceId, ShareStatus, Timestamp};
use abaca_store::share_instances;
use axum::http::Method;
use serde_json::{Value, json};

use super::{
    ALICE, BOB, RITA, act, act_at, add, create, created, ids, instance_of, server, set_status,
    settle,
};
use crate::support::{Answer, TestServer, sample, seed};

const ROOT: &str = "root:admin:admin";

async fn soft_delete(server: &TestServer, token: &str, id: ShareId) -> Answer {
    act(server, token, id, sample("share-actions-soft-delete-request")).await
}

async fn restore(server: &TestServer, token: &str, id: ShareId) -> Answer {
    act(server, token, id, sample("share-actions-restore-request")).await
}

/// A server with a share of Alice's that is in the recycle bin.
async fn binned() -> (TestServer, ShareId) {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let answer = soft_delete(&server, ALICE, id).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    (server, id)
}

#[tokio::test]
async fn what_is_in_it_is_listed_apart() {
    let (server, id) = binned().await;
    let listed = async |token, minor, query: &str| {
        let of = async |path: &str| {
            let path = format!("/v2/{path}?{query}");
            ids(&server.get_as(token, V(2, minor), &path).await.expect(200))
        };
        let list = of("shares").await;
        assert_eq!(of("shares/detail").await, list, "{query}");
        list
    };
    let here = [id.to_string()];
    assert!(listed(ALICE, 0, "").await.is_empty());
    assert!(listed(ALICE, 99, "is_soft_deleted=false").await.is_empty());
    assert!(listed(ALICE, 68, "is_soft_deleted=true").await.is_empty(), "no such filter then");
    assert_eq!(listed(ALICE, 69, "is_soft_deleted=true").await, here);
    assert!(listed(BOB, 99, "is_soft_deleted=true").await.is_empty());
    assert_eq!(listed(ROOT, 99, "is_soft_deleted=1&all_tenants=1").await, here);
    let counted = server.get_as(ALICE, V::MAX, "/v2/shares?with_count=1").await.expect(200);
    assert_eq!(counted["count"], 0);

    let instances = async |path: &str| {
        let list = server.get(path).await.expect(200);
        list["share_instances"].as_array().unwrap().len()
    };
    assert_eq!(instances("/v2/share_instances").await, 0);
    assert_eq!(instances("/v2/share_instances?is_soft_deleted=true").await, 1);
    assert_eq!(instances(&format!("/v2/shares/{id}/instances")).await, 1);
}

#[tokio::test]
async fn its_end_is_shown() {
    let (server, id) = binned().await;
    let shown = async |minor: u32| {
        let path = format!("/v2/shares/{id}");
        server.get_as(ALICE, V(2, minor), &path).await.expect(200)["share"].take()
    };
    assert!(shown(68).await.get("is_soft_deleted").is_none());
    let share = shown(69).await;
    assert_eq!((&share["is_soft_deleted"], &share["status"]), (&json!(true), &json!("available")));
    let end: Timestamp = share["scheduled_to_be_deleted_at"].as_str().unwrap().parse().unwrap();
    let left = end.since(Timestamp::now());
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    assert!(left <= week && left > week - Duration::from_secs(60), "{left:?}");

    assert_eq!(restore(&server, ALICE, id).await.status, 202);
    let share = shown(99).await;
    assert_eq!(share["is_soft_deleted"], false);
    assert_eq!(share["scheduled_to_be_deleted_at"], Value::Null);
    let list = server.get_as(ALICE, V::MAX, "/v2/shares").await.expect(200);
    assert_eq!(ids(&list), [id.to_string()]);
    let again = restore(&server, ALICE, id).await;
    assert_eq!((again.status, again.text.as_str()), (200, ""), "it is not in there any more");
}

#[tokio::test]
async fn little_can_be_done_with_what_is_in_it() {
    let (server, id) = binned().await;
    for (token, body) in [
        (ALICE, json!({ "extend": { "new_size": 2 } })),
        (ALICE, json!({ "shrink": { "new_size": 1 } })),
        (ALICE, json!({ "soft_delete": null })),
        (ROOT, json!({ "reset_status": { "status": "error" } })),
        (ROOT, json!({ "reset_task_state": { "task_state": null } })),
    ] {
        let message = act(&server, token, id, body.clone()).await.fault(403, "forbidden");
        assert!(message.contains("has been soft deleted"), "{body}: {message}");
    }
    let path = format!("/v2/shares/{id}");
    let rename = json!({ "share": { "display_name": "x" } });
    let message = server.put(&path, rename).await.fault(403, "forbidden");
    assert!(message.contains("has been soft deleted"), "{message}");
    for force in [false, true] {
        let snapshot = json!({ "snapshot": { "share_id": id, "force": force } });
        let message = server.post("/v2/snapshots", snapshot).await.fault(403, "forbidden");
        assert!(message.contains("has been soft deleted"), "{message}");
    }
    // It still counts, is still the tenant's to describe, and can be deleted at once.
    let counted = server.get("/v2/quota-sets/project/detail").await.expect(200);
    assert_eq!(counted["quota_set"]["shares"]["in_use"], 1);
    let pair = json!({ "metadata": { "a": "b" } });
    server.post(&format!("{path}/metadata"), pair).await.expect(200);
    let deleted = server.request(Method::DELETE, &path).token(ALICE).send().await;
    assert_eq!(deleted.status, 202);
    for status in [ShareStatus::Deleting, ShareStatus::ErrorDeleting] {
        set_status(&server, id, status).await;
        let message = restore(&server, ALICE, id).await.fault(403, "forbidden");
        assert!(message.contains("cannot be restored"), "{message}");
    }
}

#[tokio::test]
async fn only_what_could_be_deleted_goes_into_it() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    let refused = async |why: &str| {
        let message = soft_delete(&server, ALICE, id).await.fault(403, "forbidden");
        assert!(message.contains(why), "{message}");
    };
    refused("Share status must be one of").await;
    settle(&server, id).await;
    for status in [ShareStatus::Extending, ShareStatus::ErrorDeleting, ShareStatus::Deleting] {
        set_status(&server, id, status).await;
        refused("Share status must be one of ('available', 'error', 'inactive')").await;
    }
    set_status(&server, id, ShareStatus::Available).await;
    let busy = json!({ "reset_task_state": { "task_state": "migration_in_progress" } });
    act(&server, ROOT, id, busy).await.expect(202);
    refused("busy as part of an active task: migration_in_progress").await;
    let idle = json!({ "reset_task_state": { "task_state": null } });
    act(&server, ROOT, id, idle).await.expect(202);
    let snapshot = json!({ "snapshot": { "share_id": id } });
    server.post("/v2/snapshots", snapshot).await.expect(202);
    refused("Share still has 1 dependent snapshots").await;

    let (share, first) = seed::share(50, "project");
    let replica = |instance: ShareInstance, number: u128| ShareInstance {
        id: ShareInstanceId::from(seed::uuid(number)),
        replica_state: Some("active".to_owned()),
        ..instance
    };
    add(&server, &[(share.clone(), replica(first.clone(), 51))]).await;
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &replica(first, 52)).await.unwrap();
    tx.commit().await.unwrap();
    let message = soft_delete(&server, ALICE, share.id).await.fault(409, "conflictingRequest");
    assert!(message.contains("has replicas"), "{message}");
}

#[tokio::test]
async fn it_is_its_projects_own() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    soft_delete(&server, BOB, id).await.fault(404, "itemNotFound");
    soft_delete(&server, RITA, id).await.fault(403, "forbidden");
    server.put(&format!("/v2/shares/{id}"), json!({ "share": { "is_public": true } })).await;
    soft_delete(&server, BOB, id).await.fault(403, "forbidden");
    let body = json!({ "soft_delete": null });
    act_at(&server, V(2, 68), ALICE, id, body).await.fault(404, "itemNotFound");
    assert_eq!(soft_delete(&server, ALICE, id).await.status, 202);
    restore(&server, BOB, id).await.fault(403, "forbidden");
    restore(&server, RITA, id).await.fault(403, "forbidden");
    act_at(&server, V(2, 68), ALICE, id, json!({ "restore": null }))
        .await
        .fault(404, "itemNotFound");
    let unknown = ShareId::from(seed::uuid(404));
    let message = restore(&server, ALICE, unknown).await.fault(404, "itemNotFound");
    assert_eq!(message, format!("No share exists with ID {unknown}."));
    assert_eq!(restore(&server, ALICE, id).await.status, 202);
}

/// Whichever comes first, no snapshot is left of a share in the recycle bin.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_at_the_same_time_is_taken_or_refused() {
    let server = server().await;
    for _ in 0..6 {
        let share = json!({ "size": 1, "share_proto": "NFS" });
        let share = create(&server, ALICE, share).await.expect(200);
        let id: ShareId = share["share"]["id"].as_str().unwrap().parse().unwrap();
        settle(&server, id).await;
        let body = json!({ "snapshot": { "share_id": id } });
        let snapshot = server.request(Method::POST, "/v2/snapshots").token(ALICE).json(&body);
        let (binned, taken) = tokio::join!(soft_delete(&server, ALICE, id), snapshot.send());
        let both = (binned.status, taken.status);
        assert!(matches!(both, (202, 403) | (403, 202)), "{both:?}: {}", taken.text);
        let snapshots = server.get_as(ALICE, V::MAX, &format!("/v2/snapshots?share_id={id}")).await;
        let count = snapshots.expect(200)["snapshots"].as_array().unwrap().len();
        assert_eq!(count, usize::from(both.1 == 202));
        assert_eq!(instance_of(&server, id).await.status, ShareStatus::Available);
    }
}
