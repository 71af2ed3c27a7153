//! What a running backend's pools look like.

use serde_json::json;

use super::Service;
use crate::support::sample;

#[tokio::test]
async fn a_pool_says_all_that_clients_look_for() {
    let backends = r#"
        [[backend]]
        name = "a"
        driver = "simulated"
        replication_domain = "d"
        filter_function = "share.size < 100"
        pools = [{ name = "p", extra = { encryption_support = ["share"], disks = 12 } }]
    "#;
    let service = Service::start(backends).await;
    service.share(json!({ "size": 3 })).await;
    let detail = service.api.get("/v2/scheduler-stats/pools/detail").await.expect(200);
    let pool = &detail["pools"][0]["capabilities"];
    let sample = sample("pools-list-detailed-response");
    for key in sample["pools"][0]["capabilities"].as_object().unwrap().keys() {
        assert!(pool.as_object().unwrap().contains_key(key), "{key} is missing");
    }
    insta::assert_json_snapshot!(detail, {
        ".pools[].capabilities.timestamp" => "[time]",
    });
    for (filter, expected) in [
        ("{'disks': '>= 12'}", 1),
        ("{'disks': '> 12', 'dedupe': 'False'}", 0),
        ("{'dedupe': 'False', 'encryption_support': 'share'}", 1),
        ("{'vendor:key': 'x'}", 1),
        ("{'missing': 'x'}", 0),
    ] {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v2/scheduler-stats/pools?capabilities={filter}");
        let pools = service.api.get(&path).await.expect(200);
        assert_eq!(pools["pools"].as_array().unwrap().len(), expected, "{filter}");
    }
    let answer = service.api.get("/v2/scheduler-stats/pools?capabilities=x").await;
    assert!(answer.fault(400, "badRequest").contains("for capabilities"));
    service.stop().await;
}
