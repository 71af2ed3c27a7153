//! Migrations that arrive.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_moves_with_its_snapshots_and_rules() {
    let service = Service::start().await;
    let (share, mount) = service.share().await;
    fs::write(mount.join("file"), "old").unwrap();
    let snapshot = service.snapshot(&share).await;
    fs::write(mount.join("file"), "new").unwrap();
    for (address, level) in [("10.0.0.1", "rw"), ("10.0.0.2", "ro")] {
        let rule = json!({ "access_type": "ip", "access_to": address, "access_level": level });
        service.action(&share, json!({ "allow_access": rule })).await.expect(200);
    }
    let more = json!({ "preserve_snapshots": true, "preserve_metadata": true });
    service.migrate(&share, "second", more).await.expect(202);

    let shown = service.reaches(&share, "migration_driver_phase1_done").await;
    assert_eq!(
        (&shown["status"], &shown["host"]),
        (&json!("migrating"), &json!(service.pool("first")))
    );
    assert_eq!(service.mount(&share).await, mount, "the tenant still has the source");
    let ends = [("migrating", "first"), ("migrating_to", "second")];
    let ends = ends.map(|(status, backend)| (status.to_owned(), service.pool(backend)));
    assert_eq!(service.instances(&share).await, ends);
    let copies = service.copies(&snapshot).await;
    let statuses: Vec<_> = copies.iter().map(|copy| copy["status"].clone()).collect();
    assert_eq!(statuses, ["migrating", "migrating_to"]);
    let at =
        |copy: usize| Path::new(copies[copy]["provider_location"].as_str().unwrap()).to_owned();
    assert_ne!(at(0), at(1));
    assert_eq!(fs::read_to_string(at(1).join("file")).unwrap(), "old");
    let rules = service.api.get(&format!("/v2/share-access-rules?share_id={share}")).await;
    let cast = fs::read_to_string(mount.parent().unwrap().join("access.json")).unwrap();
    assert!(!cast.contains("\"rw\""), "nobody may write to the source: {cast}");
    assert_eq!(rules.expect(200)["access_list"][0]["access_level"], "rw", "the tenant's word");
    let refused = json!({ "snapshot": { "share_id": share } });
    service.api.post("/v2/snapshots", refused).await.fault(400, "badRequest");

    service.complete(&share).await;
    let shown = &service.api.get(&format!("/v2/shares/{share}")).await.expect(200)["share"];
    assert_eq!(
        (&shown["status"], &shown["host"]),
        (&json!("available"), &json!(service.pool("second")))
    );
    let moved = service.mount(&share).await;
    assert_ne!(moved, mount);
    assert_eq!(fs::read_to_string(moved.join("file")).unwrap(), "new");
    service.available("snapshots", "snapshot", &snapshot).await;
    service.holds("first", 0, 0).await;
    service.holds("second", 1, 1).await;
    let gone = |answer: &crate::support::Answer| {
        let list = answer.expect(200)["share_instances"].as_array().unwrap().clone();
        (list.len() == 1).then(|| list[0].clone())
    };
    let instance = service.wait(&format!("/v2/shares/{share}/instances"), gone).await;
    assert_eq!(instance["cast_rules_to_readonly"], false);
    let copies = service.copies(&snapshot).await;
    assert_eq!((copies.len(), &copies[0]["status"]), (1, &json!("available")));
    assert_eq!(copies[0]["share_instance_id"], instance["id"]);
    let access = fs::read_to_string(moved.parent().unwrap().join("access.json")).unwrap();
    assert!(access.contains("10.0.0.1") && access.contains("\"rw\""), "{access}");
    let list =
        service.api.get(&format!("/v2/share-access-rules?share_id={share}")).await.expect(200);
    let states: Vec<_> =
        list["access_list"].as_array().unwrap().iter().map(|r| &r["state"]).collect();
    assert_eq!(states, ["active", "active"]);
    // It is a share as any other: it can be snapshotted at once, and moved back.
    service.snapshot(&share).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_mover_carries_what_is_forced() {
    let service = Service::start().await;
    let (share, mount) = service.share().await;
    fs::create_dir(mount.join("directory")).unwrap();
    fs::write(mount.join("directory/file"), vec![7; 3_000_000]).unwrap();
    fs::hard_link(mount.join("directory/file"), mount.join("second")).unwrap();
    let more = json!({ "force_host_assisted_migration": true });
    service.migrate(&share, "second", more).await.expect(202);
    service.reaches(&share, "data_copying_completed").await;
    service.complete(&share).await;
    let moved = service.mount(&share).await;
    assert_eq!(fs::read(moved.join("second")).unwrap(), vec![7; 3_000_000]);
    service.holds("first", 0, 0).await;
    service.holds("second", 1, 0).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_changes_its_type_where_it_is() {
    let service = Service::start().await;
    let (share, mount) = service.share().await;
    fs::write(mount.join("file"), "bytes").unwrap();
    let types = service.api.get("/v2/types").await.expect(200);
    let types = types["share_types"].as_array().unwrap();
    let plain = types.iter().find(|one| one["name"] == "plain").unwrap()["id"].clone();
    let more = json!({ "new_share_type_id": plain });
    service.migrate(&share, "first", more).await.expect(202);
    let shown = service.reaches(&share, "migration_driver_phase1_done").await;
    assert_eq!(
        (&shown["share_type_name"], &shown["snapshot_support"]),
        (&json!("default"), &json!(true))
    );
    service.complete(&share).await;
    let shown = &service.api.get(&format!("/v2/shares/{share}")).await.expect(200)["share"];
    assert_eq!((&shown["share_type"], &shown["snapshot_support"]), (&plain, &json!(false)));
    let moved = service.mount(&share).await;
    assert_eq!(fs::read_to_string(moved.join("file")).unwrap(), "bytes");
    service.holds("first", 1, 0).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_there_already_is_done() {
    let service = Service::start().await;
    let (share, _) = service.share().await;
    service.migrate(&share, "first", json!({})).await.expect(200);
    let shown = &service.api.get(&format!("/v2/shares/{share}")).await.expect(200)["share"];
    assert_eq!(
        (&shown["task_state"], &shown["status"]),
        (&json!("migration_success"), &json!("available"))
    );
    assert_eq!(service.instances(&share).await.len(), 1);
    service.stop().await;
}
