//! Shares that are made from snapshots of a replicated share: they are where that is active.

use serde_json::{Value, json};

use super::service::{Service, read, write};

/// Makes a share of the snapshot, and returns the backend it came to be in.
async fn make(service: &Service, snapshot: &str, zone: Option<&str>) -> String {
    let share = json!({
        "share_proto": "NFS", "size": 1, "snapshot_id": snapshot, "availability_zone": zone,
    });
    let share = service.api.post("/v2/shares", json!({ "share": share })).await.expect(200);
    let path = format!("/v2/shares/{}", share["share"]["id"].as_str().unwrap());
    let settled = |shown: &Value| shown["share"]["status"] != "creating";
    let shown = service.until(&path, settled).await["share"].clone();
    assert_eq!(shown["status"], "available", "{shown}");
    let host = shown["host"].as_str().unwrap();
    let backend = host.split(['@', '#']).nth(1).unwrap().to_owned();
    assert_eq!(shown["availability_zone"], json!(backend));
    let list = format!("/v2/share_instances?share_id={}", shown["id"].as_str().unwrap());
    let all = service.api.get(&list).await.expect(200);
    let own = |one: &&Value| one["share_id"] == shown["id"];
    let instance = all["share_instances"].as_array().unwrap().iter().find(own).unwrap();
    let data = service.path(&backend, "shares", instance["id"].as_str().unwrap());
    assert_eq!(read(&data), "kept");
    backend
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_from_a_snapshot_is_where_its_parent_is_active() {
    let service = Service::start("dr").await;
    let (share, first, one) = service.share().await;
    write(&one, "kept");
    let snapshot = service.snapshot(&share).await;
    let (second, _) = service.replica(&share).await;
    service.instances(&snapshot, 2).await;
    for _ in 0..10 {
        assert_eq!(make(&service, &snapshot, None).await, "one");
    }

    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&second, "available", "active").await;
    service.replica_is(&first, "available", "in_sync").await;
    let share = json!({
        "share_proto": "NFS", "size": 1, "snapshot_id": snapshot, "availability_zone": "one",
    });
    service.api.post("/v2/shares", json!({ "share": share })).await.fault(400, "badRequest");
    assert_eq!(make(&service, &snapshot, Some("two")).await, "two");

    // The other backend is lost; its copy is still said to be available.
    let (root, away) = (service.data.path().join("one"), service.data.path().join("away"));
    std::fs::rename(&root, &away).unwrap();
    for _ in 0..4 {
        assert_eq!(make(&service, &snapshot, None).await, "two");
    }
    std::fs::rename(&away, &root).unwrap();
    service.stop().await;
}
