//! What a migration leaves behind may take long to be gone, or never be: the share is free all the same.

use serde_json::json;

use super::Service;
use crate::support::Answer;

async fn allow(service: &Service, path: &str, address: &str) -> String {
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": address } });
    let answer = service.api.post(&format!("{path}/action"), rule).await;
    assert!(answer.status < 300, "{}: {}", answer.status, answer.text);
    let body: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let rule = body.get("access").or_else(|| body.get("snapshot_access")).unwrap();
    rule["id"].as_str().unwrap().to_owned()
}

/// Waits until these addresses, and no others, are let in.
async fn lets_in(service: &Service, list: &str, key: &str, addresses: &[&str]) {
    let settled = |answer: &Answer| {
        let list = answer.expect(200)[key].as_array().unwrap().clone();
        let found: Vec<_> = list.iter().map(|rule| rule["access_to"].clone()).collect();
        (found == addresses && list.iter().all(|rule| rule["state"] == "active")).then_some(())
    };
    service.wait(list, settled).await;
}

/// Changes the rules of a share that has just moved, or has just not.
async fn change_rules(service: &Service, share: &str, first: &str) {
    let list = format!("/v2/share-access-rules?share_id={share}");
    let path = format!("/v2/shares/{share}");
    let added = allow(service, &path, "10.0.0.2").await;
    lets_in(service, &list, "access_list", &["10.0.0.1", "10.0.0.2"]).await;
    for id in [first, &added] {
        let deny = json!({ "deny_access": { "access_id": id } });
        service.action(share, deny).await.expect(202);
    }
    lets_in(service, &list, "access_list", &[]).await;
}

/// Until the instance that goes has this status.
async fn goes(service: &Service, share: &str, status: &str) {
    let going = |answer: &Answer| {
        let list = answer.expect(200)["share_instances"].as_array().unwrap().clone();
        list.iter().any(|instance| instance["status"] == status).then_some(())
    };
    service.wait(&format!("/v2/shares/{share}/instances"), going).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_source_goes_or_does_not() {
    for (fail, status) in [("hang", "deleting"), ("failed", "error_deleting")] {
        let service = Service::start().await;
        let share = service.share_at("near", "default").await;
        let first = allow(&service, &format!("/v2/shares/{share}"), "10.0.0.1").await;
        service.set_fault("near", "delete_share", fail);
        service.migrate(&share, "far", json!({})).await.expect(202);
        service.reaches(&share, "migration_driver_phase1_done").await;
        service.complete(&share).await;
        goes(&service, &share, status).await;
        change_rules(&service, &share, &first).await;
        service.action(&share, json!({ "unmanage": null })).await.expect(202);
        let unmanaged = |answer: &Answer| {
            let list = answer.expect(200)["share_instances"].as_array().unwrap().clone();
            (list.len() == 1 && list[0]["status"] == status).then_some(())
        };
        service.wait(&format!("/v2/shares/{share}/instances"), unmanaged).await;
        service.set_faults("near", "");
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_destination_goes() {
    let service = Service::start().await;
    let share = service.share_at("near", "default").await;
    let first = allow(&service, &format!("/v2/shares/{share}"), "10.0.0.1").await;
    service.set_fault("far", "delete_share", "hang");
    service.migrate(&share, "far", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    service.action(&share, json!({ "migration_cancel": null })).await.expect(202);
    service.reaches(&share, "migration_cancelled").await;
    goes(&service, &share, "deleting").await;
    change_rules(&service, &share, &first).await;
    service.set_faults("far", "");
    service.is_only_at(&share, "near").await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_an_old_snapshot_does_not_go() {
    let service = Service::start().await;
    let share = service.share_at("near", "mountable").await;
    let snapshot = service.snapshot(&share).await;
    let first = allow(&service, &format!("/v2/shares/{share}"), "10.0.0.1").await;
    let path = format!("/v2/snapshots/{snapshot}");
    let old = allow(&service, &path, "10.0.0.9").await;
    service.set_fault("near", "delete_snapshot", "failed");
    service.migrate(&share, "far", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    service.complete(&share).await;
    goes(&service, &share, "deleting").await;
    service.available("snapshots", "snapshot", &snapshot).await;
    let failed = |answer: &Answer| {
        let list = answer.expect(200)["snapshot_instances"].as_array().unwrap().clone();
        list.iter().any(|copy| copy["status"] == "error_deleting").then_some(())
    };
    let copies = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
    service.wait(&copies, failed).await;
    change_rules(&service, &share, &first).await;
    let list = format!("{path}/access-list");
    lets_in(&service, &list, "snapshot_access_list", &["10.0.0.9"]).await;
    allow(&service, &path, "10.0.0.8").await;
    let deny = json!({ "deny_access": { "access_id": old } });
    service.api.post(&format!("{path}/action"), deny).await.expect(202);
    lets_in(&service, &list, "snapshot_access_list", &["10.0.0.8"]).await;
    service.api.post(&format!("{path}/action"), json!({ "unmanage": null })).await.expect(202);
    let unmanaged = |answer: &Answer| {
        let list = answer.expect(200)["snapshot_instances"].as_array().unwrap().clone();
        (list.len() == 1 && list[0]["status"] == "error_deleting").then_some(())
    };
    service.wait(&copies, unmanaged).await;
    service.stop().await;
}
