//! What an administrator takes over while a share moves ends the migration, and only that.

use serde_json::json;

use super::Service;

/// A share with a snapshot whose bytes are being copied, for ever.
async fn being_copied(service: &Service) -> (String, String) {
    let share = service.share_at("near", "default").await;
    let snapshot = service.snapshot(&share).await;
    service.set_fault("far", "migrate", "hang");
    service.migrate(&share, "far", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_in_progress").await;
    (share, snapshot)
}

async fn reset(service: &Service, path: &str, status: &str) {
    let body = json!({ "reset_status": { "status": status } });
    service.api.post(&format!("/v2/{path}/action"), body).await.expect(202);
}

/// The migration has ended, and the share is what and where it was.
async fn assert_ended(service: &Service, share: &str) {
    service.reaches(share, "migration_error").await;
    service.is_only_at(share, "near").await;
    let shown = &service.api.get(&format!("/v2/shares/{share}")).await.expect(200)["share"];
    assert_eq!(shown["status"], "available");
    service.snapshot(share).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_reset_while_its_share_is_copied() {
    let service = Service::start().await;
    let (share, snapshot) = being_copied(&service).await;
    reset(&service, &format!("snapshots/{snapshot}"), "available").await;
    service.set_faults("far", "");
    assert_ended(&service, &share).await;
    service.available("snapshots", "snapshot", &snapshot).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_of_a_snapshot_that_is_reset_while_its_share_is_copied() {
    let service = Service::start().await;
    let (share, snapshot) = being_copied(&service).await;
    let copies = service.copies(&snapshot).await;
    let there = copies.iter().find(|copy| copy["status"] == "migrating_to").unwrap();
    let path = format!("snapshot-instances/{}", there["id"].as_str().unwrap());
    reset(&service, &path, "error").await;
    service.set_faults("far", "");
    assert_ended(&service, &share).await;
    service.available("snapshots", "snapshot", &snapshot).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_deleted_while_its_share_is_copied() {
    let service = Service::start().await;
    let (share, snapshot) = being_copied(&service).await;
    let path = format!("/v2/snapshots/{snapshot}/action");
    service.api.post(&path, json!({ "force_delete": null })).await.expect(202);
    service.set_faults("far", "");
    assert_ended(&service, &share).await;
    let gone = |answer: &crate::support::Answer| (answer.status == 404).then_some(());
    service.wait(&format!("/v2/snapshots/{snapshot}"), gone).await;
    service.stop().await;
}
