//! SIGKILL at every step of what is done to replicas: no byte is lost or changed, there is one active
//! replica at every moment, and nothing is stuck or left over.

mod failures;
mod kills;
mod lost;
mod promotions;
mod resets;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use abaca_store::{Dialect, share_instances};
use serde_json::{Value, json};

use crate::service::{Service, Storage, World, id};
use crate::story::allow;
use crate::tree::{self, Tree};
use watch::Watch;

/// The name of each backend, its directory and its zone.
const BACKENDS: [(&str, &str, &str); 3] =
    [("b", "backend", "one"), ("c", "other", "two"), ("d", "third", "three")];

pub(crate) struct Scene {
    share: String,
    snapshot: String,
    /// The replica that was active in the beginning.
    first: String,
    followers: Vec<String>,
    /// What the snapshot was taken of, and the followers have from their creation.
    then: Tree,
    /// What was written last.
    now: Tree,
}

impl Scene {
    fn write(&mut self, world: &World, bytes: &str) {
        let data = data(world, &self.first);
        fs::write(data.join("file"), bytes).unwrap();
        self.now = tree::look(&data);
    }

    /// The replica that is active.
    pub(crate) fn active(&self, service: &Service) -> String {
        let all = replicas(service, self);
        all.iter().find(|one| one["replica_state"] == "active").map(id).unwrap()
    }

    /// Asks for the promotion of another replica than the first, and tells which.
    pub(crate) fn promote(&self, service: &Service) -> String {
        let follower =
            replicas(service, self).iter().map(id).find(|one| *one != self.first).unwrap();
        let action = format!("/share-replicas/{follower}/action");
        service.post(&action, &json!({ "promote": null }));
        follower
    }

    /// The follower to which something is done.
    fn follower(&self) -> &str {
        self.followers.first().map_or("", String::as_str)
    }
}

/// Brings the world to where `kind` was asked for and nobody is at work on it.
pub(crate) async fn begun(world: &World, kind: &str) -> Scene {
    add_backends(world, 1);
    let whole = world.start("all", None);
    let scene = prepare(world, &whole, kind, 1).await;
    drop(whole);
    ask(&world.start("api", None), kind, &scene);
    scene
}

/// The second backend is of the first one's kind, in the directory `other`.
pub(crate) async fn killed_and_resumed(world: &World, kind: &str, place: &str) {
    killed_with(world, kind, 1, &[place]).await;
}

/// Has `kind` asked for in a process that dies at the first of `places`, then goes on in one that dies
/// at the next, until one ends it.
async fn killed_with(world: &World, kind: &str, followers: usize, places: &[impl AsRef<str>]) {
    let places: Vec<_> = places.iter().map(AsRef::as_ref).collect();
    add_backends(world, followers);
    let mut doomed = world.start("all", Some(&after_preparation(places[0])));
    let mut scene = prepare(world, &doomed, kind, followers).await;
    let watch = watch(world, &scene);
    ask(&doomed, kind, &scene);
    died(world, &mut doomed, places[0]);
    for (number, place) in places.iter().copied().enumerate() {
        if number > 0 {
            died(world, &mut world.start("all", Some(place)), place);
        }
        if kind == "promote_replica" && active(world, &scene).await == scene.first {
            // Whatever the backend has done by now, this is what tenants write to.
            scene.write(world, "since");
        }
        if place.starts_with("promote_replica.promote.") {
            // Nothing was copied before nobody could write any more.
            assert_eq!(levels(world, &scene.first), ["ro"], "{place}");
        }
    }
    let what = places.join(", ");
    let again = world.start("all", None);
    world.settled().await;
    watch.end(&what).await;
    assert_done(world, &again, kind, &scene, &what).await;
    assert!(again.stop().success(), "{what}: a clean end");
}

/// A place as it is counted in the process that prepares the scene.
fn after_preparation(place: &str) -> String {
    let (place, count) = place.split_once('#').unwrap_or((place, "1"));
    // The snapshot was taken, and brought to the follower.
    let before = if place.starts_with("create_snapshot.") { 2 } else { 0 };
    format!("{place}#{}", before + count.parse::<u32>().unwrap())
}

fn died(world: &World, doomed: &mut Service, place: &str) {
    let status = doomed.gone();
    assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
}

fn watch(world: &World, scene: &Scene) -> Watch {
    Watch::begin(world, &scene.share, BACKENDS.map(|(_, root, _)| world.path(root)).to_vec())
}

/// Has a backend for each follower, beside the first one.
fn add_backends(world: &World, followers: usize) {
    let path = world.path("abaca.toml");
    let mut config = fs::read_to_string(&path).unwrap();
    let driver = config.lines().find(|line| line.starts_with("driver = ")).unwrap().to_owned();
    for (name, root, zone) in &BACKENDS[..=followers] {
        if *name != "b" {
            let root = world.path(root);
            config += &format!("[[backend]]\nname = \"{name}\"\n{driver}\nroot = {root:?}\n");
        }
        config += &format!(
            "availability_zone = \"{zone}\"\nreplication_domain = \"d\"\nreplication_type = \"readable\"\n"
        );
    }
    fs::write(path, config).unwrap();
}

