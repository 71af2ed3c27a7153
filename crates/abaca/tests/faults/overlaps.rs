//! Two runners at work on one operation: one is held up for longer than its lease lasts (a paused machine,
//! a frozen container, storage or a network that hangs) before it calls the backend, or when it has; a new
//! process of the same worker does all of it, and tenants go on. Then the first one goes on, too: it changes
//! nothing, neither in the rows nor in the backend.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use abaca_store::Dialect;
use serde_json::{Value, json};

use crate::migrations::{self, Way};
use crate::replicas;
use crate::service::{Service, Storage, World, id, write_bytes};
use crate::story;
use crate::tree::{Tree, look};

crate::on_each_database!(
    of_shares_and_snapshots,
    of_what_is_gone_since,
    of_a_share_that_is_changed_since,
    of_replicas,
    of_a_promoted_replica,
    of_migrations,
);

/// Where a runner is held up: before it calls the backend, which is the same with each database, and when
/// it is about to record what the backend did.
fn moments(dialect: Dialect) -> &'static [&'static str] {
    if dialect == Dialect::Sqlite { &["call", "effect"] } else { &["effect"] }
}

/// A process that was held up, and the one that ended what it had begun.
struct Two {
    first: Service,
    second: Service,
}

/// Has the operation that was just asked for begun by a process that is held up there, and ended by
/// another, which takes the leases of its worker over.
async fn overtaken(world: &World, place: &str) -> Two {
    ended_by_another(world, world.start_and_hold(place, [])).await
}

async fn ended_by_another(world: &World, first: Service) -> Two {
    let second = world.start("all", None);
    world.settled().await;
    Two { first, second }
}

impl Two {
    /// The first process goes on, has its say in the backend, and ends. The second one is left.
    fn first_goes_on(self, world: &World, place: &str) -> Service {
        let log = world.log().len();
        world.release();
        self.second.wait("the first one notices", |_| {
            let since = &world.log()[log..];
            let noticed = ["lease was lost", "took the operation over", "it will be tried again"];
            noticed.iter().any(|line| since.contains(line)).then_some(())
        });
        // It waits for what it has asked of the backend.
        assert!(self.first.stop().success(), "{place}: a clean end\n{}", world.log());
        self.second
    }
}

/// All that administrators are shown of a world, and all that its backends hold.
struct Picture {
    rows: Vec<Value>,
    objects: BTreeMap<PathBuf, (Tree, String)>,
}

fn picture(world: &World, service: &Service) -> Picture {
    let lists = [
        "shares/detail",
        "snapshots/detail",
        "share_instances",
        "snapshot-instances/detail",
        "messages",
    ];
    let rows = lists.iter().map(|list| service.get(&format!("/{list}"))).collect();
    let mut objects = BTreeMap::new();
    for root in ["backend", "other", "backend_of_c"].map(|name| world.path(name)) {
        for kind in ["shares", "snapshots"] {
            let Ok(entries) = fs::read_dir(root.join(kind)) else { continue };
            for object in entries.map(|entry| entry.unwrap().path()) {
                let read = |name| fs::read_to_string(object.join(name)).unwrap_or_default();
                let beside = read("record.json") + &read("access.json");
                objects.insert(object.clone(), (look(&object.join("data")), beside));
            }
        }
    }
    Picture { rows, objects }
}

async fn assert_unchanged(world: &World, service: &Service, before: &Picture, place: &str) {
    world.settled().await;
    let after = picture(world, service);
    assert_eq!(before.rows, after.rows, "{place}");
    assert_eq!(before.objects, after.objects, "{place}\n{}", world.log());
}

async fn of_shares_and_snapshots(dialect: Dialect) {
    for (kind, step) in [
        ("create_share", "create"),
        ("delete_share", "delete"),
        ("extend_share", "resize"),
        ("shrink_share", "resize"),
        ("create_snapshot", "create"),
        ("delete_snapshot", "delete"),
        ("revert_share", "revert"),
    ] {
        for moment in moments(dialect) {
            let place = format!("{kind}.{step}.{moment}");
            let world = World::new(dialect, Storage::Directory).await;
            let whole = world.start("all", None);
            let scene = story::prepare(&world, &whole, kind, true);
            drop(whole);
            story::ask(&world.start("api", None), kind, &scene);
            let two = overtaken(&world, &place).await;
            story::assert_done(&world, &two.second, kind, &scene);
            if kind != "delete_share" {
                // The tenant goes on.
                let share = id(&two.second.get("/shares")["shares"][0]);
                write_bytes(&world, &two.second.share_instance(&share), b"since");
            }
            let before = picture(&world, &two.second);
            let second = two.first_goes_on(&world, &place);
            assert_unchanged(&world, &second, &before, &place).await;
            assert!(second.stop().success());
            world.remove().await;
        }
    }
}

/// The late call makes what is no more: the reconcilers find that it is nobody's.
async fn of_what_is_gone_since(dialect: Dialect) {
    for (kind, place) in [
        ("create_share", "create_share.create.call"),
        ("create_snapshot", "create_snapshot.create.call"),
    ] {
        let world = World::new(dialect, Storage::Directory).await;
        world.configure("[worker]", "reconcile_interval = 0.2");
        let whole = world.start("all", None);
        let scene = story::prepare(&world, &whole, kind, true);
        drop(whole);
        story::ask(&world.start("api", None), kind, &scene);
        let two = overtaken(&world, place).await;
        let list = if kind == "create_share" { "shares" } else { "snapshots" };
        let made = id(&two.second.get(&format!("/{list}"))[list][0]);
        two.second.expect("DELETE", &format!("/{list}/{made}"), None);
        world.settled().await;
        assert!(world.held(list).is_empty());
        let before = two.second.get(&format!("/{list}/detail"));
        let second = two.first_goes_on(&world, place);
        second.wait("nothing is left", |_| world.held(list).is_empty().then_some(()));
        assert_eq!(second.get(&format!("/{list}/detail")), before);
        assert!(second.stop().success());
        world.remove().await;
    }
}

