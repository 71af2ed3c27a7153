//! Deletion that is deferred: the tenant has it no more, whatever the backend does.

use abaca::api::{V, router};
use abaca::app::ApiSettings;
use abaca_model::{Share, ShareInstance, ShareStatus, Snapshot, SnapshotInstance, SnapshotStatus};
use abaca_store::share_instances;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, act, add, add_type, ids, instance_of, operations_of};
use crate::support::{Answer, TestServer, default_settings, seed};

const ROOT: &str = "root:admin:admin";

/// A share of `project` with a snapshot, where deletion is deferred.
async fn server() -> (TestServer, Share, Snapshot) {
    let settings = ApiSettings { deferred_deletion: true, ..default_settings() };
    let server = TestServer::with_routes(settings, router::routes()).await;
    add_type(&server, 0, "default", &super::DEFAULT_SPECS).await;
    let (share, instance) = seed::share(1, "project");
    add(&server, &[(share.clone(), instance.clone())]).await;
    let (snapshot, copy) = seed::snapshot(2, &instance);
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&copy)).await;
    (server, share, snapshot)
}

async fn delete(server: &TestServer, path: &str) -> Answer {
    server.request(Method::DELETE, path).token(ALICE).send().await
}

async fn post(server: &TestServer, token: &str, path: &str, body: &Value) -> Answer {
    server.request(Method::POST, path).token(token).json(body).send().await
}

async fn get(server: &TestServer, token: &str, path: &str) -> Answer {
    server.get_as(token, V::MAX, path).await
}

