//! Backends that fail: for a while, for good, and in the middle.

use abaca_model::OperationState;
use abaca_store::{Dialect, operations};
use serde_json::json;

use crate::service::{Storage, World};
use crate::story;

crate::on_each_database!(
    passing_failures_are_tried_again,
    failures_after_the_effect_do_it_once,
    lasting_failures_end_in_an_error_status_and_a_message,
    a_reset_during_a_call_that_hangs_stands,
    a_call_that_keeps_its_thread_does_not_keep_the_process,
);

/// The driver's method that an operation calls, and the status in which its failure ends.
const CALLS: [(&str, &str, &str); 12] = [
    ("create_share", "create_share", "error"),
    ("delete_share", "delete_share", "error_deleting"),
    ("extend_share", "extend_share", "extending_error"),
    ("shrink_share", "shrink_share", "shrinking_error"),
    ("create_snapshot", "create_snapshot", "error"),
    ("delete_snapshot", "delete_snapshot", "error_deleting"),
    ("revert_share", "revert_to_snapshot", "reverting_error"),
    ("ensure_share", "ensure_share", "error"),
    ("manage_share", "manage_share", "manage_error"),
    ("unmanage_share", "unmanage_share", "unmanage_error"),
    ("manage_snapshot", "manage_snapshot", "manage_error"),
    ("unmanage_snapshot", "unmanage_snapshot", "unmanage_error"),
];

/// Asks for `kind` while the backend has these faults; the instance it works on.
async fn with_faults(
    dialect: Dialect,
    kind: &str,
    faults: &str,
) -> (World, crate::service::Service, String) {
    let world = World::new(dialect, Storage::Simulated).await;
    world.set_faults("");
    let service = world.start("all", None);
    let scene = story::prepare(&world, &service, kind, false);
    world.set_faults(faults);
    story::ask(&service, kind, &scene);
    let resource = match kind {
        "create_share" | "manage_share" => newest(&service, "share_instances"),
        "create_snapshot" | "manage_snapshot" => newest(&service, "snapshot-instances"),
        _ => scene.resource.unwrap(),
    };
    (world, service, resource)
}

fn newest(service: &crate::service::Service, list: &str) -> String {
    crate::service::id(&service.get(&format!("/{list}"))[list.replace('-', "_")][0])
}

async fn passing_failures_are_tried_again(dialect: Dialect) {
    for (kind, method, _) in CALLS {
        let faults = format!("[[fault]]\nmethod = \"{method}\"\nfail = \"transient\"\ntimes = 2\n");
        let (world, service, resource) = with_faults(dialect, kind, &faults).await;
        world.reaches(&resource, OperationState::Succeeded).await;
        drop(service);
        world.remove().await;
    }
}

async fn failures_after_the_effect_do_it_once(dialect: Dialect) {
    for (kind, method, _) in CALLS {
        let faults = format!(
            "[[fault]]\nmethod = \"{method}\"\nfail = \"transient\"\ntimes = 2\nafter_effect = true\n"
        );
        let (world, service, resource) = with_faults(dialect, kind, &faults).await;
        world.reaches(&resource, OperationState::Succeeded).await;
        drop(service);
        world.remove().await;
    }
}

async fn lasting_failures_end_in_an_error_status_and_a_message(dialect: Dialect) {
    assert_eq!(
        CALLS.map(|(kind, ..)| kind).to_vec(),
        story::fenced_kinds().map(|kind| kind.name).collect::<Vec<_>>()
    );
    for (kind, method, status) in CALLS {
        // That a look fails tells nothing of the share; that it finds nothing does.
        let fail = if kind == "ensure_share" { "not_found" } else { "failed" };
        let faults = format!("[[fault]]\nmethod = \"{method}\"\nfail = \"{fail}\"\n");
        let (world, service, resource) = with_faults(dialect, kind, &faults).await;
        world.reaches(&resource, OperationState::Failed).await;
        let (list, key) = lists(kind);
        let row = &service.get(&format!("/{list}/{resource}"))[key];
        assert_eq!(row["status"], status, "{kind}");
        let mut tx = world.database.db.read().await.unwrap();
        let request = operations::of_resource(&mut tx, resource.parse().unwrap()).await.unwrap();
        drop(tx);
        let messages = service.get("/messages")["messages"].as_array().unwrap().clone();
        let [message] = &messages[..] else { panic!("{kind}: {messages:?}") };
        let (action_id, detail_id) = told_of(kind);
        assert_eq!(
            (&message["action_id"], &message["detail_id"]),
            (&json!(action_id), &json!(detail_id))
        );
        assert_eq!(message["request_id"], request.last().unwrap().request_id);
        let about = if kind.ends_with("snapshot") { "SHARE_SNAPSHOT" } else { "SHARE" };
        assert_eq!(message["resource_type"], about, "{kind}");
        let text = message["user_message"].as_str().unwrap();
        let why = if fail == "failed" { "failed." } else { "no longer holds what was needed." };
        assert!(text.contains(&format!(": The storage backend {why} ")), "{kind}: {text}");
        if kind == "revert_share" {
            let snapshots = service.get("/snapshots/detail");
            assert_eq!(snapshots["snapshots"][0]["status"], "available");
        }
        drop(service);
        world.remove().await;
    }
}

async fn a_reset_during_a_call_that_hangs_stands(dialect: Dialect) {
    for (kind, method, _) in CALLS {
        let faults = format!("[[fault]]\nmethod = \"{method}\"\nfail = \"hang\"\n");
        let (world, service, resource) = with_faults(dialect, kind, &faults).await;
        world.reaches(&resource, OperationState::Running).await;
        let (list, key) = lists(kind);
        let path = format!("/{list}/{resource}");
        service.post(&format!("{path}/action"), &json!({"reset_status": {"status": "error"}}));
        world.set_faults("");
        world.reaches(&resource, OperationState::Superseded).await;
        assert_eq!(service.get(&path)[key]["status"], "error", "{kind}");
        drop(service);
        world.remove().await;
    }
}

async fn a_call_that_keeps_its_thread_does_not_keep_the_process(dialect: Dialect) {
    let faults = "[[fault]]\nmethod = \"create_share\"\nfail = \"block\"\n";
    let (world, service, resource) = with_faults(dialect, "create_share", faults).await;
    world.reaches(&resource, OperationState::Running).await;
    let status = service.stop();
    assert!(status.success(), "{status:?}");
    world.set_faults("");
    let service = world.start("all", None);
    world.reaches(&resource, OperationState::Succeeded).await;
    drop(service);
    world.remove().await;
}

/// The codes of the action and the detail of the message that a failure leaves.
fn told_of(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "create_share" | "create_snapshot" | "manage_share" | "manage_snapshot" => ("002", "001"),
        "delete_share" | "delete_snapshot" | "unmanage_share" | "unmanage_snapshot" => {
            ("007", "001")
        }
        "extend_share" => ("008", "015"),
        "shrink_share" => ("009", "019"),
        "revert_share" => ("006", "035"),
        "ensure_share" => ("005", "001"),
        other => panic!("{other} is not told here"),
    }
}

fn lists(kind: &str) -> (&'static str, &'static str) {
    if kind.ends_with("snapshot") {
        ("snapshot-instances", "snapshot_instance")
    } else {
        ("share_instances", "share_instance")
    }
}
