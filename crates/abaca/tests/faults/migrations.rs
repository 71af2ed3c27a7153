//! SIGKILL at every step of a migration, completed or cancelled: it ends by itself where it was to,
//! no byte is lost, and nothing is left at the other end.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use abaca_model::OperationKind;
use abaca_store::{Dialect, share_migrations};
use serde_json::{Value, json};

use crate::service::{BETWEEN_LOOKS, Service, Storage, World, id, read_bytes, write_bytes};
use crate::story::{self, KINDS};
use crate::tree::{Tree, assert_same, look, plant};

crate::on_each_database!(
    killed_before_the_bytes_are_copied,
    killed_from_the_copying_on,
    killed_before_the_data_mover_begins,
    killed_while_forced_through_the_data_mover,
    killed_while_cancelled,
    killed_and_cancelled_while_the_bytes_are_copied,
    cancelled_when_the_destinations_worker_is_gone,
    reset_when_the_destinations_worker_is_gone,
    the_copying_goes_on_without_the_database,
    resumed_after_a_sweep,
);

async fn killed_before_the_bytes_are_copied(dialect: Dialect) {
    at_steps(&["schedule", "offer", "prepare"], Way::Driver, dialect).await;
}

async fn killed_from_the_copying_on(dialect: Dialect) {
    at_steps(&["copy", "hold", "switch"], Way::Driver, dialect).await;
}

async fn killed_before_the_data_mover_begins(dialect: Dialect) {
    at_steps(&["schedule", "offer", "prepare"], Way::DataMover, dialect).await;
}

async fn killed_while_forced_through_the_data_mover(dialect: Dialect) {
    at_steps(&["copy", "hold", "switch"], Way::DataMover, dialect).await;
}

async fn killed_while_cancelled(dialect: Dialect) {
    // The first step after the wish is to hold; there it is cancelled.
    for moment in ["effect", "commit", "recorded"] {
        let place = format!("migrate_share.hold.{moment}");
        run(&place, Way::Driver, "migration_cancel", dialect).await;
    }
    for moment in ["start", "effect"] {
        for kind in ["delete_share.delete", "delete_snapshot.delete"] {
            run(&format!("{kind}.{moment}"), Way::Driver, "migration_cancel", dialect).await;
        }
    }
}

/// The wish comes when nobody is left who could have copied on.
async fn killed_and_cancelled_while_the_bytes_are_copied(dialect: Dialect) {
    for way in [Way::Driver, Way::DataMover] {
        for moment in ["start", "effect", "commit"] {
            let place = format!("migrate_share.copy.{moment}");
            let world = World::new(dialect, Storage::Directory).await;
            let (scene, mut doomed) = begin(&world, &place, way);
            let status = doomed.gone();
            assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
            let api = world.start("api", None);
            let cancel = json!({"migration_cancel": null});
            api.post(&format!("/shares/{}/action", scene.share), &cancel);
            drop(api);
            let again = world.start("all", None);
            ends(&world, &again, &scene, "migration_cancelled").await;
            assert_whole(&world, &again, &scene, scene.from);
            drop(again);
            world.remove().await;
        }
    }
}

async fn cancelled_when_the_destinations_worker_is_gone(dialect: Dialect) {
    let wish = json!({"migration_cancel": null});
    destination_gone(dialect, &wish, "migration_cancelled").await;
}

async fn reset_when_the_destinations_worker_is_gone(dialect: Dialect) {
    let reset = json!({"reset_status": {"status": "available"}});
    destination_gone(dialect, &reset, "migration_error").await;
}

