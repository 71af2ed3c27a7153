//! What a promotion waits for, and what it takes along.

use std::fs;

use abaca_model::OperationKind;
use serde_json::json;

use super::service::{Service, read, write};

const CLIENT: &str = "10.0.0.1";

fn hanging(method: &str, object: &str) -> String {
    format!("[[fault]]\nmethod = {method:?}\nobject = {object:?}\nfail = \"hang\"\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_copied_while_clients_may_still_write() {
    let service = Service::start_simulated("readable").await;
    let (share, first, _) = service.share().await;
    service.allow(&share, CLIENT).await;
    let (second, _) = service.replica(&share).await;
    service.set_faults(&hanging("apply_access", &first));
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 600 } }), 202).await;
    service.waits(&second, OperationKind::PromoteReplica, 2).await;
    service.replica_is(&second, "replication_change", "in_sync").await;
    let active = service.replica_is(&first, "available", "active").await;
    assert_eq!(active["cast_rules_to_readonly"], true);
    service.set_faults("");
    service.replica_is(&second, "available", "active").await;
    service.replica_is(&first, "available", "in_sync").await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_does_not_answer_is_waited_for_no_longer_than_asked() {
    let service = Service::start_simulated("readable").await;
    let (share, first, _) = service.share().await;
    service.allow(&share, CLIENT).await;
    let (second, _) = service.replica(&share).await;
    service.set_faults(&hanging("apply_access", &first));
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 1 } }), 202).await;
    service.replica_is(&second, "available", "active").await;
    // Who still writes to it loses nothing before it is told that it may not.
    service.waits(&first, OperationKind::UpdateReplica, 2).await;
    service.replica_is(&first, "available", "out_of_sync").await;
    service.set_faults("");
    service.replica_is(&first, "available", "in_sync").await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_that_clients_could_not_be_kept_from_writing() {
    let service = Service::start_simulated("readable").await;
    let (share, first, _) = service.share().await;
    service.allow(&share, CLIENT).await;
    let (second, _) = service.replica(&share).await;
    service.set_faults(&format!(
        "[[fault]]\nmethod = \"apply_access\"\nobject = {first:?}\nfail = \"failed\"\n"
    ));
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 600 } }), 202).await;
    service.replica_is(&second, "available", "active").await;
    let list = service.api.get("/v2/messages").await.expect(200);
    let messages = list["messages"].as_array().unwrap().iter();
    let told: Vec<_> = messages.filter(|message| message["resource_id"] == *first).collect();
    let [message] = &told[..] else { panic!("{list}") };
    let text = message["user_message"].as_str().unwrap();
    assert!(text.contains("Its clients could not be kept from writing to it."), "{text}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_are_in_force_before_the_replica_is_active() {
    for (kind, left) in [("readable", vec![(CLIENT.to_owned(), "ro".to_owned())]), ("dr", vec![])] {
        let service = Service::start(kind).await;
        let (share, first, one) = service.share().await;
        write(&one, "bytes");
        service.allow(&share, CLIENT).await;
        let (second, _) = service.replica(&share).await;
        service.act(&second, json!({ "promote": null }), 202).await;
        service
            .until(&format!("/v2/share-replicas/{second}"), |shown| {
                let is_active = shown["share_replica"]["replica_state"] == "active";
                assert!(!is_active || service.rules("one", &first) == left, "{kind}");
                is_active
            })
            .await;
        service.let_in("two", &second, &[(CLIENT, "rw")]).await;
        service.replica_is(&first, "available", "in_sync").await;
        assert_eq!(service.rules("one", &first), left, "{kind}");
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_that_fails_lets_clients_write_again() {
    for kind in ["readable", "dr"] {
        let service = Service::start(kind).await;
        let (share, first, one) = service.share().await;
        write(&one, "bytes");
        service.allow(&share, CLIENT).await;
        let (second, _) = service.replica(&share).await;
        fs::rename(&one, service.data.path().join("aside")).unwrap();
        service.act(&second, json!({ "promote": null }), 202).await;
        service.replica_is(&second, "available", "out_of_sync").await;
        let active = service.replica_is(&first, "available", "active").await;
        assert_eq!(active["cast_rules_to_readonly"], false);
        service.let_in("one", &first, &[(CLIENT, "rw")]).await;
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_not_promoted_before_the_snapshots_of_the_active_one_are_taken() {
    let service = Service::start_simulated("readable").await;
    let (share, _, _) = service.share().await;
    let (second, _) = service.replica(&share).await;
    service.set_faults("[[fault]]\nmethod = \"create_snapshot\"\nfail = \"hang\"\n");
    let body = json!({ "snapshot": { "share_id": share } });
    let snapshot = service.api.post("/v2/snapshots", body).await.expect(202);
    let snapshot = snapshot["snapshot"]["id"].as_str().unwrap();
    service.act(&second, json!({ "promote": null }), 400).await;
    service.set_faults("");
    service.instances(snapshot, 2).await;
    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&second, "available", "active").await;
    let shown = service.api.get(&format!("/v2/snapshots/{snapshot}")).await.expect(200);
    assert_eq!(shown["snapshot"]["status"], "available");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_is_given_the_snapshots_that_it_lacked() {
    let service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "early");
    let snapshot = service.snapshot(&share).await;
    let (second, two) = service.replica(&share).await;
    service.instances(&snapshot, 2).await;
    let list = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
    let copies = service.api.get(&list).await.expect(200);
    let copies = copies["snapshot_instances"].as_array().unwrap();
    let own = copies.iter().find(|copy| copy["share_instance_id"] == *second).unwrap();
    let path = format!("/v2/snapshot-instances/{}/action", own["id"].as_str().unwrap());
    service.api.post(&path, json!({ "reset_status": { "status": "error" } })).await.expect(202);
    write(&one, "late");

    service.act(&second, json!({ "promote": null }), 202).await;
    service.replica_is(&second, "available", "active").await;
    for (_, path) in service.instances(&snapshot, 2).await {
        assert_eq!(read(&path), "early");
    }
    assert_eq!(read(&two), "late");
    service.replica_is(&first, "available", "in_sync").await;
    service.api.delete(&format!("/v2/share-replicas/{first}")).await.expect(202);
    assert_eq!(service.instances(&snapshot, 1).await[0].0, second);
    service.stop().await;
}
