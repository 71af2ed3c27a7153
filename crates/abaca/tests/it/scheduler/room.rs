//! Room in a pool: promised, reserved, asked for by one that grows.

use axum::http::Method;
use serde_json::{Value, json};

use super::{ADMIN, ALICE, Service, id};

/// A thin pool that may promise 20 GiB, of which growing shares have to leave 5 alone; and a thick
/// one in another zone.
const BACKENDS: &str = r#"
[[backend]]
name = "thin"
driver = "simulated"
pools = [{ name = "p", total_capacity_gb = 10, max_over_subscription_ratio = 2.0 }]
[[backend]]
name = "thick"
driver = "simulated"
availability_zone = "thick"
[[backend.pools]]
name = "p"
total_capacity_gb = 10
thin_provisioning = false
reserved_percentage = 10
reserved_snapshot_percentage = 20
reserved_share_extend_percentage = 30
"#;

async fn act(service: &Service, token: &str, share: &str, body: Value) {
    let path = format!("/v2/shares/{share}/action");
    let answer = service.api.request(Method::POST, &path).token(token).json(&body).send().await;
    assert_eq!(answer.status, 202, "{}", answer.text);
}

#[tokio::test]
async fn a_share_that_finds_no_room_to_grow_stays_as_it_was() {
    let service = Service::start(BACKENDS).await;
    let share = service.share(json!({ "size": 8, "availability_zone": "nova" })).await;
    let other = service.share(json!({ "size": 8, "availability_zone": "nova" })).await;
    act(&service, ALICE, id(&share), json!({ "extend": { "new_size": 13 } })).await;
    let told = |answer: &crate::support::Answer| {
        let messages = answer.expect(200)["messages"].take();
        (messages.as_array().unwrap().len() == 1).then_some(())
    };
    service.api.wait(&format!("/v2/messages?resource_id={}", id(&share)), told).await;
    assert_eq!(service.told(id(&share)).await, ("008".to_owned(), "009".to_owned()));
    assert_eq!(service.settled(id(&share), "available").await["size"], 8);
    // As much as is left, then by force.
    act(&service, ALICE, id(&share), json!({ "extend": { "new_size": 12 } })).await;
    assert_eq!(service.settled(id(&share), "available").await["size"], 12);
    let forced = json!({ "extend": { "new_size": 100, "force": true } });
    act(&service, ADMIN, id(&other), forced).await;
    assert_eq!(service.settled(id(&other), "available").await["size"], 100);
    service.stop().await;
}

#[tokio::test]
async fn each_purpose_leaves_its_own_reserve() {
    let service = Service::start(BACKENDS).await;
    let thick = |size: i64| json!({ "size": size, "availability_zone": "thick" });
    let nowhere = service.created(thick(10)).await;
    service.settled(&nowhere, "error").await;
    assert_eq!(service.told(&nowhere).await, ("001".to_owned(), "009".to_owned()));
    let share = service.share(thick(4)).await;
    let snapshot = json!({ "snapshot": { "share_id": id(&share) } });
    let request = service.api.request(Method::POST, "/v2/snapshots").token(ALICE);
    let snapshot = request.json(&snapshot).send().await.expect(202)["snapshot"].take();
    let available = |answer: &crate::support::Answer| {
        (answer.expect(200)["snapshot"]["status"] == "available").then_some(())
    };
    service.api.wait(&format!("/v2/snapshots/{}", id(&snapshot)), available).await;
    // 6 GiB are free: 4 for copies, 3 to grow.
    let copy = |size: i64| json!({ "size": size, "snapshot_id": id(&snapshot) });
    let refused = service.created(copy(5)).await;
    service.settled(&refused, "error").await;
    assert_eq!(service.told(&refused).await, ("001".to_owned(), "009".to_owned()));
    act(&service, ALICE, id(&share), json!({ "extend": { "new_size": 7 } })).await;
    assert_eq!(service.settled(id(&share), "available").await["size"], 7);
    service.stop().await;
}