#[tokio::test]
async fn a_share_vanishes_for_its_tenant_and_stays_for_the_administrator() {
    let (server, share, snapshot) = server().await;
    let path = format!("/v2/shares/{}", share.id);
    let of_snapshot = format!("/v2/snapshots/{}", snapshot.id);
    let refused = delete(&server, &path).await.fault(403, "forbidden");
    assert!(refused.contains("1 dependent snapshots"), "{refused}");

    // Once its snapshot is deleted, deferred too, the share can be.
    assert_eq!(delete(&server, &of_snapshot).await.status, 202);
    get(&server, ALICE, &of_snapshot).await.fault(404, "itemNotFound");
    let shown = get(&server, ROOT, &of_snapshot).await.expect(200);
    assert_eq!(shown["snapshot"]["status"], "deferred_deleting");
    assert_eq!(delete(&server, &path).await.status, 202);
    get(&server, ALICE, &path).await.fault(404, "itemNotFound");
    get(&server, ALICE, &format!("{path}/export_locations")).await.fault(404, "itemNotFound");
    let shown = get(&server, ROOT, &path).await.expect(200);
    assert_eq!(shown["share"]["status"], "deferred_deleting");

    let operations = operations_of(&server, share.id).await;
    let arguments: Value = serde_json::from_str(&operations[0].arguments).unwrap();
    assert_eq!(arguments, json!({ "force": false, "deferred": true }));
    // There is nothing left to be deleted.
    delete(&server, &path).await.fault(404, "itemNotFound");
    delete(&server, &of_snapshot).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn lists_leave_out_what_a_tenant_has_deleted() {
    let (server, share, snapshot) = server().await;
    let (kept, place) = seed::share(11, "project");
    add(&server, &[(kept.clone(), place)]).await;
    delete(&server, &format!("/v2/snapshots/{}", snapshot.id)).await.expect(202);
    delete(&server, &format!("/v2/shares/{}", share.id)).await.expect(202);
    let kept = [kept.id.to_string()];
    for query in ["", "/detail", "/detail?with_count=1&limit=5"] {
        let list = get(&server, ALICE, &format!("/v2/shares{query}")).await.expect(200);
        assert_eq!(ids(&list), kept, "{query}");
        let list = get(&server, ALICE, &format!("/v2/snapshots{query}")).await.expect(200);
        assert_eq!(list["snapshots"], json!([]), "{query}");
    }
    for collection in ["shares", "snapshots"] {
        let path = format!("/v2/{collection}?status=deferred_deleting&all_tenants=1");
        get(&server, ALICE, &path).await.fault(403, "forbidden");
        let list = get(&server, ROOT, &path).await.expect(200);
        assert_eq!(list[collection].as_array().unwrap().len(), 1, "{collection}");
    }
    let all = get(&server, ROOT, "/v2/shares?all_tenants=1").await.expect(200);
    assert_eq!(ids(&all).len(), 2);
}

#[tokio::test]
async fn the_quota_is_free_from_the_request_on() {
    let (server, share, snapshot) = server().await;
    assert_eq!(used(&server).await, [1, 1, 1, 1]);
    delete(&server, &format!("/v2/snapshots/{}", snapshot.id)).await.expect(202);
    assert_eq!(used(&server).await, [1, 1, 0, 0]);
    delete(&server, &format!("/v2/shares/{}", share.id)).await.expect(202);
    assert_eq!(used(&server).await, [0, 0, 0, 0]);
}

/// Shares, their GiB, snapshots and theirs.
async fn used(server: &TestServer) -> [i64; 4] {
    let body = get(server, ROOT, "/v2/quota-sets/project/detail").await.expect(200);
    ["shares", "gigabytes", "snapshots", "snapshot_gigabytes"]
        .map(|resource| body["quota_set"][resource]["in_use"].as_i64().unwrap())
}

#[tokio::test]
async fn what_is_forced_is_not_deferred() {
    let (server, share, snapshot) = server().await;
    let path = format!("/v2/snapshots/{}/action", snapshot.id);
    let force = json!({ "force_delete": null });
    assert_eq!(server.post(&path, force.clone()).await.status, 202);
    let shown = get(&server, ALICE, &format!("/v2/snapshots/{}", snapshot.id)).await.expect(200);
    assert_eq!(shown["snapshot"]["status"], "deleting");
    // A share that is being deleted by and by can be forced as well, but not before its snapshots.
    let refused = act(&server, ROOT, share.id, force).await.fault(400, "badRequest");
    assert!(refused.contains("dependent snapshots"), "{refused}");
}

#[tokio::test]
async fn a_reset_brings_a_share_back() {
    let (server, share, snapshot) = server().await;
    delete(&server, &format!("/v2/snapshots/{}", snapshot.id)).await.expect(202);
    delete(&server, &format!("/v2/shares/{}", share.id)).await.expect(202);
    let fence = instance_of(&server, share.id).await.fence;
    let reset = json!({ "reset_status": { "status": "error" } });
    assert_eq!(act(&server, ROOT, share.id, reset).await.status, 202);
    let ShareInstance { status, fence: raised, .. } = instance_of(&server, share.id).await;
    assert_eq!((status, raised), (ShareStatus::Error, fence + 1));
    get(&server, ALICE, &format!("/v2/shares/{}", share.id)).await.expect(200);
}

#[tokio::test]
async fn the_store_finds_what_is_deferred() {
    let (server, _, _) = server().await;
    let mut tx = server.app.db.read().await.unwrap();
    assert!(!share_instances::any_deferred(&mut tx).await.unwrap());
    drop(tx);
    for (number, status) in [(20, ShareStatus::ErrorDeferredDeleting), (30, ShareStatus::Error)] {
        let (share, instance) = seed::share(number, "project");
        add(&server, &[(share, ShareInstance { status, ..instance.clone() })]).await;
        let (snapshot, copy) = seed::snapshot(number + 1, &instance);
        let status = SnapshotStatus::ErrorDeferredDeleting;
        let copy = SnapshotInstance { status, ..copy };
        seed::add_snapshot(&server.app.db, &snapshot, &[copy]).await;
    }
    let list = get(&server, ALICE, "/v2/shares?sort_dir=asc").await.expect(200);
    assert_eq!(ids(&list).len(), 2, "{list}");
    let list = get(&server, ALICE, "/v2/snapshots").await.expect(200);
    assert_eq!(list["snapshots"].as_array().unwrap().len(), 1, "{list}");
}

#[tokio::test]
async fn what_is_on_its_way_out_gets_no_snapshots() {
    let (server, share, snapshot) = server().await;
    let copy = json!({ "share": { "size": 1, "share_proto": "NFS", "snapshot_id": snapshot.id } });
    delete(&server, &format!("/v2/snapshots/{}", snapshot.id)).await.expect(202);
    post(&server, ALICE, "/v2/shares", &copy).await.fault(404, "itemNotFound");
    delete(&server, &format!("/v2/shares/{}", share.id)).await.expect(202);
    for (token, status, fault) in [(ALICE, 404, "itemNotFound"), (ROOT, 400, "badRequest")] {
        let forced = json!({ "snapshot": { "share_id": share.id, "force": true } });
        post(&server, token, "/v2/snapshots", &forced).await.fault(status, fault);
    }
}

#[tokio::test]
async fn snapshots_that_their_tenant_sees_no_more_do_not_keep_a_share_from_the_recycle_bin() {
    let (server, share, snapshot) = server().await;
    let soft_delete = json!({ "soft_delete": null });
    act(&server, ALICE, share.id, soft_delete.clone()).await.fault(403, "forbidden");
    delete(&server, &format!("/v2/snapshots/{}", snapshot.id)).await.expect(202);
    act(&server, ALICE, share.id, soft_delete).await.expect(202);
}
