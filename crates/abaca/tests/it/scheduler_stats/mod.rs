//! `/scheduler-stats/pools`

use std::time::Duration;

use abaca::api::V;
use abaca_model::Timestamp;
use abaca_store::{Tx, services};
use serde_json::{Value, json};

use crate::support::{TestServer, assert_like_sample};

const ADMIN: &str = "admin:admin:admin";

async fn report(tx: &mut Tx, backend: &str, heartbeat: Timestamp, capabilities: &Value) {
    let host = format!("cloud@{backend}");
    services::heartbeat(tx, &host, "manila-share", "nova", heartbeat).await.unwrap();
    let mut report = json!({
        "total_capacity_gb": 1230.0, "free_capacity_gb": 1210.0, "reserved_percentage": 0,
        "share_backend_name": backend.to_uppercase(), "storage_protocol": "NFS_CIFS",
        "vendor_name": "Open Source", "driver_version": "1.0", "snapshot_support": true,
        "driver_handles_share_servers": false,
    });
    for (key, value) in capabilities.as_object().unwrap() {
        report[key] = value.clone();
    }
    let pools = [(format!("{host}#{backend}_pool"), report.as_object().unwrap().clone())];
    services::report_pools(tx, &host, &pools, Timestamp::from_micros(1)).await.unwrap();
}

/// Two pools that can be scheduled to, one of a service that is down, one of a disabled service,
/// and one whose report makes no sense.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    let now = Timestamp::now();
    let mut tx = server.app.db.write().await.unwrap();
    report(&mut tx, "alpha", now, &json!({})).await;
    report(&mut tx, "beta", now, &json!({"driver_handles_share_servers": true})).await;
    report(&mut tx, "late", now.before(Duration::from_secs(61)), &json!({})).await;
    report(&mut tx, "disabled", now, &json!({})).await;
    report(&mut tx, "odd", now, &json!({"total_capacity_gb": "much"})).await;
    let disabled =
        services::find(&mut tx, "cloud@disabled", "manila-share").await.unwrap().unwrap();
    services::set_disabled(&mut tx, disabled.id, true, None).await.unwrap();
    tx.commit().await.unwrap();
    server
}

async fn pools(server: &TestServer, version: V, query: &str) -> Vec<String> {
    let path = format!("/v2/scheduler-stats/pools?{query}");
    let body = server.get_as(ADMIN, version, &path).await.expect(200);
    let pools = body["pools"].as_array().unwrap();
    pools.iter().map(|pool| pool["pool"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn only_pools_that_can_be_scheduled_to_are_listed() {
    let server = server().await;
    let body = server.get("/v2/scheduler-stats/pools").await.expect(200);
    assert_like_sample(&body, "pools-list-response", &[]);
    let detailed = server.get("/v2/scheduler-stats/pools/detail").await.expect(200);
    assert_like_sample(&detailed, "pools-list-detailed-response", &["capabilities"]);
    insta::assert_json_snapshot!(json!({ "list": body, "detail": detailed }));
}

#[tokio::test]
async fn filters_are_regular_expressions_for_the_beginning() {
    let server = server().await;
    let both = ["alpha_pool", "beta_pool"];
    for (query, expected) in [
        ("", &both[..]),
        ("host=cloud", &both),
        ("host=.*", &both),
        ("host=loud", &[]),
        ("backend=alp", &["alpha_pool"]),
        ("backend=ALPHA", &[]),
        ("backend=alpha|beta", &both),
        ("backend=alpha|beta&pool=b", &["beta_pool"]),
        ("name=cloud@beta%23", &["beta_pool"]),
        ("pool=", &both),
        ("unknown=x", &[]),
        ("pool=[&pool=b", &["beta_pool"]),
    ] {
        assert_eq!(pools(&server, V::MAX, query).await, expected, "{query}");
    }
    let bad = server.get("/v2/scheduler-stats/pools?backend=[").await;
    assert!(bad.fault(400, "badRequest").contains("backend"));
}

#[tokio::test]
async fn a_share_type_filters_from_2_23_on() {
    let server = server().await;
    for (name, servers) in [("with", true), ("without", false)] {
        let specs = json!({"driver_handles_share_servers": servers});
        let body = json!({"share_type": {"name": name, "extra_specs": specs}});
        server.post("/v2/types", body).await.expect(200);
    }
    assert_eq!(pools(&server, V(2, 23), "share_type=with").await, ["beta_pool"]);
    assert_eq!(pools(&server, V::MAX, "share_type=without").await, ["alpha_pool"]);
    assert!(pools(&server, V(2, 22), "share_type=with").await.is_empty());
    let unknown = server.get("/v2/scheduler-stats/pools?share_type=none").await;
    assert_eq!(unknown.fault(400, "badRequest"), "Share type none not found.");
}
