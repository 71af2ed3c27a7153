//! What is taken over from a process that dies before it has cleaned up.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use abaca_store::Dialect;
use serde_json::json;

use crate::service::{Service, Storage, World, id};

crate::on_each_database!(a_migration_is_left_alone_by_the_one_before);

/// The first one was taken over, and its process dies when it has cleaned up.
async fn a_migration_is_left_alone_by_the_one_before(dialect: Dialect) {
    let world = World::new(dialect, Storage::Simulated).await;
    let config = fs::read_to_string(world.path("abaca.toml")).unwrap();
    let second =
        config.split_once("[[backend]]").unwrap().1.replace("name = \"b\"", "name = \"c\"");
    let second = second.replace("state.json", "c.json");
    fs::write(world.path("abaca.toml"), format!("{config}[[backend]]{second}")).unwrap();
    world.set_faults("");
    let mut doomed = world.start("all", Some("migrate_share.hold.commit"));
    doomed.wait("two pools", |service| {
        service.get("/scheduler-stats/pools")["pools"].get(1).cloned()
    });
    let hints = json!({"only_host": "w@b#p"});
    let body = json!({"share": {"share_proto": "NFS", "size": 1, "scheduler_hints": hints}});
    let share = id(&doomed.post("/shares", &body)["share"]);
    doomed.share_is(&share, "available");
    let action = format!("/shares/{share}/action");
    let migrate = json!({"migration_start": {"host": "w@c#p", "writable": false,
        "nondisruptive": false, "preserve_metadata": false, "preserve_snapshots": false}});
    doomed.post(&action, &migrate);
    reaches(&doomed, &share, "migration_driver_phase1_done");
    doomed.try_post(&action, &json!({"reset_status": {"status": "available"}}));
    assert_eq!(doomed.gone().signal(), Some(9), "{}", world.log());

    // The next one begins as soon as it may.
    let begins = |service: &Service| {
        let (status, _) = service.ask("POST", &action, Some(&migrate))?;
        (status == 202).then_some(())
    };
    let api = world.start("api", None);
    let begun = begins(&api);
    drop(api);
    let again = world.start("all", None);
    if begun.is_none() {
        again.wait("the next migration", begins);
    }
    reaches(&again, &share, "migration_driver_phase1_done");
    again.post(&action, &json!({"migration_complete": null}));
    reaches(&again, &share, "migration_success");
    world.settled().await;
    let shown = &again.get(&format!("/shares/{share}"))["share"];
    assert_eq!((&shown["status"], &shown["host"]), (&json!("available"), &json!("w@c#p")));
    drop(again);
    world.remove().await;
}

fn reaches(service: &Service, share: &str, state: &str) {
    service.wait(state, |service| {
        (service.get(&format!("/shares/{share}"))["share"]["task_state"] == state).then_some(())
    });
}