/// The share is somebody else's work by now, and of that work's size afterwards.
async fn of_a_share_that_is_changed_since(dialect: Dialect) {
    for (kind, step, moment) in [
        ("create_share", "create", "start"),
        ("create_share", "create", "call"),
        ("create_share", "create", "effect"),
        ("extend_share", "resize", "start"),
        ("extend_share", "resize", "call"),
        ("shrink_share", "resize", "call"),
        ("shrink_share", "resize", "effect"),
    ] {
        let place = format!("{kind}.{step}.{moment}");
        let world = World::new(dialect, Storage::Directory).await;
        let whole = world.start("all", None);
        let scene = story::prepare(&world, &whole, kind, true);
        drop(whole);
        let api = world.start("api", None);
        story::ask(&api, kind, &scene);
        // It has begun the one operation, and looks for no other.
        let first =
            world.start_and_hold(&place, [("ABACA__WORKER__POLL_INTERVAL", "3600".to_owned())]);
        let Two { first, second } = ended_by_another(&world, first).await;
        let share = id(&second.get("/shares")["shares"][0]);
        let instance = second.share_instance(&share);
        let file = write_bytes(&world, &instance, b"since");
        assert!(second.stop().success());
        // Nobody has begun it when the first one goes on.
        api.post(&format!("/shares/{share}/action"), &json!({"extend": {"new_size": 5}}));
        let api = Two { first, second: api }.first_goes_on(&world, &place);
        assert!(api.stop().success());
        let again = world.start("all", None);
        world.settled().await;
        let shown = again.get(&format!("/shares/{share}"))["share"].clone();
        assert_eq!((&shown["status"], &shown["size"]), (&json!("available"), &json!(5)), "{place}");
        assert_eq!(fs::read(file).unwrap(), b"since", "{place}: no byte is lost");
        assert_eq!(recorded_size(&world, &instance), 5, "{place}");
        story::assert_same(&world, &again);
        assert!(again.stop().success());
        world.remove().await;
    }
}

fn recorded_size(world: &World, instance: &str) -> u64 {
    let record = world.backend().join("shares").join(instance).join("record.json");
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    record["size_gb"].as_u64().unwrap()
}

async fn of_replicas(dialect: Dialect) {
    for (kind, step) in [
        ("create_replica", "create"),
        ("update_replica", "update"),
        ("promote_replica", "promote"),
        ("create_snapshot", "create"),
        ("delete_snapshot", "delete"),
        ("delete_replica", "delete"),
    ] {
        for moment in moments(dialect) {
            let place = format!("{kind}.{step}.{moment}");
            let world = World::new(dialect, Storage::Directory).await;
            let scene = replicas::begun(&world, kind).await;
            let two = overtaken(&world, &place).await;
            if kind != "update_replica" {
                // Tenants write to the active one; a late update brings the other what is there by then.
                let active = scene.active(&two.second);
                fs::write(replicas::data(&world, &active).join("file"), "since").unwrap();
            }
            let before = picture(&world, &two.second);
            let second = two.first_goes_on(&world, &place);
            assert_unchanged(&world, &second, &before, &place).await;
            assert!(second.stop().success());
            world.remove().await;
        }
    }
}

/// A replica that was being made, or updated, is promoted since.
async fn of_a_promoted_replica(dialect: Dialect) {
    for place in ["create_replica.create.call", "update_replica.update.call"] {
        let world = World::new(dialect, Storage::Directory).await;
        let scene = replicas::begun(&world, place.split('.').next().unwrap()).await;
        let two = overtaken(&world, place).await;
        let promoted = scene.promote(&two.second);
        world.settled().await;
        assert_eq!(scene.active(&two.second), promoted);
        let data = replicas::data(&world, &promoted);
        fs::write(data.join("file"), "since").unwrap();
        let before = look(&data);
        let second = two.first_goes_on(&world, place);
        assert_eq!(look(&data), before, "{place}: what tenants write to");
        assert_eq!(scene.active(&second), promoted, "{place}");
        assert!(second.stop().success());
        world.remove().await;
    }
}

async fn of_migrations(dialect: Dialect) {
    for (step, way) in [
        ("offer", Way::Driver),
        ("prepare", Way::Driver),
        ("copy", Way::Driver),
        ("copy", Way::DataMover),
        ("switch", Way::Driver),
    ] {
        for moment in moments(dialect) {
            migrated(&format!("migrate_share.{step}.{moment}"), way, dialect).await;
        }
    }
}

async fn migrated(place: &str, way: Way, dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    let scene = migrations::begun(&world, way, place.contains(".switch."));
    let first = world.start_and_hold(place, []);
    let second = world.start("all", None);
    migrations::completed(&world, &second, &scene).await;
    let file = data_of(&world, &second).join("file");
    fs::write(file, "since").unwrap();
    let before = picture(&world, &second);
    let second = Two { first, second }.first_goes_on(&world, place);
    assert_unchanged(&world, &second, &before, place).await;
    assert!(second.stop().success());
    world.remove().await;
}

/// Where the only share is, after it has moved.
fn data_of(world: &World, service: &Service) -> PathBuf {
    let share = id(&service.get("/shares")["shares"][0]);
    let shares = world.path("backend_of_c").join("shares");
    shares.join(service.share_instance(&share)).join("data")
}