/// A replicated share with a snapshot and so many followers, but for `create_replica`, which is to make
/// the last of them.
async fn prepare(world: &World, service: &Service, kind: &str, followers: usize) -> Scene {
    service.wait("all pools", |service| {
        service.get("/scheduler-stats/pools")["pools"].get(followers).cloned()
    });
    let specs = json!({
        "driver_handles_share_servers": "False",
        "snapshot_support": "True",
        "replication_type": "readable",
    });
    let body = json!({ "share_type": { "name": "replicated", "extra_specs": specs } });
    service.post("/types", &body);
    let share = json!({
        "share_proto": "NFS", "size": 1, "share_type": "replicated", "availability_zone": "one",
    });
    let share = id(&service.post("/shares", &json!({ "share": share }))["share"]);
    service.share_is(&share, "available");
    let first = service.share_instance(&share);
    let data = data(world, &first);
    fs::write(data.join("file"), "at the time of the snapshot").unwrap();
    tree::plant(&data);
    let then = tree::look(&data);
    allow(service, &format!("/shares/{share}"), "10.0.0.1");
    service.settled_rules(&share);
    let snapshot = service.create_snapshot(&share);
    service.snapshot_is(&snapshot, "available");
    let now = then.clone();
    let mut scene = Scene { share, snapshot, first, followers: Vec::new(), then, now };
    for _ in usize::from(kind == "create_replica")..followers {
        ask(service, "create_replica", &scene);
        world.settled().await;
        find_new_follower(service, &mut scene);
    }
    scene.write(world, "now");
    scene
}

/// Notes the replica that was not there before.
fn find_new_follower(service: &Service, scene: &mut Scene) {
    let mut all = replicas(service, scene).iter().map(id).collect::<Vec<_>>();
    all.retain(|replica| *replica != scene.first && !scene.followers.contains(replica));
    scene.followers.extend(all);
}

fn replicas(service: &Service, scene: &Scene) -> Vec<Value> {
    let list = service.get(&format!("/share-replicas?share_id={}", scene.share));
    list["share_replicas"].as_array().unwrap().clone()
}

async fn active(world: &World, scene: &Scene) -> String {
    let mut tx = world.database.db.read().await.unwrap();
    let all = share_instances::of_share(&mut tx, scene.share.parse().unwrap()).await.unwrap();
    abaca_store::replicas::active(&all).unwrap().id.to_string()
}

fn ask(service: &Service, kind: &str, scene: &Scene) {
    let replica = format!("/share-replicas/{}", scene.follower());
    let action = format!("{replica}/action");
    match kind {
        "create_replica" => {
            let (_, _, zone) = BACKENDS[scene.followers.len() + 1];
            let body = json!({ "share_id": scene.share, "availability_zone": zone });
            service.try_post("/share-replicas", &json!({ "share_replica": body }));
        }
        "delete_replica" => drop(service.ask("DELETE", &replica, None)),
        "promote_replica" => service.try_post(&action, &json!({ "promote": null })),
        "update_replica" => service.try_post(&action, &json!({ "resync": null })),
        "create_snapshot" => {
            let body = json!({ "snapshot": { "share_id": scene.share } });
            service.try_post("/snapshots", &body);
        }
        "delete_snapshot" => {
            drop(service.ask("DELETE", &format!("/snapshots/{}", scene.snapshot), None));
        }
        other => panic!("{other} is not told here"),
    }
}

/// Where an instance's files are, in whichever backend.
pub(crate) fn data(world: &World, instance: &str) -> PathBuf {
    let paths = BACKENDS.map(|(_, root, _)| world.path(root).join("shares").join(instance));
    let found = paths.iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{instance} is nowhere")).join("data")
}

