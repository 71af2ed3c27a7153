//! An administrator's word in the middle of what is done to a replica, and the process killed once more
//! while it cleans up.

use std::fs;

use abaca_model::OperationState;
use abaca_store::Dialect;
use serde_json::json;

use super::{
    Scene, active, add_backends, ask, assert_as_rows_say, assert_done, assert_no_leftovers, data,
    died, find_new_follower, levels, names, new_world, prepare, root, rows_by_backend, watch,
};
use crate::service::{Service, Storage, World};
use crate::tree;

crate::on_each_database!(
    stand_and_a_resync_mends,
    are_not_held_up_when_the_worker_is_gone,
    to_available_of_what_nobody_recorded,
);

async fn stand_and_a_resync_mends(dialect: Dialect) {
    for place in [
        "create_replica.schedule.effect",
        "create_replica.create.effect",
        "update_replica.update.effect",
        "promote_replica.quiesce.effect",
        "promote_replica.quiesce.recorded",
        "promote_replica.promote.start",
        "promote_replica.promote.effect",
        "delete_replica.delete.effect",
    ] {
        let world = new_world(dialect, 1).await;
        in_the_middle(&world, place).await;
        world.remove().await;
    }
}

async fn in_the_middle(world: &World, place: &str) {
    let (step, _) = place.rsplit_once('.').unwrap();
    let (kind, _) = place.split_once('.').unwrap();
    let mut doomed = world.start("all", Some(place));
    let mut scene = prepare(world, &doomed, kind, 1).await;
    let watch = watch(world, &scene);
    ask(&doomed, kind, &scene);
    died(world, &mut doomed, place);
    let api = world.start("api", None);
    if kind == "create_replica" {
        find_new_follower(&api, &mut scene);
    }
    let path = format!("/share-replicas/{}", scene.follower());
    let reset = json!({ "reset_status": { "status": "error" } });
    api.post(&format!("{path}/action"), &reset);
    assert!(api.stop().success());

    // The same once more, each time a little further.
    for moment in ["clean_up", "effect", "commit"] {
        let place = format!("{step}.{moment}");
        died(world, &mut world.start("all", Some(&place)), &place);
    }
    let again = world.start("all", None);
    world.settled().await;
    world.reaches(scene.follower(), OperationState::Superseded).await;
    assert_eq!(again.get(&path)["share_replica"]["status"], "error", "{place}");
    assert_eq!(active(world, &scene).await, scene.first, "{place}");
    assert_eq!(levels(world, &scene.first), ["rw"], "{place}: its clients can write again");
    for (name, rows) in rows_by_backend(world, &scene).await {
        let root = root(world, &name);
        let held = names(&root.join("shares"));
        assert!(held.iter().all(|object| rows.contains(object)), "{place}: {held:?} of {rows:?}");
        assert_no_leftovers(&root, &again, place);
    }
    // Before it has a place there is nothing to mend.
    if again.get(&path)["share_replica"]["host"] != "" {
        mend(world, &again, &scene, place).await;
    }
    watch.end(place).await;
    assert!(again.stop().success());
}

async fn mend(world: &World, service: &Service, scene: &Scene, what: &str) {
    ask(service, "update_replica", scene);
    world.settled().await;
    let path = format!("/share-replicas/{}", scene.follower());
    let mended = service.get(&path)["share_replica"].clone();
    assert_eq!(
        (&mended["status"], &mended["replica_state"]),
        (&json!("available"), &json!("in_sync")),
        "{what}"
    );
    tree::assert_same(&data(world, scene.follower()), &scene.now, what);
    assert_eq!(levels(world, scene.follower()), ["ro"], "{what}");
    assert_as_rows_say(world, service, scene, what).await;
}

/// Nobody serves the replica's backend any more: those who use the active one do not wait for that.
async fn are_not_held_up_when_the_worker_is_gone(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    let first_alone = fs::read_to_string(world.path("abaca.toml")).unwrap();
    add_backends(&world, 1);
    let place = "promote_replica.promote.start";
    let mut doomed = world.start("all", Some(place));
    let scene = prepare(&world, &doomed, "promote_replica", 1).await;
    ask(&doomed, "promote_replica", &scene);
    died(&world, &mut doomed, place);
    assert_eq!(levels(&world, &scene.first), ["ro"]);

    fs::write(world.path("abaca.toml"), first_alone).unwrap();
    let again = world.start("all", None);
    let replica = format!("/share-replicas/{}/action", scene.follower());
    again.post(&replica, &json!({ "reset_status": { "status": "error" } }));
    again.wait("writers", |_| (levels(&world, &scene.first) == ["rw"]).then_some(()));
    assert!(again.stop().success());
    world.remove().await;
}

/// The backend has made a replica, nobody has recorded it, and an administrator says that it is there.
async fn to_available_of_what_nobody_recorded(dialect: Dialect) {
    let world = new_world(dialect, 1).await;
    let place = "create_replica.create.effect";
    let mut doomed = world.start("all", Some(place));
    let mut scene = prepare(&world, &doomed, "create_replica", 1).await;
    let watch = watch(&world, &scene);
    ask(&doomed, "create_replica", &scene);
    died(&world, &mut doomed, place);
    let api = world.start("api", None);
    find_new_follower(&api, &mut scene);
    let replica = format!("/share-replicas/{}", scene.follower());
    let reset = json!({ "reset_status": { "status": "available" } });
    api.post(&format!("{replica}/action"), &reset);
    drop(api);
    let again = world.start("all", None);
    world.settled().await;
    mend(&world, &again, &scene, place).await;
    let exports = again.get(&format!("{replica}/export-locations"));
    assert_eq!(exports["export_locations"].as_array().unwrap().len(), 1, "{exports}");
    ask(&again, "promote_replica", &scene);
    world.settled().await;
    watch.end(place).await;
    assert_done(&world, &again, "promote_replica", &scene, place).await;
    world.remove().await;
}
