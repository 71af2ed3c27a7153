//! A replica that is not in its backend is made anew by an update: what it lacked it has again in the
//! end, wherever the process is killed.

use std::fs;

use abaca_store::Dialect;
use serde_json::json;

use super::{
    Scene, add_backends, ask, assert_done, data, died, find_new_follower, names, new_world,
    prepare, watch,
};
use crate::service::{Service, Storage, World};
use crate::story::MOMENTS;

crate::on_each_database!(
    its_bytes_and_snapshots,
    its_access_rules,
    found_by_an_update_that_nobody_asked_for,
    its_creation_found_no_bytes,
    its_creation_could_not_copy,
    one_database_connection_is_enough,
);

/// Made, and not recorded; then at every moment in turn.
async fn its_bytes_and_snapshots(dialect: Dialect) {
    resynced(dialect, &["update_replica.update.effect"]).await;
    let steps = ["update_replica.update", "create_snapshot.create"];
    let places = steps.iter().flat_map(|step| MOMENTS.map(|moment| format!("{step}.{moment}")));
    resynced(dialect, &places.collect::<Vec<_>>()).await;
}

async fn its_access_rules(dialect: Dialect) {
    let rules = ["effect", "commit"].map(|moment| format!("update_access_rules.apply.{moment}"));
    let [effect, commit] = &rules;
    resynced(dialect, &["update_replica.update.recorded", effect, commit]).await;
}

/// Somebody has removed all that the follower's backend held. A resync is killed at each of these.
async fn resynced(dialect: Dialect, places: &[impl AsRef<str>]) {
    let places: Vec<_> = places.iter().map(AsRef::as_ref).collect();
    let world = new_world(dialect, 1).await;
    let doomed = world.start("all", Some(places[0]));
    let scene = prepare(&world, &doomed, "update_replica", 1).await;
    lose_follower(&world, &scene);
    resync_in_turn(&world, doomed, &scene, &places).await;
    world.remove().await;
}

/// `doomed` dies at the first of `places`, each process after it at the next; the one after them ends the
/// resync.
async fn resync_in_turn(world: &World, mut doomed: Service, scene: &Scene, places: &[&str]) {
    let watch = watch(world, scene);
    ask(&doomed, "update_replica", scene);
    died(world, &mut doomed, places[0]);
    for place in &places[1..] {
        died(world, &mut world.start("all", Some(place)), place);
    }
    let what = places.join(", ");
    let again = world.start("all", None);
    world.settled().await;
    watch.end(&what).await;
    assert_done(world, &again, "update_replica", scene, &what).await;
}

fn lose_follower(world: &World, scene: &Scene) {
    let object = data(world, scene.follower()).parent().unwrap().to_owned();
    let root = object.ancestors().nth(2).unwrap();
    for snapshot in names(&root.join("snapshots")) {
        fs::remove_dir_all(root.join("snapshots").join(snapshot)).unwrap();
    }
    fs::remove_dir_all(object).unwrap();
}

/// What is made anew has neither snapshots nor rules, whoever asked for the update.
async fn found_by_an_update_that_nobody_asked_for(dialect: Dialect) {
    let world = new_world(dialect, 1).await;
    let whole = world.start("all", None);
    let scene = prepare(&world, &whole, "update_replica", 1).await;
    drop(whole);
    lose_follower(&world, &scene);
    let seldom = fs::read_to_string(world.path("abaca.toml")).unwrap();
    world.configure("[worker]", "replica_update_interval = 0.1");
    for moment in ["effect", "commit"] {
        let place = format!("update_replica.update.{moment}");
        died(&world, &mut world.start("all", Some(&place)), &place);
    }
    fs::write(world.path("abaca.toml"), seldom).unwrap();
    let again = world.start("all", None);
    world.settled().await;
    assert_done(&world, &again, "update_replica", &scene, "an update").await;
    world.remove().await;
}

/// It is not known where the bytes of the active one are: the creation begins anew.
async fn its_creation_found_no_bytes(dialect: Dialect) {
    let object =
        |world: &World, scene: &Scene| data(world, &scene.first).parent().unwrap().to_owned();
    let places = [
        "update_replica.update.effect",
        "update_replica.update.commit",
        "update_replica.update.recorded",
        "create_replica.schedule.commit",
        "create_replica.schedule.recorded",
        "create_replica.locate.recorded",
        "create_replica.create.effect",
        "create_replica.create.recorded",
    ];
    created_by_resync(dialect, object, &places).await;
}

async fn its_creation_could_not_copy(dialect: Dialect) {
    let places = [
        "update_replica.update.start",
        "update_replica.update.effect",
        "update_replica.update.commit",
        "update_replica.update.recorded",
    ];
    created_by_resync(dialect, |world, scene| data(world, &scene.first), &places).await;
}

/// The replica could not be made while a part of the active one was away. A resync is killed at each of
/// these in turn.
async fn created_by_resync(
    dialect: Dialect,
    away: impl Fn(&World, &Scene) -> std::path::PathBuf,
    places: &[&str],
) {
    let world = new_world(dialect, 1).await;
    let doomed = world.start("all", Some(places[0]));
    let mut scene = prepare(&world, &doomed, "create_replica", 1).await;
    let (part, aside) = (away(&world, &scene), world.path("aside"));
    fs::rename(&part, &aside).unwrap();
    ask(&doomed, "create_replica", &scene);
    world.settled().await;
    find_new_follower(&doomed, &mut scene);
    let failed = doomed.get(&format!("/share-replicas/{}", scene.follower()));
    assert_eq!(failed["share_replica"]["status"], json!("error"), "{failed}");
    fs::rename(&aside, &part).unwrap();
    resync_in_turn(&world, doomed, &scene, places).await;
    world.remove().await;
}

/// No step waits for a second connection while it has one.
async fn one_database_connection_is_enough(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    world.configure("[database]", "pool_size = 1");
    add_backends(&world, 1);
    let service = world.start("all", None);
    let scene = prepare(&world, &service, "update_replica", 1).await;
    for kind in ["update_replica", "promote_replica"] {
        ask(&service, kind, &scene);
        world.settled().await;
        assert_done(&world, &service, kind, &scene, kind).await;
    }
    world.remove().await;
}
