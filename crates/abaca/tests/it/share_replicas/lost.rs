//! The backend of the active replica is away: nothing is stuck, and nothing is overwritten.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::service::{Service, read, write};

fn messages_of<'a>(list: &'a Value, id: &str) -> Vec<&'a Value> {
    let all = list["messages"].as_array().unwrap();
    all.iter().filter(|message| message["resource_id"] == *id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_wait_for_an_active_replica_that_is_away() {
    let service = Service::start_updating("readable", Duration::from_millis(50)).await;
    let (share, _, one) = service.share().await;
    write(&one, "before");
    let (second, two) = service.replica(&share).await;
    let (root, away) = (service.data.path().join("one"), service.data.path().join("away"));
    fs::rename(&root, &away).unwrap();
    service.replica_is(&second, "available", "out_of_sync").await;
    // Asked again and again, its tenant is told once.
    let path = format!("/v2/share-replicas/{second}");
    for _ in 0..3 {
        service.act(&second, json!({ "resync": null }), 202).await;
        service.until(&path, |shown| shown["share_replica"]["status"] == "available").await;
    }
    let told = service.api.get("/v2/messages").await.expect(200);
    assert_eq!(messages_of(&told, &second).len(), 1, "{told}");
    fs::rename(&away, &root).unwrap();
    write(&one, "after");
    service.until(&path, |_| read(&two) == "after").await;
    service.replica_is(&second, "available", "in_sync").await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_replicated_is_kept_in_the_former_active_replica() {
    let service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "replicated");
    let (second, two) = service.replica(&share).await;
    write(&one, "written since");
    let (root, away) = (service.data.path().join("one"), service.data.path().join("away"));
    fs::rename(&root, &away).unwrap();
    service.act(&second, json!({ "resync": null }), 202).await;
    service.replica_is(&second, "available", "out_of_sync").await;
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 1 } }), 202).await;
    service.replica_is(&second, "available", "active").await;
    service.replica_is(&first, "error", "error").await;
    let told = service.api.get("/v2/messages").await.expect(200);
    assert_eq!(messages_of(&told, &first).len(), 1, "{told}");
    assert_eq!(read(&two), "replicated");

    // It is back, with the only copy; until an administrator gives that up.
    fs::rename(&away, &root).unwrap();
    assert_eq!(read(&one), "written since");
    service.act(&first, json!({ "resync": null }), 202).await;
    service.replica_is(&first, "available", "in_sync").await;
    assert_eq!(read(&one), "replicated");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_does_not_pass_over_an_active_replica_that_can_not_be_read() {
    let service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "first");
    let (second, two) = service.replica(&share).await;
    write(&one, "second");
    let aside = service.data.path().join("aside");
    fs::rename(&one, &aside).unwrap();
    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&second, "available", "out_of_sync").await;
    service.replica_is(&first, "available", "active").await;
    assert_eq!(read(&two), "first");

    // An administrator who says that it is lost gets on.
    service.act(&first, json!({ "reset_status": { "status": "error" } }), 202).await;
    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&second, "available", "active").await;
    service.replica_is(&first, "error", "error").await;
    assert_eq!((read(&two).as_str(), read(&aside).as_str()), ("first", "second"));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_is_not_overwritten_because_its_status_is_reset() {
    let service = Service::start_updating("readable", Duration::from_millis(50)).await;
    let (share, first, one) = service.share().await;
    let (other, _, others) = service.share().await;
    write(&one, "replicated");
    write(&others, "replicated");
    let (second, _) = service.replica(&share).await;
    let (_, followed) = service.replica(&other).await;
    // It can't be read, and an administrator says that it is lost.
    let aside = service.data.path().join("aside");
    fs::rename(&one, &aside).unwrap();
    service.act(&first, json!({ "reset_status": { "status": "error" } }), 202).await;
    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&second, "available", "active").await;
    fs::rename(&aside, &one).unwrap();
    write(&one, "written since");

    service.act(&first, json!({ "reset_status": { "status": "available" } }), 202).await;
    // Twice, so that one round has begun after the reset.
    for text in ["once", "twice"] {
        write(&others, text);
        service.until("/v2/share-replicas", |_| read(&followed) == text).await;
    }
    service.replica_is(&first, "available", "error").await;
    assert_eq!(read(&one), "written since");
    service.act(&first, json!({ "resync": null }), 202).await;
    service.replica_is(&first, "available", "in_sync").await;
    assert_eq!(read(&one), "replicated");
    service.stop().await;
}