/// What the backend lets the clients of an instance do.
fn levels(world: &World, instance: &str) -> Vec<String> {
    let list = fs::read(data(world, instance).with_file_name("access.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let rules = list["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["level"].as_str().unwrap().to_owned()).collect()
}

/// The operation has had its whole effect, and there is nothing else.
async fn assert_done(world: &World, service: &Service, kind: &str, scene: &Scene, what: &str) {
    let all = replicas(service, scene);
    assert!(all.iter().all(|one| one["status"] == "available"), "{what}: {all:?}");
    let is_active = active(world, scene).await;
    assert_eq!(is_active != scene.first, kind == "promote_replica", "{what}: {all:?}");
    let is_deleted = |replica: &&String| kind == "delete_replica" && *replica == scene.follower();
    let made = usize::from(kind == "create_replica" && scene.followers.is_empty());
    let expected = 1 + made + scene.followers.iter().filter(|one| !is_deleted(one)).count();
    assert_eq!(all.len(), expected, "{what}: {all:?}");
    for replica in all.iter().map(id) {
        // Snapshots are taken of the one; the other is updated when its time comes.
        let is_stale = kind.ends_with("snapshot") && replica != scene.first;
        let bytes = if is_stale { &scene.then } else { &scene.now };
        tree::assert_same(&data(world, &replica), bytes, &format!("{what}: replica {replica}"));
        let level = if replica == is_active { "rw" } else { "ro" };
        assert_eq!(levels(world, &replica), [level], "{what}: {replica}");
    }
    let snapshots = service.get("/snapshots/detail")["snapshots"].as_array().unwrap().clone();
    let count = match kind {
        "create_snapshot" => 2,
        "delete_snapshot" => 0,
        _ => 1,
    };
    assert_eq!(snapshots.len(), count, "{what}: {snapshots:?}");
    assert!(snapshots.iter().all(|one| one["status"] == "available"), "{what}: {snapshots:?}");
    let copies = copies(service);
    assert_eq!(copies.len(), count * expected, "{what}: {copies:?}");
    for copy in copies {
        assert_eq!(copy["status"], "available", "{what}: {copy}");
        let bytes = if copy["snapshot_id"] == *scene.snapshot { &scene.then } else { &scene.now };
        let kept = Path::new(copy["provider_location"].as_str().unwrap());
        tree::assert_same(kept, bytes, &format!("{what}: {copy}"));
    }
    assert_as_rows_say(world, service, scene, what).await;
}

fn copies(service: &Service) -> Vec<Value> {
    let list = service.get("/snapshot-instances/detail");
    list["snapshot_instances"].as_array().unwrap().clone()
}

/// Each backend holds the objects of its own rows, whole, and nothing else.
async fn assert_as_rows_say(world: &World, service: &Service, scene: &Scene, what: &str) {
    let copies = copies(service);
    let has_object = |copy: &&Value| copy["status"] == "available";
    for (name, kept) in rows_by_backend(world, scene).await {
        let root = root(world, &name);
        assert_eq!(names(&root.join("shares")), kept, "{what}: shares of {name}");
        let is_here = |copy: &&Value| kept.iter().any(|share| copy["share_instance_id"] == **share);
        let mut snapshots: Vec<_> =
            copies.iter().filter(is_here).filter(has_object).map(id).collect();
        snapshots.sort();
        assert_eq!(names(&root.join("snapshots")), snapshots, "{what}: snapshots of {name}");
        assert_no_leftovers(&root, service, what);
    }
}

/// The share instances that each backend is to hold.
async fn rows_by_backend(world: &World, scene: &Scene) -> BTreeMap<String, Vec<String>> {
    let mut tx = world.database.db.read().await.unwrap();
    let rows = share_instances::of_share(&mut tx, scene.share.parse().unwrap()).await.unwrap();
    let used = BACKENDS.iter().filter(|(_, root, _)| world.path(root).exists());
    let mut found: BTreeMap<_, _> =
        used.map(|(name, ..)| ((*name).to_owned(), Vec::new())).collect();
    for row in rows {
        let Some(host) = row.host else { continue };
        let name = host.split(['@', '#']).nth(1).unwrap();
        found.get_mut(name).unwrap().push(row.id.to_string());
    }
    found.values_mut().for_each(|ids| ids.sort());
    found
}

fn root(world: &World, backend: &str) -> PathBuf {
    let (_, root, _) = BACKENDS.iter().find(|(name, ..)| *name == backend).unwrap();
    world.path(root)
}

/// What killed processes began is gone, or goes with the next sweep.
fn assert_no_leftovers(root: &Path, service: &Service, what: &str) {
    for part in ["tmp", "trash", "locks"] {
        let is_empty = |_: &_| names(&root.join(part)).is_empty().then_some(());
        service.wait(&format!("{what}: {part} of {}", root.display()), is_empty);
    }
    let parts = [".abaca", "import", "locks", "shares", "snapshots", "tmp", "trash"];
    assert_eq!(names(root), parts, "{what}");
    assert!(names(&root.join("import")).is_empty(), "{what}");
    for kind in ["shares", "snapshots"] {
        for object in names(&root.join(kind)) {
            let mut found = names(&root.join(kind).join(&object));
            // What btrfs keeps for updates is told of in `btrfs.rs`.
            found.retain(|name| !name.starts_with("sent-") && !name.starts_with("base-"));
            let known = ["access.json", "data", "record.json"];
            let is_known = found.iter().all(|name| known.contains(&name.as_str()));
            assert!(is_known, "{what}: {object} of {}: {found:?}", root.display());
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// With so many followers.
async fn new_world(dialect: Dialect, followers: usize) -> World {
    let world = World::new(dialect, Storage::Directory).await;
    add_backends(&world, followers);
    world
}
