//! A share that changes its type counts in both until it has arrived.

use abaca_model::quota::{Limit, Resource};
use serde_json::{Value, json};

use super::Service;
use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_changes_its_type_counts_twice_while_it_moves() {
    let service =
        Service::on(TestServer::with_quota(&[(Resource::Shares, Limit::AtMost(2))]).await).await;
    let (share, _) = service.share().await;
    let types = service.api.get("/v2/types").await.expect(200);
    let types = types["share_types"].as_array().unwrap();
    let other = types.iter().find(|one| one["name"] == "other").unwrap()["id"].clone();
    let in_use = async |query: &str| -> Value {
        let path = format!("/v2/quota-sets/admin/detail{query}");
        let shown = service.api.get(&path).await.expect(200);
        json!([shown["quota_set"]["shares"]["in_use"], shown["quota_set"]["gigabytes"]["in_use"]])
    };
    assert_eq!(in_use("").await, json!([1, 1]));
    let more = json!({ "new_share_type_id": other });
    service.migrate(&share, "first", more.clone()).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    assert_eq!(in_use("").await, json!([2, 2]));
    assert_eq!(in_use("?share_type=other").await, json!([1, 1]));
    assert_eq!(in_use("?share_type=default").await, json!([1, 1]));
    let body = json!({ "share": { "share_proto": "NFS", "size": 1 } });
    service.api.post("/v2/shares", body).await.fault(413, "overLimit");
    service.complete(&share).await;
    assert_eq!(in_use("").await, json!([1, 1]));
    assert_eq!(in_use("?share_type=other").await, json!([1, 1]));
    assert_eq!(in_use("?share_type=default").await, json!([0, 0]));

    let limit = json!({ "quota_set": { "shares": 1 } });
    service.api.put("/v2/quota-sets/admin", limit).await.expect(200);
    let default = types.iter().find(|one| one["name"] == "default").unwrap()["id"].clone();
    let more = json!({ "new_share_type_id": default });
    service.migrate(&share, "first", more).await.fault(413, "overLimit");
    service.stop().await;
}
