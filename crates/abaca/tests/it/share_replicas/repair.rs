//! What is lost or has failed in the place of a replica comes back, when an administrator asks for it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use abaca_model::{ShareStatus, Timestamp};
use abaca_store::share_instances;
use serde_json::{Value, json};

use super::service::{Service, read, write};

async fn resync(service: &Service, replica: &str) {
    service.act(replica, json!({ "resync": null }), 202).await;
}

/// Lets a client mount a share, and returns the rule's id.
async fn allow(service: &Service, share: &str, client: &str) -> String {
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": client } });
    let path = format!("/v2/shares/{share}/action");
    let rule = service.api.post(&path, rule).await.expect(200);
    rule["access"]["id"].as_str().unwrap().to_owned()
}

/// Waits until the share's rules are in these states.
async fn rules_are(service: &Service, share: &str, expected: &[(&String, &str)]) {
    let is_right = |list: &Value| {
        let rules = list["access_list"].as_array().unwrap().iter();
        let rules: Vec<_> = rules.map(|rule| (&rule["id"], &rule["state"])).collect();
        let right = |(id, state): &(&String, &str)| rules.contains(&(&json!(id), &json!(state)));
        rules.len() == expected.len() && expected.iter().all(right)
    };
    service.until(&format!("/v2/share-access-rules?share_id={share}"), is_right).await;
}

/// The copy of the snapshot in a replica.
async fn copy(service: &Service, snapshot: &str, replica: &str) -> Value {
    let path = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
    let list = service.api.get(&path).await.expect(200);
    let all = list["snapshot_instances"].as_array().unwrap();
    all.iter().find(|copy| copy["share_instance_id"] == *replica).unwrap().clone()
}

async fn set_status(service: &Service, copy: &Value, status: &str) {
    let path = format!("/v2/snapshot-instances/{}/action", copy["id"].as_str().unwrap());
    let reset = json!({ "reset_status": { "status": status } });
    service.api.post(&path, reset).await.expect(202);
}

