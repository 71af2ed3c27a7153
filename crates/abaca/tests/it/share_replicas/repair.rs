//! What is lost or has failed in the place of a replica comes back, when an administrator asks for it.

use serde_json::{Value, json};

use super::service::{Service, read, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bytes_are_asked_for_where_they_are_by_then() {
    let mut service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "bytes");
    let (second, _) = service.replica(&share).await;
    service.rest().await;
    // Nobody serves the first backend while the second one becomes the active one's.
    service.work(&["two", "three"]).await;
    service.until("/v2/scheduler-stats/pools", |pools| pools["pools"][2].is_object()).await;
    let body = json!({ "share_replica": { "share_id": share, "availability_zone": "three" } });
    let made = service.api.post("/v2/share-replicas", body).await.expect(202);
    let third = made["share_replica"]["id"].as_str().unwrap().to_owned();
    let is_placed = |shown: &Value| shown["share_replica"]["host"] != "";
    service.until(&format!("/v2/share-replicas/{third}"), is_placed).await;
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 1 } }), 202).await;
    service.replica_is(&second, "available", "active").await;
    service.rest().await;
    service.work(&["one"]).await;
    service.work(&["two", "three"]).await;
    service.replica_is(&third, "available", "in_sync").await;
    assert_eq!(read(&service.path("three", "shares", &third)), "bytes");
    service.replica_is(&first, "available", "in_sync").await;
    service.stop().await;
}
