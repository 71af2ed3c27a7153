//! A promotion while nobody knows where the active replica is, killed again and again.

use std::fs;
use std::path::PathBuf;

use abaca_store::Dialect;
use serde_json::json;

use super::{
    Scene, active, ask, assert_as_rows_say, data, died, levels, new_world, prepare, replicas, watch,
};
use crate::service::{Service, World};
use crate::tree::{self, Tree};

crate::on_each_database!(the_storage_of_the_active_one_is_gone);

async fn the_storage_of_the_active_one_is_gone(dialect: Dialect) {
    let world = new_world(dialect, 2).await;
    let whole = world.start("all", None);
    let scene = prepare(&world, &whole, "promote_replica", 2).await;
    assert!(whole.stop().success());
    // There is no backend, and none can be made in its place.
    let (root, away) = (world.backend(), world.path("away"));
    fs::rename(&root, &away).unwrap();
    fs::write(&root, "").unwrap();

    let watch = watch(&world, &scene);
    let start = "promote_replica.quiesce.start";
    let mut doomed = world.start("all", Some(start));
    let promote = json!({ "promote": { "quiesce_wait_time": 1 } });
    doomed.try_post(&format!("/share-replicas/{}/action", scene.follower()), &promote);
    died(&world, &mut doomed, start);
    // Each step of the first is done twice: the writers are asked to stop, and waited for.
    for place in [
        "quiesce.effect",
        "quiesce.commit",
        "quiesce.recorded",
        "quiesce.effect",
        "quiesce.commit",
        "quiesce.recorded",
        "promote.start",
        "promote.effect",
        "promote.commit",
        "promote.recorded",
    ] {
        let place = format!("promote_replica.{place}");
        died(&world, &mut world.start("all", Some(&place)), &place);
    }
    let again = world.start("all", None);
    let [promoted, follower] = &scene.followers[..] else { panic!("{:?}", scene.followers) };
    let is = |service: &Service, id: &str, status: &str, state: &str| {
        let all = replicas(service, &scene);
        let own = all.iter().find(|one| one["id"] == *id).unwrap();
        (own["status"] == status && own["replica_state"] == state).then_some(())
    };
    again.wait("promoted", |service| is(service, promoted, "available", "active"));
    again.wait("followed", |service| is(service, follower, "available", "in_sync"));
    again.wait("kept aside", |service| is(service, &scene.first, "error", "error"));
    again.wait("writers", |_| (levels(&world, promoted) == ["rw"]).then_some(()));
    for replica in [promoted, follower] {
        tree::assert_same(&data(&world, replica), &scene.then, "what was replicated");
    }
    let messages = again.get("/messages")["messages"].as_array().unwrap().clone();
    let of_first = messages.iter().filter(|message| message["resource_id"] == *scene.first);
    assert_eq!(of_first.count(), 1, "told once: {messages:?}");
    assert!(again.stop().success());
    watch.end("the storage is gone").await;

    fs::remove_file(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    comes_back(&world, &scene, promoted).await;
    world.remove().await;
}

/// Nothing but a resync overwrites what may be the only copy.
async fn comes_back(world: &World, scene: &Scene, promoted: &str) {
    let service = world.start("all", None);
    world.settled().await;
    let holds = |tree: &Tree, what: &str| {
        let path: PathBuf = data(world, &scene.first);
        tree::assert_same(&path, tree, what);
        assert_eq!(levels(world, &scene.first), ["ro"], "{what}");
    };
    holds(&scene.now, "what was not replicated");
    let resync = json!({ "resync": null });
    service.post(&format!("/share-replicas/{}/action", scene.first), &resync);
    world.settled().await;
    holds(&scene.then, "after a resync");
    assert_eq!(active(world, scene).await, promoted);
    let all = replicas(&service, scene);
    assert!(all.iter().all(|one| one["status"] == "available"), "{all:?}");
    assert_as_rows_say(world, &service, scene, "after a resync").await;
    ask(&service, "delete_snapshot", scene);
    world.settled().await;
    assert_as_rows_say(world, &service, scene, "without snapshots").await;
}
