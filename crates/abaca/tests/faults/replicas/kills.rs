//! Each operation of a replicated share, killed at every moment of every step.

use abaca_store::Dialect;

use super::killed_with;
use crate::service::{Storage, World};
use crate::story::{KINDS, moments};

crate::on_each_database!(
    create_replica,
    delete_replica,
    promote_replica,
    update_replica,
    create_snapshot,
    delete_snapshot,
);

async fn create_replica(dialect: Dialect) {
    at_every_step("create_replica", 1, 1, dialect).await;
}

async fn delete_replica(dialect: Dialect) {
    at_every_step("delete_replica", 1, 1, dialect).await;
}

async fn update_replica(dialect: Dialect) {
    at_every_step("update_replica", 1, 1, dialect).await;
}

/// There is another follower, which is to follow the new one. The first step is done twice: the
/// writers are asked to stop, and waited for.
async fn promote_replica(dialect: Dialect) {
    at_every_step("promote_replica", 2, 2, dialect).await;
}

/// Before the last step nothing changes in the replica's backend: those, done so many times, are gone
/// through in one world. Each moment of the last has a world of its own.
async fn at_every_step(kind: &str, followers: usize, times: usize, dialect: Dialect) {
    let steps = KINDS.iter().find(|known| known.name == kind).unwrap().steps;
    let (last, before) = steps.split_last().unwrap();
    if !before.is_empty() {
        run(dialect, kind, followers, &in_turn(kind, &before.repeat(times), dialect)).await;
    }
    for place in in_turn(kind, &[last], dialect) {
        run(dialect, kind, followers, &[place]).await;
    }
}

fn in_turn(kind: &str, steps: &[&str], dialect: Dialect) -> Vec<String> {
    let places = |step| moments(dialect).map(move |moment| format!("{kind}.{step}.{moment}"));
    steps.iter().flat_map(places).collect()
}

/// In the active replica, then in its follower, which waits for it.
async fn create_snapshot(dialect: Dialect) {
    let of = |moment: &str| format!("create_snapshot.create.{moment}");
    let (start, recorded) = (&of("start"), &of("recorded"));
    run(dialect, "create_snapshot", 1, &[start, recorded, start]).await;
    for moment in ["effect", "commit"] {
        let place = of(moment);
        run(dialect, "create_snapshot", 1, &[&place, &format!("{place}#2")]).await;
    }
    run(dialect, "create_snapshot", 1, &[recorded, recorded]).await;
}

/// In both replicas at the same time: in one of them first.
async fn delete_snapshot(dialect: Dialect) {
    for moment in ["start", "effect", "commit"] {
        let place = format!("delete_snapshot.delete.{moment}");
        run(dialect, "delete_snapshot", 1, &[&place, &format!("{place}#2")]).await;
    }
    let recorded = "delete_snapshot.delete.recorded";
    run(dialect, "delete_snapshot", 1, &[recorded, recorded]).await;
}

async fn run(dialect: Dialect, kind: &str, followers: usize, places: &[impl AsRef<str>]) {
    let world = World::new(dialect, Storage::Directory).await;
    killed_with(&world, kind, followers, places).await;
    world.remove().await;
}
