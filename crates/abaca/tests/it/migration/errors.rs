//! What is refused, and how.

use abaca::api::V;
use abaca_model::{AccessRulesStatus, ShareInstance, ShareStatus, Timestamp};
use abaca_store::services;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, seed};

const HERE: &str = "seed@seed#pool";

async fn server(status: ShareStatus, rules: AccessRulesStatus) -> (TestServer, String) {
    let server = TestServer::start().await;
    let (share, instance) = seed::share(1, "project");
    let instance = ShareInstance { status, access_rules_status: rules, ..instance };
    seed::add_share(&server.app.db, &share, &[instance]).await;
    for (host, zone, age) in
        [("seed@seed", "nova", 0), ("there@seed", "far", 0), ("down@seed", "nova", 900)]
    {
        let mut tx = server.app.db.write().await.unwrap();
        let then = Timestamp::from_micros(Timestamp::now().micros() - age * 1_000_000);
        services::heartbeat(&mut tx, host, "manila-share", zone, then).await.unwrap();
        tx.commit().await.unwrap();
    }
    (server, share.id.to_string())
}

async fn available() -> (TestServer, String) {
    server(ShareStatus::Available, AccessRulesStatus::Active).await
}

fn body(more: Value) -> Value {
    let mut wanted = json!({ "host": "there@seed#pool", "writable": false, "nondisruptive": false,
        "preserve_metadata": false, "preserve_snapshots": false });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "migration_start": wanted })
}

async fn ask(server: &TestServer, share: &str, body: Value) -> Answer {
    server.post(&format!("/v2/shares/{share}/action"), body).await
}

#[tokio::test]
async fn bodies_that_make_no_sense() {
    let (server, share) = available().await;
    for wrong in [
        json!({ "migration_start": null }),
        json!({ "migration_start": [] }),
        json!({ "migration_start": {} }),
        body(json!({ "host": null })),
        body(json!({ "host": 7 })),
        body(json!({ "host": "x".repeat(300) })),
        body(json!({ "writable": "perhaps" })),
        body(json!({ "nondisruptive": null })),
        body(json!({ "preserve_metadata": {} })),
        body(json!({ "force_host_assisted_migration": "often" })),
        body(json!({ "new_share_type_id": 1 })),
        body(json!({ "new_share_type_id": "invalid_type_id" })),
        body(json!({ "new_share_type_id": seed::uuid(77) })),
        body(json!({ "new_share_network_id": "invalid_net_id" })),
    ] {
        let answer = ask(&server, &share, wrong.clone()).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text);
    }
    for key in ["writable", "nondisruptive", "preserve_metadata", "preserve_snapshots"] {
        let more = json!({ "force_host_assisted_migration": true, key: true });
        ask(&server, &share, body(more)).await.fault(400, "badRequest");
        let mut lacking = body(json!({}));
        lacking["migration_start"].as_object_mut().unwrap().remove(key);
        ask(&server, &share, lacking).await.fault(400, "badRequest");
    }
    for host in ["invalid_host", "nobody@seed#pool", ""] {
        let answer = ask(&server, &share, body(json!({ "host": host }))).await;
        answer.fault(404, "itemNotFound");
    }
    let answer = ask(&server, &share, body(json!({ "host": "down@seed#pool" }))).await;
    answer.fault(400, "badRequest");
    for share in ["invalid_share_id", &seed::uuid(9_999).to_string()] {
        ask(&server, share, body(json!({}))).await.fault(404, "itemNotFound");
        for action in ["migration_complete", "migration_cancel"] {
            ask(&server, share, json!({ action: null })).await.fault(404, "itemNotFound");
        }
        let path = format!("/v2/shares/{share}/migration-progress");
        server.get(&path).await.fault(404, "itemNotFound");
    }
}

#[tokio::test]
async fn shares_that_can_not_move_now() {
    for (status, rules) in [
        (ShareStatus::Error, AccessRulesStatus::Active),
        (ShareStatus::Extending, AccessRulesStatus::Active),
        (ShareStatus::Available, AccessRulesStatus::Error),
    ] {
        let (server, share) = self::server(status, rules).await;
        ask(&server, &share, body(json!({}))).await.fault(400, "badRequest");
    }
    let (server, share) = available().await;
    ask(&server, &share, body(json!({}))).await.expect(202);
    // Busy with the one that has begun.
    ask(&server, &share, body(json!({}))).await.fault(400, "badRequest");
    for action in [json!({ "extend": { "new_size": 9 } }), json!({ "migration_complete": null })] {
        ask(&server, &share, action).await.fault(400, "badRequest");
    }
    ask(&server, &share, json!({ "migration_cancel": null })).await.expect(202);
}

