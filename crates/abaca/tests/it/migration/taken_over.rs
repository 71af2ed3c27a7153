//! What an administrator takes over while a share moves ends the migration, and only that.

use abaca_store::share_migrations::{self, Progress, ShareMigration};
use serde_json::{Value, json};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_is_deleted_is_copied_to_no_longer() {
    let service = Service::start().await;
    let (share, snapshot) = being_copied(&service).await;
    let there = service.instance_at(&share, "far").await.unwrap();
    let path = format!("/v2/share_instances/{there}/action");
    service.api.post(&path, json!({ "force_delete": null })).await.expect(202);
    // The copying would never end by itself.
    assert_ended(&service, &share).await;
    service.available("snapshots", "snapshot", &snapshot).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_copy_has_to_tell_is_no_concern_of_another_migration() {
    let service = Service::start().await;
    let (share, _) = being_copied(&service).await;
    let id = share.parse().unwrap();
    let db = &service.api.app.db;
    let found = share_migrations::of_share(&mut db.read().await.unwrap(), id).await.unwrap();
    let own = found.unwrap();
    let earlier = ShareMigration { destination: Some(own.source), ..own.clone() };
    let progress = Progress { total: 10, copied: 5, compared: 0 };
    for (from, told) in [(&earlier, Progress::default()), (&own, progress)] {
        let mut tx = db.write().await.unwrap();
        share_migrations::set_progress(&mut tx, from, progress).await.unwrap();
        let now = share_migrations::of_share(&mut tx, id).await.unwrap().unwrap();
        assert_eq!(now.progress, told);
    }
    service.set_faults("far", "");
    service.reaches(&share, "migration_driver_phase1_done").await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_was_taken_over_can_be_removed_with_its_snapshots() {
    let service = Service::start().await;
    let (share, snapshot) = being_copied(&service).await;
    service.set_faults("far", "");
    service.reaches(&share, "migration_driver_phase1_done").await;
    let [here, there] = ["near", "far"].map(|backend| service.instance_at(&share, backend));
    let (here, there) = (here.await.unwrap(), there.await.unwrap());
    reset(&service, &format!("share_instances/{there}"), "error").await;
    service.reaches(&share, "migration_error").await;
    assert_eq!(service.copies(&snapshot).await.len(), 2, "it is the administrator's");
    let forced = json!({ "force_delete": null });
    let path = |id: &str| format!("/v2/share_instances/{id}/action");
    service.api.post(&path(&there), forced.clone()).await.expect(202);
    assert_ended(&service, &share).await;
    service.available("snapshots", "snapshot", &snapshot).await;
    let only = |copies: Vec<Value>| (copies.len(), copies[0]["status"].clone());
    assert_eq!(only(service.copies(&snapshot).await), (1, json!("available")));
    // The only one with the only bytes stays.
    service.api.post(&path(&here), forced).await.fault(409, "conflictingRequest");
    service.stop().await;
}
