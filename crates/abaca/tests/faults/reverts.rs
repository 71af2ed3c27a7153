//! What a revert meets that is not as it was left.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use abaca_model::OperationState;
use abaca_store::{Dialect, snapshot_work};
use sea_query::{Expr, ExprTrait, Query};

use crate::service::{Storage, World, id, write_bytes};
use crate::story;

crate::on_each_database!(
    one_that_happened_has_succeeded_though_its_snapshot_went,
    one_after_a_restored_backup_of_the_database_has_its_effect,
);

async fn one_that_happened_has_succeeded_though_its_snapshot_went(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    let whole = world.start("all", None);
    let scene = story::prepare(&world, &whole, "revert_share", true);
    let copy = id(&whole.snapshot_instance(scene.snapshot.as_deref().unwrap()));
    drop(whole);
    let mut doomed = world.start("all", Some("revert_share.revert.effect"));
    story::ask(&doomed, "revert_share", &scene);
    assert_eq!(doomed.gone().signal(), Some(9));
    // As a deletion by force leaves it.
    fs::remove_dir_all(world.backend().join("snapshots").join(&copy)).unwrap();
    let mut tx = world.database.db.write().await.unwrap();
    let work = snapshot_work::load(&mut tx, copy.parse().unwrap()).await.unwrap().unwrap();
    assert!(snapshot_work::remove(&mut tx, &work, work.fence).await.unwrap());
    tx.commit().await.unwrap();

    let again = world.start("all", None);
    world.settled().await;
    world.reaches(&scene.share_instance, OperationState::Succeeded).await;
    let share = &again.get(&format!("/shares/{}", scene.share))["share"];
    assert_eq!((share["status"].as_str(), share["size"].as_i64()), (Some("available"), Some(1)));
    assert_eq!(bytes(&world, &scene.share_instance), b"before");
    assert_eq!(again.get("/messages")["messages"], serde_json::json!([]));
    drop(again);
    world.remove().await;
}

async fn one_after_a_restored_backup_of_the_database_has_its_effect(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    let service = world.start("all", None);
    let scene = story::prepare(&world, &service, "revert_share", true);
    for content in [&b"after"[..], b"later"] {
        write_bytes(&world, &scene.share_instance, content);
        story::ask(&service, "revert_share", &scene);
        world.settled().await;
        service.share_is(&scene.share, "available");
        assert_eq!(bytes(&world, &scene.share_instance), b"before", "{content:?}");
        forget_the_revert(&world, &scene.share_instance).await;
    }
    drop(service);
    world.remove().await;
}

/// The backup is of a time when the share had just been made.
async fn forget_the_revert(world: &World, instance: &str) {
    let mut tx = world.database.db.write().await.unwrap();
    let mut delete = Query::delete();
    delete.from_table("operations").and_where(Expr::col("kind").eq("revert_share"));
    tx.execute(&delete).await.unwrap();
    let mut update = Query::update();
    update.table("share_instances").value("fence", 1).and_where(Expr::col("id").eq(instance));
    tx.execute(&update).await.unwrap();
    tx.commit().await.unwrap();
}

fn bytes(world: &World, instance: &str) -> Vec<u8> {
    fs::read(world.backend().join("shares").join(instance).join("data/file")).unwrap()
}
