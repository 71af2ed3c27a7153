//! Migrations that do not arrive: the source is as it was.

use std::fs;

use serde_json::json;

use super::Service;

async fn assert_as_before(service: &Service, share: &str, snapshots: usize) {
    let shown = &service.api.get(&format!("/v2/shares/{share}")).await.expect(200)["share"];
    assert_eq!(shown["host"], service.pool("first"));
    service.holds("first", 1, snapshots).await;
    service.holds("second", 0, 0).await;
    let mount = service.mount(share).await;
    assert_eq!(fs::read_to_string(mount.join("file")).unwrap(), "bytes");
    let one = |answer: &crate::support::Answer| {
        let list = answer.expect(200)["share_instances"].as_array().unwrap().clone();
        let settled = list.len() == 1 && list[0]["access_rules_status"] == "active";
        settled.then(|| list[0].clone())
    };
    let instance = service.wait(&format!("/v2/shares/{share}/instances"), one).await;
    assert_eq!(instance["cast_rules_to_readonly"], false);
    let access = fs::read_to_string(mount.parent().unwrap().join("access.json")).unwrap();
    assert!(access.contains("\"rw\""), "writable again: {access}");
}

async fn share_with_rule(service: &Service) -> String {
    let (share, mount) = service.share().await;
    fs::write(mount.join("file"), "bytes").unwrap();
    let rule = json!({ "access_type": "ip", "access_to": "10.0.0.1" });
    service.action(&share, json!({ "allow_access": rule })).await.expect(200);
    share
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_after_the_first_phase() {
    let service = Service::start().await;
    let share = share_with_rule(&service).await;
    let snapshot = service.snapshot(&share).await;
    service.migrate(&share, "second", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    service.holds("second", 1, 1).await;
    service.action(&share, json!({ "migration_cancel": null })).await.expect(202);
    let shown = service.reaches(&share, "migration_cancelled").await;
    assert_eq!(shown["status"], "available");
    assert_as_before(&service, &share, 1).await;
    service.available("snapshots", "snapshot", &snapshot).await;
    let copies = service.copies(&snapshot).await;
    assert_eq!((copies.len(), &copies[0]["status"]), (1, &json!("available")));
    for action in ["migration_cancel", "migration_complete"] {
        let refused = service.action(&share, json!({ action: null })).await;
        refused.fault(400, "badRequest");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_backend_can_do_fails_and_tells_why() {
    let service = Service::start().await;
    let share = share_with_rule(&service).await;
    for (backend, more) in [
        ("second", json!({ "nondisruptive": true })),
        ("second", json!({ "writable": true })),
        ("void", json!({})),
    ] {
        service.migrate(&share, backend, more.clone()).await.expect(202);
        let shown = service.reaches(&share, "migration_error").await;
        assert_eq!(shown["status"], "available", "{backend} {more}");
        assert_as_before(&service, &share, 0).await;
        let list = service.api.get(&format!("/v2/messages?resource_id={share}")).await.expect(200);
        let messages = list["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0]["action_id"], "005");
        let path = format!("/v2/messages/{}", messages[0]["id"].as_str().unwrap());
        service.api.delete(&path).await.expect(204);
        let state = json!({ "reset_task_state": { "task_state": null } });
        service.action(&share, state).await.expect(202);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrators_reset_ends_it() {
    let service = Service::start().await;
    let share = share_with_rule(&service).await;
    service.migrate(&share, "second", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    // As `openstack share set` does: what it shows changes, the migration goes on.
    let state = json!({ "reset_task_state": { "task_state": null } });
    service.action(&share, state).await.expect(202);
    let progress = service.api.get(&format!("/v2/shares/{share}/migration-progress")).await;
    assert_eq!(progress.expect(200)["task_state"], "migration_driver_phase1_done");
    let status = json!({ "reset_status": { "status": "available" } });
    service.action(&share, status).await.expect(202);
    service.reaches(&share, "migration_error").await;
    assert_as_before(&service, &share, 0).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_past_the_rules_is_kept() {
    for more in [json!({}), json!({ "force_host_assisted_migration": true })] {
        let service = Service::start().await;
        let share = share_with_rule(&service).await;
        let mount = service.mount(&share).await;
        fs::create_dir(mount.join("directory")).unwrap();
        let done = match more.get("force_host_assisted_migration") {
            Some(_) => "data_copying_completed",
            None => "migration_driver_phase1_done",
        };
        service.migrate(&share, "second", more).await.expect(202);
        service.reaches(&share, done).await;
        // As large as before, and as old.
        let file = fs::File::options().write(true).open(mount.join("file")).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        std::os::unix::fs::FileExt::write_at(&file, b"BYTES", 0).unwrap();
        file.set_modified(modified).unwrap();
        service.action(&share, json!({ "migration_complete": null })).await.expect(202);
        service.reaches(&share, "migration_error").await;
        assert_eq!(fs::read_to_string(mount.join("file")).unwrap(), "BYTES");
        fs::write(mount.join("file"), "bytes").unwrap();
        assert_as_before(&service, &share, 0).await;
        let list = service.api.get(&format!("/v2/messages?resource_id={share}")).await.expect(200);
        assert_eq!(list["messages"].as_array().unwrap().len(), 1);
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_snapshot_is_taken_meanwhile_however_much_it_is_forced() {
    let service = Service::start().await;
    let share = share_with_rule(&service).await;
    service.migrate(&share, "second", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    // As `openstack share set` does, whatever it sets.
    let state = json!({ "reset_task_state": { "task_state": null } });
    service.action(&share, state).await.expect(202);
    let body = json!({ "snapshot": { "share_id": share, "force": true } });
    service.api.post("/v2/snapshots", body).await.fault(400, "badRequest");
    service.stop().await;
}