#[tokio::test]
async fn a_type_must_suit_the_zone_and_need_no_share_network() {
    let (server, share) = available().await;
    for (name, specs) in [
        (
            "elsewhere",
            json!({ "driver_handles_share_servers": "False", "availability_zones": "moon" }),
        ),
        ("served", json!({ "driver_handles_share_servers": "True" })),
        (
            "small",
            json!({ "driver_handles_share_servers": "False", "provisioning:max_share_size": "1",
            "provisioning:min_share_size": "1000" }),
        ),
        (
            "replicated",
            json!({ "driver_handles_share_servers": "False", "replication_type": "dr" }),
        ),
    ] {
        let made = json!({ "share_type": { "name": name, "extra_specs": specs } });
        let made = server.post("/v2/types", made).await.expect(200);
        let more = json!({ "new_share_type_id": made["share_type"]["id"] });
        let answer = ask(&server, &share, body(more)).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn nothing_is_completed_or_told_of_where_nothing_moves() {
    let (server, share) = available().await;
    for action in ["migration_complete", "migration_cancel"] {
        ask(&server, &share, json!({ action: null })).await.fault(400, "badRequest");
    }
    let path = format!("/v2/shares/{share}/migration-progress");
    server.get(&path).await.fault(400, "badRequest");
    for (state, percent) in [
        ("migration_success", 100),
        ("migration_error", 100),
        ("migration_starting", 0),
        ("data_copying_completed", 100),
    ] {
        let reset = json!({ "reset_task_state": { "task_state": state } });
        ask(&server, &share, reset).await.expect(202);
        let shown = server.get(&path).await.expect(200);
        assert_eq!(
            (&shown["total_progress"], &shown["task_state"]),
            (&json!(percent), &json!(state))
        );
        for action in ["migration_complete", "migration_cancel"] {
            ask(&server, &share, json!({ action: null })).await.fault(400, "badRequest");
        }
    }
}

#[tokio::test]
async fn versions_and_the_experimental_header() {
    let (server, share) = available().await;
    let path = format!("/v2/shares/{share}/action");
    let start = body(json!({ "host": HERE }));
    let progress = json!({ "migration_get_progress": null });
    let cancel = json!({ "migration_cancel": null });
    for (version, experimental, body, status) in [
        (V(2, 28), true, &start, 404),
        (V(2, 29), false, &start, 404),
        (V(2, 29), true, &start, 200),
        (V(2, 96), false, &start, 200),
        (V(2, 21), true, &cancel, 404),
        (V(2, 22), true, &cancel, 400),
        (V(2, 95), false, &cancel, 404),
        (V(2, 96), false, &cancel, 400),
        (V(2, 21), true, &progress, 404),
        (V(2, 22), true, &progress, 200),
        (V(2, 95), false, &progress, 404),
        (V(2, 97), false, &progress, 200),
        (V(2, 98), false, &progress, 404),
    ] {
        let mut request = server.request(Method::POST, &path).at(version).json(body);
        if experimental {
            request = request.header("x-openstack-manila-api-experimental", "true");
        }
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{version} {body}: {}", answer.text);
    }
    let path = format!("/v2/shares/{share}/migration-progress");
    assert_eq!(server.get_as("admin:admin:admin", V(2, 97), &path).await.status, 404);
    assert_eq!(server.get_as("admin:admin:admin", V(2, 98), &path).await.status, 200);
}

#[tokio::test]
async fn a_type_that_a_share_changes_to_is_in_use() {
    let (server, share) = available().await;
    let specs = json!({ "driver_handles_share_servers": "False" });
    let made = json!({ "share_type": { "name": "other", "extra_specs": specs } });
    let made = server.post("/v2/types", made).await.expect(200);
    let id = made["share_type"]["id"].as_str().unwrap();
    ask(&server, &share, body(json!({ "new_share_type_id": id }))).await.expect(202);
    let path = format!("/v2/types/{id}");
    server.delete(&path).await.fault(400, "badRequest");
    server.get(&path).await.expect(200);
}

#[tokio::test]
async fn what_is_in_the_recycle_bin_stays_where_it_is() {
    let (server, share) = available().await;
    ask(&server, &share, json!({ "soft_delete": null })).await.expect(202);
    let message = ask(&server, &share, body(json!({}))).await.fault(400, "badRequest");
    assert!(message.contains("soft deleted"), "{message}");
}
