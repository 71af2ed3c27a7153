//! Backends that fail: for a while, for good, and in the middle.

use abaca_model::OperationState;
use abaca_store::{Dialect, operations};
use serde_json::{Map, Value, json};

use crate::migrations::{self, Way};
use crate::service::{Service, Storage, World, id};
use crate::story;

crate::on_each_database!(
    passing_failures_are_tried_again,
    failures_after_the_effect_do_it_once,
    lasting_failures_end_in_an_error_status_and_a_message,
    a_reset_during_a_call_that_hangs_stands,
    a_call_that_keeps_its_thread_does_not_keep_the_process,
    passing_failures_of_a_migration_are_tried_again,
    lasting_failures_of_a_migration_leave_the_source_as_it_was,
    what_a_migration_leaves_behind_may_be_hard_to_delete,
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
async fn with_faults(dialect: Dialect, kind: &str, faults: &str) -> (World, Service, String) {
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

fn newest(service: &Service, list: &str) -> String {
    id(&service.get(&format!("/{list}"))[list.replace('-', "_")][0])
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
        if kind == "create_share" {
            assert!(held(&world, "b").0.is_empty(), "what nobody wants any more was made");
        }
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

/// What the two backends of a migration are asked, in this order.
const MIGRATION_CALLS: [&str; 3] = ["migration_source", "migration_check", "migrate"];

/// A share with a snapshot and a rule, that can move between two backends.
async fn movable(dialect: Dialect) -> (World, Service, String) {
    let (world, service, share) = migrations::simulated(dialect).await;
    let snapshot = service.create_snapshot(&share);
    service.snapshot_is(&snapshot, "available");
    story::allow(&service, &format!("/shares/{share}"), "10.0.0.1");
    service.settled_rules(&share);
    (world, service, share)
}

fn migrate(service: &Service, share: &str, to: &str) {
    let body = migrations::migration_to(&format!("w@{to}#p"), Way::Driver);
    service.post(&format!("/shares/{share}/action"), &body);
}

fn reaches(service: &Service, share: &str, state: &str) {
    service.wait(state, |service| {
        let shown = service.get(&format!("/shares/{share}"));
        (shown["share"]["task_state"] == state).then_some(())
    });
}

/// The share and its snapshot are in this backend alone, and can be used there.
async fn is_only_at(world: &World, service: &Service, share: &str, at: &str) {
    world.settled().await;
    let shown = service.get(&format!("/shares/{share}"))["share"].clone();
    assert_eq!(
        (&shown["status"], &shown["host"]),
        (&json!("available"), &json!(format!("w@{at}#p")))
    );
    let snapshot = service.get("/snapshots/detail")["snapshots"][0].clone();
    assert_eq!(snapshot["status"], "available");
    let (share, snapshot) =
        (service.share_instance(share), id(&service.snapshot_instance(&id(&snapshot))));
    let (shares, snapshots) = held(world, at);
    assert_eq!((shares.keys().collect::<Vec<_>>(), snapshots), (vec![&share], vec![snapshot]));
    assert_eq!(shares[&share]["access"]["rules"][0]["level"], "rw");
    let other = held(world, if at == "b" { "c" } else { "b" });
    assert!(other.0.is_empty() && other.1.is_empty(), "{other:?}");
}

/// The shares of a simulated backend, and the ids of its snapshots.
fn held(world: &World, backend: &str) -> (Map<String, Value>, Vec<String>) {
    let file = world.path(if backend == "b" { "state.json" } else { "c.json" });
    // It is written when there is something to keep.
    let Ok(state) = std::fs::read(file) else { return (Map::new(), Vec::new()) };
    let state: Value = serde_json::from_slice(&state).unwrap();
    let snapshots = state["snapshots"].as_object().unwrap().keys().cloned().collect();
    (state["shares"].as_object().unwrap().clone(), snapshots)
}

async fn passing_failures_of_a_migration_are_tried_again(dialect: Dialect) {
    let (world, service, share) = movable(dialect).await;
    let mut ends = ["c", "b"].iter().cycle();
    for method in MIGRATION_CALLS {
        for after_effect in [false, true] {
            let to = ends.next().unwrap();
            world.set_faults(&format!(
                "[[fault]]\nmethod = \"{method}\"\nfail = \"transient\"\ntimes = 2\nafter_effect = {after_effect}\n"
            ));
            migrate(&service, &share, to);
            reaches(&service, &share, "migration_driver_phase1_done");
            service.post(&format!("/shares/{share}/action"), &json!({"migration_complete": null}));
            reaches(&service, &share, "migration_success");
            is_only_at(&world, &service, &share, to).await;
        }
    }
    let retries = world.log().matches("it will be tried again").count();
    assert!(retries >= 12, "{retries}\n{}", world.log());
    drop(service);
    world.remove().await;
}

async fn lasting_failures_of_a_migration_leave_the_source_as_it_was(dialect: Dialect) {
    let (world, service, share) = movable(dialect).await;
    for (number, method) in MIGRATION_CALLS.iter().enumerate() {
        world.set_faults(&format!("[[fault]]\nmethod = \"{method}\"\nfail = \"failed\"\n"));
        migrate(&service, &share, "c");
        // The state of the one before is that, too.
        let messages = service.wait("another message", |service| {
            let messages = service.get("/messages")["messages"].as_array().unwrap().clone();
            (messages.len() > number).then_some(messages)
        });
        reaches(&service, &share, "migration_error");
        is_only_at(&world, &service, &share, "b").await;
        assert_eq!(messages.len(), number + 1);
        for message in messages {
            let text = message["user_message"].as_str().unwrap();
            assert!(text.contains(": The storage backend failed. "), "{method}: {text}");
            assert_eq!(
                (&message["resource_type"], &message["resource_id"]),
                (&json!("SHARE"), &json!(share))
            );
        }
    }
    drop(service);
    world.remove().await;
}

/// The destination of a migration that was cancelled; the source of one that was completed.
async fn what_a_migration_leaves_behind_may_be_hard_to_delete(dialect: Dialect) {
    let (world, service, share) = movable(dialect).await;
    let action = format!("/shares/{share}/action");
    let passing =
        |method| format!("[[fault]]\nmethod = \"{method}\"\nfail = \"transient\"\ntimes = 2\n");
    migrate(&service, &share, "c");
    reaches(&service, &share, "migration_driver_phase1_done");
    world.set_faults(&(passing("delete_share") + &passing("delete_snapshot")));
    service.post(&action, &json!({"migration_cancel": null}));
    reaches(&service, &share, "migration_cancelled");
    is_only_at(&world, &service, &share, "b").await;

    migrate(&service, &share, "c");
    reaches(&service, &share, "migration_driver_phase1_done");
    world.set_faults("[[fault]]\nmethod = \"delete_share\"\nfail = \"failed\"\n");
    service.post(&action, &json!({"migration_complete": null}));
    reaches(&service, &share, "migration_success");
    let left = service.wait("what could not be deleted", |service| {
        let all = service.get("/share_instances")["share_instances"].as_array().unwrap().clone();
        all.iter().find(|one| one["status"] == "error_deleting").map(id)
    });
    // Nothing is held up by it.
    story::allow(&service, &format!("/shares/{share}"), "10.0.0.2");
    assert_eq!(service.settled_rules(&share), ["10.0.0.1", "10.0.0.2"]);
    world.set_faults("");
    service.post(&format!("/share_instances/{left}/action"), &json!({"force_delete": null}));
    service.wait("it is gone", |_| held(&world, "b").0.is_empty().then_some(()));
    is_only_at(&world, &service, &share, "c").await;
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
