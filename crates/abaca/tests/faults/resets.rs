//! An administrator's reset in the middle of an operation stands afterwards, is audited, and the
//! backend is left as the row then says.

use std::os::unix::process::ExitStatusExt;

use abaca_model::OperationState;
use abaca_store::{Dialect, audit};
use serde_json::json;

use crate::service::{Storage, World, id};
use crate::story;

crate::on_each_database!(
    to_error_stands_during_every_operation,
    to_available_keeps_a_snapshot_that_was_being_made,
);

/// The process dies when the operation has had its effect; the reset comes before it is resumed.
async fn to_error_stands_during_every_operation(dialect: Dialect) {
    for kind in story::fenced_kinds() {
        let step = kind.steps.last().unwrap();
        let (world, resource, is_snapshot) = interrupted(dialect, kind.name, step).await;
        let (rows, key) = if is_snapshot {
            ("/snapshot-instances", "snapshot_instance")
        } else {
            ("/share_instances", "share_instance")
        };
        let path = format!("{rows}/{resource}");
        reset(&world, &path, "error");

        let service = world.start("all", None);
        world.settled().await;
        world.reaches(&resource, OperationState::Superseded).await;
        assert_eq!(service.get(&path)[key]["status"], "error", "{}", kind.name);

        let mut tx = world.database.db.read().await.unwrap();
        let records = audit::of_resource(&mut tx, &resource).await.unwrap();
        drop(tx);
        let [record] = &records[..] else { panic!("{}: {records:?}", kind.name) };
        assert_eq!((record.user_id.as_str(), record.status_to.as_str()), ("admin", "error"));
        assert_ne!(record.status_from, "error");

        if kind.name == "revert_share" {
            let snapshots = service.get("/snapshots/detail");
            assert_eq!(
                snapshots["snapshots"][0]["status"], "available",
                "it is not left restoring"
            );
        }
        // What was being created is gone, what was being deleted had gone, the rest is as it was.
        let held = if is_snapshot { world.held("snapshots") } else { world.held("shares") };
        // What was taken into use is given up again, what was given up is taken back.
        let moved = kind.name.contains("manage_");
        let stays = moved
            || matches!(
                kind.name,
                "extend_share" | "shrink_share" | "revert_share" | "ensure_share"
            );
        assert_eq!(held.contains(&resource), stays, "{}: {held:?}", kind.name);
        if moved {
            let container = if is_snapshot { "snapshots" } else { "shares" };
            let given_up = story::is_given_up(&world, container, &resource);
            assert_eq!(given_up, kind.name.starts_with("manage"), "{}", kind.name);
        }
        assert!(service.stop().success());
        world.remove().await;
    }
}

async fn to_available_keeps_a_snapshot_that_was_being_made(dialect: Dialect) {
    let (world, resource, _) = interrupted(dialect, "create_snapshot", "create").await;
    let path = format!("/snapshot-instances/{resource}");
    reset(&world, &path, "available");
    let service = world.start("all", None);
    world.settled().await;
    world.reaches(&resource, OperationState::Superseded).await;
    let instance = &service.get(&path)["snapshot_instance"];
    assert_eq!(instance["status"], "available");
    assert_eq!(crate::service::read_bytes(&instance["provider_location"]), b"before");
    story::assert_same(&world, &service);
    drop(service);
    world.remove().await;
}

/// A world in which `kind` was killed after its effect; the instance it worked on.
async fn interrupted(dialect: Dialect, kind: &str, step: &str) -> (World, String, bool) {
    let world = World::new(dialect, Storage::Directory).await;
    let whole = world.start("all", None);
    let scene = story::prepare(&world, &whole, kind, true);
    drop(whole);
    let place = format!("{kind}.{step}.effect");
    let mut doomed = world.start("all", Some(&place));
    story::ask(&doomed, kind, &scene);
    assert_eq!(doomed.gone().signal(), Some(9), "{place}");
    let api = world.start("api", None);
    let is_snapshot = kind.ends_with("snapshot");
    let list = if is_snapshot { "snapshot-instances" } else { "share_instances" };
    let rows = &api.get(&format!("/{list}"))[list.replace('-', "_")];
    let resource = scene.resource.filter(|_| kind != "create_snapshot");
    let resource = resource.unwrap_or_else(|| id(&rows[0]));
    drop(api);
    (world, resource, is_snapshot)
}

/// By a process that only serves the API, so that nothing is resumed before.
fn reset(world: &World, path: &str, status: &str) {
    let api = world.start("api", None);
    api.post(&format!("{path}/action"), &json!({"reset_status": {"status": status}}));
    assert!(api.stop().success());
}