fn empty(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_on_a_new_disk_gets_its_bytes_snapshots_and_rules_again() {
    let service = Service::start("readable").await;
    let (share, _, one) = service.share().await;
    write(&one, "early");
    let early = service.snapshot(&share).await;
    write(&one, "late");
    let late = service.snapshot(&share).await;
    let rule = allow(&service, &share, "10.0.0.1").await;
    let (second, two) = service.replica(&share).await;
    for snapshot in [&early, &late] {
        service.instances(snapshot, 2).await;
    }
    service.let_in("two", &second, &[("10.0.0.1", "ro")]).await;
    set_status(&service, &copy(&service, &late, &second).await, "error_deleting").await;
    for kind in ["shares", "snapshots"] {
        empty(&service.data.path().join("two").join(kind));
    }
    resync(&service, &second).await;
    service.let_in("two", &second, &[("10.0.0.1", "ro")]).await;
    service.replica_is(&second, "available", "in_sync").await;
    assert_eq!(read(&two), "late");
    for (snapshot, bytes) in [(&early, "early"), (&late, "late")] {
        let copies = service.instances(snapshot, 2).await;
        assert_eq!(copies.iter().map(|(_, path)| read(path)).collect::<Vec<_>>(), [bytes, bytes]);
    }
    rules_are(&service, &share, &[(&rule, "active")]).await;

    // Of a share that is there, only what is missing is brought once more.
    empty(&service.data.path().join("two").join("snapshots"));
    resync(&service, &second).await;
    let path = format!("/v2/snapshots/{early}");
    let back = service.path(
        "two",
        "snapshots",
        copy(&service, &early, &second).await["id"].as_str().unwrap(),
    );
    service.until(&path, |_| back.exists()).await;
    for (_, path) in service.instances(&late, 2).await {
        assert_eq!(read(&path), "late");
    }
    fs::remove_file(two.with_file_name("access.json")).unwrap();
    resync(&service, &second).await;
    service.let_in("two", &second, &[("10.0.0.1", "ro")]).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_failed_in_one_place_are_as_in_the_active_one_after_a_repair() {
    let service = Service::start("readable").await;
    let (share, first, _) = service.share().await;
    let denied = allow(&service, &share, "10.0.0.1").await;
    let (second, two) = service.replica(&share).await;
    service.let_in("two", &second, &[("10.0.0.1", "ro")]).await;
    rules_are(&service, &share, &[(&denied, "active")]).await;
    fs::remove_dir_all(two.parent().unwrap()).unwrap();
    let deny = json!({ "deny_access": { "access_id": denied } });
    service.api.post(&format!("/v2/shares/{share}/action"), deny).await.expect(202);
    rules_are(&service, &share, &[(&denied, "error")]).await;
    let allowed = allow(&service, &share, "10.0.0.2").await;
    rules_are(&service, &share, &[(&denied, "error"), (&allowed, "error")]).await;
    service.let_in("one", &first, &[("10.0.0.2", "rw")]).await;

    resync(&service, &second).await;
    rules_are(&service, &share, &[(&allowed, "active")]).await;
    service.let_in("two", &second, &[("10.0.0.2", "ro")]).await;
    let shown = service.replica_is(&second, "available", "in_sync").await;
    assert_eq!(shown["id"], json!(second));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_administrator_set_to_error_stays_so_until_a_resync() {
    let service = Service::start_updating("readable", Duration::from_millis(50)).await;
    let (share, _, one) = service.share().await;
    write(&one, "first");
    let snapshot = service.snapshot(&share).await;
    let (second, two) = service.replica(&share).await;
    service.instances(&snapshot, 2).await;
    let failed = copy(&service, &snapshot, &second).await;
    set_status(&service, &failed, "error").await;
    // The second update begins when all that the first one does is recorded.
    for bytes in ["second", "third"] {
        write(&one, bytes);
        service.until(&format!("/v2/share-replicas/{second}"), |_| read(&two) == bytes).await;
    }
    assert_eq!(copy(&service, &snapshot, &second).await["status"], "error");
    resync(&service, &second).await;
    service.instances(&snapshot, 2).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshots_rules_come_with_it_and_stay_when_its_first_place_goes() {
    let service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "bytes");
    let snapshot = service.snapshot(&share).await;
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.9" } });
    service.api.post(&format!("/v2/snapshots/{snapshot}/action"), rule).await.expect(202);
    let list = format!("/v2/snapshots/{snapshot}/access-list");
    let active = |list: &Value| {
        let rules = list["snapshot_access_list"].as_array().unwrap();
        rules.len() == 1 && rules[0]["state"] == "active"
    };
    service.until(&list, active).await;
    let (second, _) = service.replica(&share).await;
    for (_, path) in service.instances(&snapshot, 2).await {
        service.let_in_by(&path, &[("10.0.0.9", "ro")]).await;
    }
    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&first, "available", "in_sync").await;
    service.api.delete(&format!("/v2/share-replicas/{first}")).await.expect(202);
    service.instances(&snapshot, 1).await;
    service.until(&list, active).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resync_repairs_whatever_failed() {
    let service = Service::start("readable").await;
    let (share, _, one) = service.share().await;
    write(&one, "bytes");
    // Its creation does not get as far as finding the bytes.
    let (object, aside) = (one.parent().unwrap(), service.data.path().join("aside"));
    fs::rename(object, &aside).unwrap();
    let body = json!({ "share_replica": { "share_id": share, "availability_zone": "two" } });
    let made = service.api.post("/v2/share-replicas", body).await.expect(202);
    let second = made["share_replica"]["id"].as_str().unwrap();
    service.replica_is(second, "error", "error").await;
    fs::rename(&aside, object).unwrap();
    resync(&service, second).await;
    service.replica_is(second, "available", "in_sync").await;
    assert_eq!(read(&service.path("two", "shares", second)), "bytes");

    for status in [ShareStatus::ExtendingError, ShareStatus::RevertingError] {
        let mut tx = service.api.app.db.write().await.unwrap();
        let replica = share_instances::get_locked(&mut tx, second.parse().unwrap()).await.unwrap();
        let now = Timestamp::now();
        share_instances::take_over(&mut tx, &replica.unwrap(), status, now).await.unwrap();
        tx.commit().await.unwrap();
        resync(&service, second).await;
        service.replica_is(second, "available", "in_sync").await;
    }
    service.stop().await;
}

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
