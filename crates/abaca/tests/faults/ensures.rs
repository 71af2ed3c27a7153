//! What comes of a look at shares that are not in order, and of one that fails.

use std::fs;

use abaca_model::OperationState;
use abaca_store::Dialect;
use serde_json::json;

use crate::service::{Storage, World};
use crate::story;

crate::on_each_database!(
    a_share_without_its_bytes_is_in_error_and_its_tenant_told,
    a_look_that_fails_changes_no_share_and_is_told,
);

async fn a_share_without_its_bytes_is_in_error_and_its_tenant_told(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    looked_at(&world, "error", "is damaged.", |instance| {
        let share = world.backend().join("shares").join(instance);
        fs::remove_dir_all(share.join("data")).unwrap();
    })
    .await;
    world.remove().await;
}

async fn a_look_that_fails_changes_no_share_and_is_told(dialect: Dialect) {
    let world = World::new(dialect, Storage::Simulated).await;
    world.set_faults("");
    looked_at(&world, "available", "backend failed.", |_| {
        world.set_faults("[[fault]]\nmethod = \"ensure_share\"\nfail = \"failed\"\n");
    })
    .await;
    world.remove().await;
}

/// Damages a share, has it ensured, and expects it in `status` and told of with `reason`.
async fn looked_at(world: &World, status: &str, reason: &str, damage: impl FnOnce(&str)) {
    let service = world.start("all", None);
    let scene = story::prepare(world, &service, "ensure_share", false);
    damage(&scene.share_instance);
    story::ask(&service, "ensure_share", &scene);
    world.reaches(&scene.share_instance, OperationState::Failed).await;
    assert_eq!(service.get(&format!("/shares/{}", scene.share))["share"]["status"], status);
    let messages = service.get("/messages")["messages"].as_array().unwrap().clone();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((&message["action_id"], &message["detail_id"]), (&json!("005"), &json!("001")));
    assert_eq!(message["resource_id"], scene.share.as_str());
    let text = message["user_message"].as_str().unwrap();
    assert!(text.contains(reason), "{text}");
}