/// Each backend has a worker of its own; the destination's is killed and never comes back.
async fn destination_gone(dialect: Dialect, wish: &Value, end: &str) {
    for place in ["migrate_share.copy.effect", "migrate_share.hold.start"] {
        let world = World::new(dialect, Storage::Directory).await;
        let config = fs::read_to_string(world.path("abaca.toml")).unwrap();
        let other = config
            .replace("host = \"w\"", "host = \"v\"")
            .replace("name = \"b\"", "name = \"c\"")
            .replace(&format!("{:?}", world.backend()), &format!("{:?}", root(&world, "c")))
            .replace(&format!("{:?}", world.path("data")), &format!("{:?}", world.path("data_v")));
        fs::write(world.path("other.toml"), other).unwrap();
        let service = world.start("all", None);
        let scene = prepare(&world, &service, Way::Driver);
        let mut doomed = world.start_with("other.toml", "all", Some(place));
        two_pools(&service);
        let body = migration_to(&format!("v@c#{}", driver(&world)), Way::Driver);
        service.post(&format!("/shares/{}/action", scene.share), &body);
        let status = doomed.gone();
        assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
        service.post(&format!("/shares/{}/action", scene.share), wish);
        service.wait(end, |service| (task_state(service, &scene)? == end).then_some(()));
        service.share_is(&scene.share, "available");
        service.snapshot_is(scene.snapshot.as_deref().unwrap(), "available");
        let instance = service.wait("its own instance", |service| {
            let list = service.get(&format!("/shares/{}/instances", scene.share));
            let mut list = list["share_instances"].as_array().unwrap().clone();
            list.retain(|instance| instance["host"] == pool(&world, "b"));
            Some(list.pop()?).filter(|one| one["access_rules_status"] == "active")
        });
        assert_eq!(instance["cast_rules_to_readonly"], false);
        let access = world.backend().join("shares").join(id(&instance)).join("access.json");
        assert!(fs::read_to_string(access).unwrap().contains("\"rw\""));
        // Nothing is held up by what is left at the worker that is gone.
        story::allow(&service, &format!("/shares/{}", scene.share), "10.0.0.2");
        assert_eq!(service.settled_rules(&scene.share), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(
            look(&world.backend().join("shares").join(id(&instance)).join("data")),
            scene.bytes.0,
            "the share's bytes"
        );
        drop(service);
        world.remove().await;
    }
}

/// A share at the first of two simulated backends, whose pools are `w@b#p` and `w@c#p`.
pub(crate) async fn simulated(dialect: Dialect) -> (World, Service, String) {
    let world = World::new(dialect, Storage::Simulated).await;
    let config = fs::read_to_string(world.path("abaca.toml")).unwrap();
    let second = config.split_once("[[backend]]").unwrap().1;
    let second = second.replace("name = \"b\"", "name = \"c\"").replace("state.json", "c.json");
    fs::write(world.path("abaca.toml"), format!("{config}[[backend]]{second}")).unwrap();
    world.set_faults("");
    let service = world.start("all", None);
    two_pools(&service);
    let hints = json!({"only_host": "w@b#p"});
    let body = json!({"share": {"share_proto": "NFS", "size": 1, "scheduler_hints": hints}});
    let share = id(&service.post("/shares", &body)["share"]);
    service.share_is(&share, "available");
    (world, service, share)
}

async fn the_copying_goes_on_without_the_database(dialect: Dialect) {
    let (world, service, share) = simulated(dialect).await;
    let source = service.share_instance(&share);
    world.set_faults("[[fault]]\nmethod = \"migrate\"\nfail = \"hang\"\n");
    service.post(&format!("/shares/{share}/action"), &migration_to("w@c#p", Way::Driver));
    let is = |service: &Service, state: &str| {
        let shown = &service.get(&format!("/shares/{share}"))["share"]["task_state"];
        (shown == state).then_some(())
    };
    service.wait("copying", |service| is(service, "migration_driver_in_progress"));
    // It says so before it begins; what it has to copy it writes down by its first look.
    let has_begun = async || {
        let mut tx = world.database.db.read().await.unwrap();
        let found = share_migrations::of_share(&mut tx, share.parse().unwrap()).await.unwrap();
        found.unwrap().progress.total > 0
    };
    while !has_begun().await {
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    let claims = async || {
        let all = world.operations(&source).await;
        all.iter().find(|one| one.kind == OperationKind::MigrateShare).unwrap().fence
    };
    let before = claims().await;
    world.database.run("ALTER TABLE share_migrations RENAME TO away").await.unwrap();
    service.wait("a look in vain", |_| world.log().contains("go on copying").then_some(()));
    world.database.run("ALTER TABLE away RENAME TO share_migrations").await.unwrap();
    assert_eq!(claims().await, before, "it was not begun again");
    world.set_faults("");
    service.wait("copied", |service| is(service, "migration_driver_phase1_done"));
    drop(service);
    world.remove().await;
}

/// Who carries the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Driver,
    DataMover,
}

async fn at_steps(steps: &[&str], way: Way, dialect: Dialect) {
    let kind = KINDS.iter().find(|kind| kind.name == "migrate_share").unwrap();
    for step in steps {
        assert!(kind.steps.contains(step), "{step}");
        for moment in story::moments(dialect) {
            let place = format!("migrate_share.{step}.{moment}");
            run(&place, way, "migration_complete", dialect).await;
        }
    }
}

/// What moves.
pub(crate) struct Scene {
    share: String,
    snapshot: Option<String>,
    /// What the tenant had in the share and in the snapshot.
    bytes: (Tree, Tree),
    /// Somebody has asked for the end.
    wished: Cell<bool>,
    /// Where it was, and where it goes.
    from: &'static str,
    to: &'static str,
}

async fn run(place: &str, way: Way, wish: &str, dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    killed_and_resumed(&world, place, way, wish).await;
    world.remove().await;
}

/// Starts a migration in a process that dies there.
fn begin(world: &World, place: &str, way: Way) -> (Scene, Service) {
    add_second_backend(world);
    let whole = world.start("all", None);
    let scene = prepare(world, &whole, way);
    drop(whole);
    let doomed = world.start("all", Some(place));
    start(world, &doomed, &scene, way);
    (scene, doomed)
}

/// Brings the world to where a migration was asked for, or also its end, and nobody is at work on it.
pub(crate) fn begun(world: &World, way: Way, to_be_completed: bool) -> Scene {
    add_second_backend(world);
    let whole = world.start("all", None);
    let scene = prepare(world, &whole, way);
    if to_be_completed {
        start(world, &whole, &scene, way);
        whole.wait("ready", |service| is_ready(service, &scene).then_some(()));
    }
    drop(whole);
    let api = world.start("api", None);
    match to_be_completed {
        true => wish_when_ready(&api, &scene, "migration_complete"),
        false => start(world, &api, &scene, way),
    }
    scene
}

/// Waits until the share has moved, and is whole.
pub(crate) async fn completed(world: &World, service: &Service, scene: &Scene) {
    service.wait("the end", |service| {
        wish_when_ready(service, scene, "migration_complete");
        (task_state(service, scene)? == "migration_success").then_some(())
    });
    world.settled().await;
    assert_whole(world, service, scene, scene.to);
}

/// The second backend is of the first one's kind, in the directory `backend_of_c`.
pub(crate) async fn killed_and_resumed(world: &World, place: &str, way: Way, wish: &str) {
    let (scene, mut doomed) = begin(world, place, way);
    let status = doomed.gone_after(|doomed| wish_when_ready(doomed, &scene, wish));
    assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
    let again = world.start("all", None);
    let end =
        if wish == "migration_complete" { "migration_success" } else { "migration_cancelled" };
    again.wait(place, |service| {
        wish_when_ready(service, &scene, wish);
        (task_state(service, &scene)? == end).then_some(())
    });
    ends(world, &again, &scene, end).await;
    let at = if wish == "migration_complete" { scene.to } else { scene.from };
    assert_whole(world, &again, &scene, at);
    drop(again);
}

async fn ends(world: &World, service: &Service, scene: &Scene, end: &str) {
    service.wait(end, |service| (task_state(service, scene)? == end).then_some(()));
    world.settled().await;
}

fn two_pools(service: &Service) {
    service.wait("two pools", |service| {
        service.get("/scheduler-stats/pools")["pools"].get(1).cloned()
    });
}

/// A sweep may run before a killed migration goes on. What had been copied stays.
async fn resumed_after_a_sweep(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    add_second_backend(&world);
    let whole = world.start("all", None);
    let mut scene = prepare(&world, &whole, Way::Driver);
    let instance = whole.share_instance(&scene.share);
    drop(whole);
    let data = world.backend().join("shares").join(&instance).join("data");
    fs::write(data.join("directory/big"), vec![7; 256 << 20]).unwrap();
    scene.bytes.0 = look(&data);
    let doomed = world.start("all", None);
    start(&world, &doomed, &scene, Way::Driver);
    let there = root(&world, "c");
    let copied = doomed.wait("the copy", |_| {
        let objects = fs::read_dir(there.join("tmp")).ok()?.map(|entry| entry.unwrap().path());
        let data = objects.map(|object| object.join("data")).next()?;
        let begun = fs::metadata(data.join("directory/big")).ok()?.len() > 0;
        begun.then(|| data.join("file"))
    });
    drop(doomed);
    let number = fs::metadata(&copied).unwrap().ino();

    // Nobody can read the source for now, and the sweep comes.
    let lock = world.backend().join("locks").join(&instance);
    let lock = fs::File::options().create(true).append(true).open(lock).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let leftover = there.join("tmp/share-0b6c2a9e-0000-4000-8000-000000000000");
    fs::create_dir(&leftover).unwrap();
    let again = world.start("all", None);
    again.wait("the sweep", |_| (!leftover.exists()).then_some(()));
    assert_eq!(fs::metadata(&copied).unwrap().ino(), number);
    drop(lock);
    again.wait("the end", |service| {
        wish_when_ready(service, &scene, "migration_complete");
        (task_state(service, &scene)? == "migration_success").then_some(())
    });
    world.settled().await;
    assert_whole(&world, &again, &scene, "c");
    let instance = again.share_instance(&scene.share);
    let file = there.join("shares").join(instance).join("data/file");
    assert_eq!(fs::metadata(file).unwrap().ino(), number, "it was copied again");
    drop(again);
    world.remove().await;
}

fn add_second_backend(world: &World) {
    let (root, driver) = (world.path("backend_of_c"), driver(world));
    let second = format!("[[backend]]\nname = \"c\"\ndriver = \"{driver}\"\nroot = {root:?}\n");
    let config = fs::read_to_string(world.path("abaca.toml")).unwrap();
    fs::write(world.path("abaca.toml"), config + &second).unwrap();
}

fn driver(world: &World) -> String {
    let config = fs::read_to_string(world.path("abaca.toml")).unwrap();
    let lines = config.lines().filter_map(|line| line.strip_prefix("driver = "));
    lines.map(|name| name.trim_matches('"').to_owned()).next().unwrap()
}

fn pool(world: &World, backend: &str) -> String {
    format!("w@{backend}#{}", driver(world))
}

fn root(world: &World, backend: &str) -> PathBuf {
    if backend == "b" { world.backend() } else { world.path("backend_of_c") }
}

fn prepare(world: &World, service: &Service, way: Way) -> Scene {
    let body = json!({"share": {"share_proto": "NFS", "size": 1,
        "scheduler_hints": {"only_host": pool(world, "b")}}});
    let share = id(&service.post("/shares", &body)["share"]);
    service.share_is(&share, "available");
    story::allow(service, &format!("/shares/{share}"), "10.0.0.1");
    service.settled_rules(&share);
    let instance = service.share_instance(&share);
    let file = write_bytes(world, &instance, b"before");
    plant(file.parent().unwrap());
    let snapshot = (way == Way::Driver).then(|| {
        let snapshot = service.create_snapshot(&share);
        service.snapshot_is(&snapshot, "available");
        snapshot
    });
    write_bytes(world, &instance, b"after");
    let kept = snapshot.as_ref().map(|snapshot| {
        let copies = service.get(&format!("/snapshot-instances/detail?snapshot_id={snapshot}"));
        look(location(&copies["snapshot_instances"][0]))
    });
    let bytes = (look(file.parent().unwrap()), kept.unwrap_or_default());
    Scene { share, snapshot, bytes, wished: Cell::new(false), from: "b", to: "c" }
}

fn location(copy: &Value) -> &Path {
    Path::new(copy["provider_location"].as_str().unwrap())
}

pub(crate) fn migration_to(host: &str, way: Way) -> Value {
    json!({"migration_start": {"host": host, "writable": false, "nondisruptive": false,
        "preserve_metadata": false, "preserve_snapshots": false,
        "force_host_assisted_migration": way == Way::DataMover}})
}

fn start(world: &World, service: &Service, scene: &Scene, way: Way) {
    let body = migration_to(&pool(world, scene.to), way);
    service.try_post(&format!("/shares/{}/action", scene.share), &body);
}

fn task_state(service: &Service, scene: &Scene) -> Option<Value> {
    let (_, answer) = service.ask("GET", &format!("/shares/{}", scene.share), None)?;
    Some(answer["share"]["task_state"].clone())
}

fn is_ready(service: &Service, scene: &Scene) -> bool {
    let ready = ["migration_driver_phase1_done", "data_copying_completed"];
    task_state(service, scene).is_some_and(|state| ready.iter().any(|ready| state == *ready))
}

fn wish_when_ready(service: &Service, scene: &Scene, wish: &str) {
    if is_ready(service, scene) {
        if !scene.wished.replace(true) {
            assert_at_both_ends(service, scene);
        }
        service.try_post(&format!("/shares/{}/action", scene.share), &json!({wish: null}));
    }
}

/// While it moves, everything is shown twice, each with what it is.
fn assert_at_both_ends(service: &Service, scene: &Scene) {
    let statuses = |path: &str, key: &str| -> Option<Vec<String>> {
        let (_, answer) = service.ask("GET", path, None)?;
        let list = answer[key].as_array()?;
        let mut found: Vec<_> =
            list.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect();
        found.sort();
        Some(found)
    };
    let both = ["migrating", "migrating_to"];
    // The process may be killed meanwhile, and tell nothing.
    if let Some(found) = statuses(&format!("/shares/{}/instances", scene.share), "share_instances")
    {
        assert_eq!(found, both);
    }
    let Some(snapshot) = &scene.snapshot else { return };
    let path = format!("/snapshot-instances/detail?snapshot_id={snapshot}");
    if let Some(found) = statuses(&path, "snapshot_instances") {
        assert_eq!(found, both);
    }
}

/// The share is in one place, whole, and can be used; the other holds nothing.
fn assert_whole(world: &World, service: &Service, scene: &Scene, at: &str) {
    let share = &service.get(&format!("/shares/{}", scene.share))["share"];
    assert_eq!(share["status"], "available");
    assert_eq!(share["host"], pool(world, at));
    let instances = service.get(&format!("/shares/{}/instances", scene.share));
    let instances = instances["share_instances"].as_array().unwrap();
    assert_eq!(instances.len(), 1, "{instances:?}");
    assert_eq!(instances[0]["cast_rules_to_readonly"], false);
    assert_eq!(service.settled_rules(&scene.share), ["10.0.0.1"]);
    let data = root(world, at).join("shares").join(id(&instances[0])).join("data");
    assert_eq!(fs::read(data.join("file")).unwrap(), b"after");
    assert_same(&data, &scene.bytes.0, "the share's bytes");
    let access = root(world, at).join("shares").join(id(&instances[0])).join("access.json");
    assert!(fs::read_to_string(access).unwrap().contains("\"rw\""));
    if let Some(snapshot) = &scene.snapshot {
        service.snapshot_is(snapshot, "available");
        let copies = service.get(&format!("/snapshot-instances/detail?snapshot_id={snapshot}"));
        let copies = copies["snapshot_instances"].as_array().unwrap();
        assert_eq!(copies.len(), 1, "{copies:?}");
        assert_eq!(
            (&copies[0]["status"], &copies[0]["progress"]),
            (&json!("available"), &json!("100%"))
        );
        assert_eq!(copies[0]["share_instance_id"], instances[0]["id"]);
        let kept = location(&copies[0]);
        assert!(kept.starts_with(root(world, at)), "{}", kept.display());
        assert_same(kept, &scene.bytes.1, "the snapshot's bytes");
        assert_eq!(read_bytes(&copies[0]["provider_location"]), b"before");
    }
    let here = root(world, at);
    let count = |part: &str| fs::read_dir(here.join(part)).unwrap().count();
    let snapshots = usize::from(scene.snapshot.is_some());
    for (part, expected) in [("shares", 1), ("snapshots", snapshots), ("tmp", 0), ("trash", 0)] {
        service.wait(part, |_| (count(part) == expected).then_some(()));
    }
    let other = if at == "b" { "c" } else { "b" };
    for part in ["shares", "snapshots", "tmp", "trash"] {
        service.wait(part, |_| {
            let mut entries = fs::read_dir(root(world, other).join(part)).unwrap();
            entries.next().is_none().then_some(())
        });
    }
}
