//! Replicas of real bytes, made, promoted and removed by the engine in two directory backends.

use serde_json::{Value, json};

use super::service::{Service, read, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_follows_becomes_active_and_is_followed() {
    let service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "early");
    let before = service.snapshot(&share).await;
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.1" } });
    service.api.post(&format!("/v2/shares/{share}/action"), rule).await.expect(200);
    service.let_in("one", &first, &[("10.0.0.1", "rw")]).await;
    write(&one, "late");

    // A new replica has the bytes, the snapshots of before, and lets clients read.
    let (second, two) = service.replica(&share).await;
    assert_eq!(read(&two), "late");
    for (_, path) in service.instances(&before, 2).await {
        assert_eq!(read(&path), "early");
    }
    service.let_in("two", &second, &[("10.0.0.1", "ro")]).await;
    let conflict = service.api.delete(&format!("/v2/shares/{share}")).await;
    conflict.fault(409, "conflictingRequest");

    // A snapshot is taken in both, of the same moment.
    let after = service.snapshot(&share).await;
    write(&one, "latest");
    for (_, path) in service.instances(&after, 2).await {
        assert_eq!(read(&path), "late");
    }

    // The promotion brings the last bytes over, and turns everything round.
    service.act(&second, json!({ "promote": null }), 202).await;
    let shown = service.replica_is(&second, "available", "active").await;
    assert_eq!(shown["cast_rules_to_readonly"], false);
    assert_eq!(read(&two), "latest");
    service.replica_is(&first, "available", "in_sync").await;
    service.let_in("two", &second, &[("10.0.0.1", "rw")]).await;
    service.let_in("one", &first, &[("10.0.0.1", "ro")]).await;
    let shown = service.api.get(&format!("/v2/shares/{share}")).await.expect(200);
    assert!(shown["share"]["host"].as_str().unwrap().contains("@two#"), "{shown}");
    assert_eq!(shown["share"]["has_replicas"], true);
    let exports = service.api.get(&format!("/v2/shares/{share}/export_locations")).await;
    let exports = exports.expect(200);
    assert_eq!(exports["export_locations"][0]["path"], json!(two));
    write(&two, "written after the promotion");
    service.act(&first, json!({ "resync": null }), 202).await;
    service
        .until(&format!("/v2/share-replicas/{first}"), |_| {
            read(&one) == "written after the promotion"
        })
        .await;

    // A revert is of the active replica.
    let body = json!({ "revert": { "snapshot_id": after } });
    service.api.post(&format!("/v2/shares/{share}/action"), body).await.expect(202);
    let available = |shown: &Value| shown["share"]["status"] == "available";
    service.until(&format!("/v2/shares/{share}"), available).await;
    assert_eq!(read(&two), "late");

    // The last active replica stays; the other goes with its snapshot instances.
    let last = service.api.delete(&format!("/v2/share-replicas/{second}")).await;
    last.fault(400, "badRequest");
    service.api.delete(&format!("/v2/share-replicas/{first}")).await.expect(202);
    let left = service.instances(&after, 1).await;
    assert_eq!(left[0].0, second);
    service.instances(&before, 1).await;
    service.api.get(&format!("/v2/share-replicas/{first}")).await.fault(404, "itemNotFound");
    for kind in ["shares", "snapshots"] {
        let left = std::fs::read_dir(service.data.path().join("one").join(kind)).unwrap().count();
        assert_eq!(left, 0, "{kind} are left in the backend");
    }
    assert_eq!(read(&two), "late");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_in_one_place_leaves_the_other_usable_and_is_repaired() {
    let service = Service::start("dr").await;
    let (share, first, one) = service.share().await;
    write(&one, "bytes");
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.1" } });
    service.api.post(&format!("/v2/shares/{share}/action"), rule).await.expect(200);
    let snapshot = service.snapshot(&share).await;
    let (second, two) = service.replica(&share).await;
    service.instances(&snapshot, 2).await;
    // Nobody mounts a replica for disasters, but its rules wait for it.
    service.let_in("two", &second, &[]).await;

    // The replica's snapshot fails: the tenant's is as it was once the replica is stale.
    let list = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
    let instances = service.api.get(&list).await.expect(200);
    let instances = instances["snapshot_instances"].as_array().unwrap().clone();
    let own = instances.iter().find(|one| one["share_instance_id"] == *second).unwrap();
    let path = format!("/v2/snapshot-instances/{}/action", own["id"].as_str().unwrap());
    let reset = json!({ "reset_status": { "status": "error" } });
    service.api.post(&path, reset.clone()).await.expect(202);
    let shown = format!("/v2/snapshots/{snapshot}");
    assert_eq!(service.api.get(&shown).await.expect(200)["snapshot"]["status"], "error");
    let stale = json!({ "reset_replica_state": { "replica_state": "out_of_sync" } });
    service.act(&second, stale, 202).await;
    assert_eq!(service.api.get(&shown).await.expect(200)["snapshot"]["status"], "available");

    // A resync repairs the replica, its bytes and its snapshots.
    service.act(&second, reset, 202).await;
    std::fs::remove_dir_all(two.parent().unwrap()).unwrap();
    service.act(&second, json!({ "resync": null }), 202).await;
    service.replica_is(&second, "available", "in_sync").await;
    assert_eq!(read(&two), "bytes");
    for (_, path) in service.instances(&snapshot, 2).await {
        assert_eq!(read(&path), "bytes");
    }

    // The active one is lost: the replica takes its place with what it has.
    std::fs::rename(service.data.path().join("one"), service.data.path().join("lost")).unwrap();
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 1 } }), 202).await;
    service.replica_is(&second, "available", "active").await;
    assert_eq!(read(&two), "bytes");
    service.let_in("two", &second, &[("10.0.0.1", "rw")]).await;
    let list = format!("/v2/share-replicas?share_id={share}");
    let replicas = service.api.get(&list).await.expect(200);
    let active = replicas["share_replicas"].as_array().unwrap().iter();
    let active: Vec<_> = active.filter(|one| one["replica_state"] == "active").collect();
    assert_eq!((active.len(), &active[0]["id"]), (1, &json!(second)));
    std::fs::rename(service.data.path().join("lost"), service.data.path().join("one")).unwrap();
    assert_ne!(first, second);
    service.stop().await;
}
