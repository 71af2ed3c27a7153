//! SIGKILL at every step of every operation: started again, the service ends what it began, by
//! itself; nothing is stuck, no object without a row, no row without its object.

use std::os::unix::process::ExitStatusExt;

use abaca_store::Dialect;

use crate::service::{Storage, World};
use crate::story::{self, KINDS, Kind};

crate::on_each_database!(
    create_share,
    delete_share,
    extend_share,
    shrink_share,
    create_snapshot,
    delete_snapshot,
    ensure_share,
    revert_share,
    manage_share,
    unmanage_share,
    manage_snapshot,
    unmanage_snapshot,
    update_access_rules,
    update_snapshot_access_rules,
);

async fn create_share(dialect: Dialect) {
    at_every_step("create_share", dialect).await;
}

async fn delete_share(dialect: Dialect) {
    at_every_step("delete_share", dialect).await;
}

async fn extend_share(dialect: Dialect) {
    at_every_step("extend_share", dialect).await;
}

async fn shrink_share(dialect: Dialect) {
    at_every_step("shrink_share", dialect).await;
}

async fn create_snapshot(dialect: Dialect) {
    at_every_step("create_snapshot", dialect).await;
}

async fn delete_snapshot(dialect: Dialect) {
    at_every_step("delete_snapshot", dialect).await;
}

async fn revert_share(dialect: Dialect) {
    at_every_step("revert_share", dialect).await;
}

async fn ensure_share(dialect: Dialect) {
    at_every_step("ensure_share", dialect).await;
}

async fn manage_share(dialect: Dialect) {
    at_every_step("manage_share", dialect).await;
}

async fn unmanage_share(dialect: Dialect) {
    at_every_step("unmanage_share", dialect).await;
}

async fn manage_snapshot(dialect: Dialect) {
    at_every_step("manage_snapshot", dialect).await;
}

async fn unmanage_snapshot(dialect: Dialect) {
    at_every_step("unmanage_snapshot", dialect).await;
}

async fn update_access_rules(dialect: Dialect) {
    at_every_step("update_access_rules", dialect).await;
}

async fn update_snapshot_access_rules(dialect: Dialect) {
    at_every_step("update_snapshot_access_rules", dialect).await;
}

async fn at_every_step(name: &str, dialect: Dialect) {
    let Kind { name, steps } = KINDS.iter().find(|kind| kind.name == name).unwrap();
    for step in *steps {
        for moment in story::moments(dialect) {
            let place = format!("{name}.{step}.{moment}");
            killed_and_resumed(name, &place, dialect, Storage::Directory).await;
        }
    }
}

pub(crate) async fn killed_and_resumed(
    kind: &str,
    place: &str,
    dialect: Dialect,
    storage: Storage,
) {
    // `extend_share` is also how a share is brought to a size it can shrink from; that one runs in
    // a process that nothing kills.
    let world = World::new(dialect, storage).await;
    let whole = world.start("all", None);
    let scene = story::prepare(&world, &whole, kind, true);
    drop(whole);
    let mut doomed = world.start("all", Some(place));
    story::ask(&doomed, kind, &scene);
    let status = doomed.gone();
    assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
    let again = world.start("all", None);
    world.settled().await;
    story::assert_done(&world, &again, kind, &scene);
    assert!(again.stop().success(), "{place}: a clean end");
    world.remove().await;
}
