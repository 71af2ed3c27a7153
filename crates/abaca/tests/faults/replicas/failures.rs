//! What is done to a replica fails for good, and the process is killed while it gives up.

use std::fs;

use abaca_store::Dialect;
use serde_json::json;

use super::{
    active, ask, assert_done, data, died, find_new_follower, levels, new_world, prepare, watch,
};

crate::on_each_database!(given_up_and_mended);

/// The step that fails while a part of the active replica is away, and how the replica is then.
const STEPS: [(&str, &str, &str); 4] = [
    ("create_replica.locate", "error", "error"),
    ("create_replica.create", "error", "error"),
    ("update_replica.update", "available", "out_of_sync"),
    ("promote_replica.promote", "available", "out_of_sync"),
];

async fn given_up_and_mended(dialect: Dialect) {
    for (step, status, state) in STEPS {
        let (kind, _) = step.split_once('.').unwrap();
        let world = new_world(dialect, 1).await;
        let places = ["give_up", "effect", "commit", "recorded"];
        let places = places.map(|moment| format!("{step}.{moment}"));
        let mut doomed = world.start("all", Some(&places[0]));
        let mut scene = prepare(&world, &doomed, kind, 1).await;
        let watch = watch(&world, &scene);
        let (bytes, aside) = (data(&world, &scene.first), world.path("aside"));
        let part = if step.ends_with("locate") { bytes.parent().unwrap() } else { &bytes };
        fs::rename(part, &aside).unwrap();
        ask(&doomed, kind, &scene);
        for (number, place) in places.iter().enumerate() {
            if number > 0 {
                doomed = world.start("all", Some(place));
            }
            died(&world, &mut doomed, place);
        }
        let again = world.start("all", None);
        world.settled().await;
        if kind == "create_replica" {
            find_new_follower(&again, &mut scene);
        }
        let path = format!("/share-replicas/{}", scene.follower());
        let shown = again.get(&path)["share_replica"].clone();
        assert_eq!(
            (&shown["status"], &shown["replica_state"]),
            (&json!(status), &json!(state)),
            "{step}"
        );
        let messages = again.get("/messages")["messages"].as_array().unwrap().clone();
        let told = messages.iter().filter(|message| message["resource_id"] == *scene.follower());
        assert_eq!(told.count(), 1, "{step}: {messages:?}");
        assert_eq!(active(&world, &scene).await, scene.first, "{step}");

        fs::rename(&aside, part).unwrap();
        assert_eq!(levels(&world, &scene.first), ["rw"], "{step}: its clients can write");
        ask(&again, "update_replica", &scene);
        world.settled().await;
        assert_done(&world, &again, "update_replica", &scene, step).await;
        watch.end(step).await;
        world.remove().await;
    }
}
