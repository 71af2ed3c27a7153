//! SIGKILL at every step of what is done to replicas: no byte is lost or changed, there is one active
//! replica at every moment, and nothing is stuck.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use abaca_model::OperationState;
use abaca_store::Dialect;
use serde_json::{Value, json};

use crate::service::{Service, Storage, World, id};
use crate::story::{KINDS, allow, moments};

crate::on_each_database!(
    create_replica,
    delete_replica,
    promote_replica,
    update_replica,
    snapshots,
    resets,
    reset_when_its_worker_is_gone,
    said_to_be_there
);

async fn create_replica(dialect: Dialect) {
    at_every_step("create_replica", dialect).await;
}

async fn delete_replica(dialect: Dialect) {
    at_every_step("delete_replica", dialect).await;
}

async fn promote_replica(dialect: Dialect) {
    at_every_step("promote_replica", dialect).await;
}

async fn update_replica(dialect: Dialect) {
    at_every_step("update_replica", dialect).await;
}

/// Of a replicated share: taken in both replicas, and deleted in both.
async fn snapshots(dialect: Dialect) {
    for kind in ["create_snapshot", "delete_snapshot"] {
        at_every_step(kind, dialect).await;
    }
}

/// The backend has made a replica, nobody has recorded it, and an administrator says that it is there.
async fn said_to_be_there(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    two_backends(&world);
    let whole = world.start("all", None);
    let mut scene = prepare(&world, &whole, "create_replica").await;
    drop(whole);
    let mut doomed = world.start("all", Some("create_replica.create.effect"));
    ask(&doomed, "create_replica", &scene);
    doomed.gone();
    let api = world.start("api", None);
    scene.second = Some(second(&api, &scene));
    let replica = format!("/share-replicas/{}", scene.second.as_deref().unwrap());
    let reset = json!({ "reset_status": { "status": "available" } });
    api.try_post(&format!("{replica}/action"), &reset);
    drop(api);
    let again = world.start("all", None);
    world.settled().await;
    ask(&again, "update_replica", &scene);
    world.settled().await;
    let exports = again.get(&format!("{replica}/export-locations"));
    assert_eq!(exports["export_locations"].as_array().unwrap().len(), 1, "{exports}");
    let data = data(&world, scene.second.as_deref().unwrap());
    let access = std::fs::read_to_string(data.with_file_name("access.json")).unwrap();
    assert!(access.contains("10.0.0.1"), "{access}");
    ask(&again, "promote_replica", &scene);
    world.settled().await;
    assert_done(&world, &again, "promote_replica", &scene, "said_to_be_there");
    world.remove().await;
}

async fn at_every_step(name: &str, dialect: Dialect) {
    let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
    for step in kind.steps {
        for moment in moments(dialect) {
            let world = World::new(dialect, Storage::Directory).await;
            killed_and_resumed(&world, name, &format!("{name}.{step}.{moment}")).await;
            world.remove().await;
        }
    }
}

/// An administrator's word on the replica, while something is at work on it, stands; and a resync
/// mends what there is to mend.
async fn resets(dialect: Dialect) {
    for place in [
        "create_replica.schedule.effect",
        "create_replica.create.effect",
        "update_replica.update.effect",
        "promote_replica.quiesce.effect",
        "promote_replica.quiesce.recorded",
        "promote_replica.promote.start",
        "promote_replica.promote.effect",
        "delete_replica.delete.effect",
    ] {
        let world = World::new(dialect, Storage::Directory).await;
        reset_in_the_middle(&world, place.split('.').next().unwrap(), place).await;
        world.remove().await;
    }
}

/// Nobody serves the replica's backend any more: those who use the active one do not wait for that.
async fn reset_when_its_worker_is_gone(dialect: Dialect) {
    let world = World::new(dialect, Storage::Directory).await;
    let first_alone = std::fs::read_to_string(world.path("abaca.toml")).unwrap();
    two_backends(&world);
    let whole = world.start("all", None);
    let scene = prepare(&world, &whole, "promote_replica").await;
    drop(whole);
    let mut doomed = world.start("all", Some("promote_replica.promote.start"));
    ask(&doomed, "promote_replica", &scene);
    doomed.gone();
    assert_eq!(levels(&world, &scene.first), ["ro"]);

    std::fs::write(world.path("abaca.toml"), first_alone).unwrap();
    let again = world.start("all", None);
    let replica = format!("/share-replicas/{}/action", second(&again, &scene));
    again.post(&replica, &json!({ "reset_status": { "status": "error" } }));
    again.wait("writers", |_| (levels(&world, &scene.first) == ["rw"]).then_some(()));
    assert!(again.stop().success());
    world.remove().await;
}

async fn reset_in_the_middle(world: &World, kind: &str, place: &str) {
    two_backends(world);
    let whole = world.start("all", None);
    let mut scene = prepare(world, &whole, kind).await;
    drop(whole);
    let mut doomed = world.start("all", Some(place));
    ask(&doomed, kind, &scene);
    assert_eq!(doomed.gone().signal(), Some(9), "{place}\n{}", world.log());
    let api = world.start("api", None);
    let replica = second(&api, &scene);
    let path = format!("/share-replicas/{replica}");
    let reset = json!({ "reset_status": { "status": "error" } });
    api.post(&format!("{path}/action"), &reset);
    assert!(api.stop().success());

    let again = world.start("all", None);
    world.settled().await;
    world.reaches(&replica, OperationState::Superseded).await;
    assert_eq!(again.get(&path)["share_replica"]["status"], "error", "{place}");
    assert_eq!(active(&again, &scene), [scene.first.as_str()], "{place}");
    assert_eq!(levels(world, &scene.first), ["rw"], "{place}: its clients can write again");
    let mut rows: Vec<_> = replicas(&again, &scene).iter().map(id).collect();
    rows.sort();
    let held = [world.backend(), world.path("other")].map(|root| names(&root.join("shares")));
    let mut held = held.concat();
    held.sort();
    assert!(held.iter().all(|object| rows.contains(object)), "{place}: {held:?} of {rows:?}");

    // Before it has a place there is nothing to mend.
    if again.get(&path)["share_replica"]["host"] == "" {
        return;
    }
    scene.second = Some(replica.clone());
    ask(&again, "update_replica", &scene);
    world.settled().await;
    let mended = again.get(&path)["share_replica"].clone();
    assert_eq!(
        (&mended["status"], &mended["replica_state"]),
        (&json!("available"), &json!("in_sync"))
    );
    let bytes = std::fs::read_to_string(data(world, &replica).join("file")).unwrap();
    assert_eq!(bytes, BYTES[1], "{place}");
    assert!(again.stop().success());
}

fn names(directory: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

const BYTES: [&str; 2] = ["at the time of the snapshot", "now"];

pub(crate) struct Scene {
    share: String,
    snapshot: String,
    first: String,
    second: Option<String>,
    /// What was written last.
    now: &'static str,
}

impl Scene {
    /// The active replica.
    pub(crate) fn active(&self, service: &Service) -> String {
        active(service, self).concat()
    }

    /// Asks for the promotion of the other one.
    pub(crate) fn promote(&self, service: &Service) -> String {
        let follower = second(service, self);
        let action = format!("/share-replicas/{follower}/action");
        service.post(&action, &json!({ "promote": null }));
        follower
    }
}

/// Brings the world to where `kind` was asked for and nobody is at work on it.
pub(crate) async fn begun(world: &World, kind: &str) -> Scene {
    two_backends(world);
    let whole = world.start("all", None);
    let scene = prepare(world, &whole, kind).await;
    drop(whole);
    ask(&world.start("api", None), kind, &scene);
    scene
}

/// The second backend is of the first one's kind, in the directory `other`.
pub(crate) async fn killed_and_resumed(world: &World, kind: &str, place: &str) {
    two_backends(world);
    let whole = world.start("all", None);
    let mut scene = prepare(world, &whole, kind).await;
    drop(whole);
    let mut doomed = world.start("all", Some(place));
    ask(&doomed, kind, &scene);
    let status = doomed.gone();
    assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
    // Before anybody resumes it: still, or already, one active replica.
    let api = world.start("api", None);
    let is_active = active(&api, &scene);
    assert_eq!(is_active.len(), 1, "{place}");
    if kind == "promote_replica" && is_active[0] == scene.first {
        // Whatever the backend has done by now, this is what tenants write to.
        scene.now = "since";
        std::fs::write(data(world, &scene.first).join("file"), scene.now).unwrap();
    }
    if place.starts_with("promote_replica.promote.") {
        // Nothing was copied before nobody could write any more.
        assert_eq!(levels(world, &scene.first), ["ro"], "{place}");
    }
    drop(api);
    let again = world.start("all", None);
    world.settled().await;
    assert_done(world, &again, kind, &scene, place);
    assert!(again.stop().success(), "{place}: a clean end");
}

fn two_backends(world: &World) {
    let path = world.path("abaca.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let more = "replication_domain = \"d\"\nreplication_type = \"readable\"\n";
    let other = world.path("other");
    let driver = config.lines().find(|line| line.starts_with("driver = ")).unwrap();
    let config = format!(
        "{config}availability_zone = \"one\"\n{more}[[backend]]\nname = \"c\"\n\
         {driver}\nroot = {other:?}\navailability_zone = \"two\"\n{more}"
    );
    std::fs::write(path, config).unwrap();
}

/// A replicated share with a snapshot, and but for `create_replica` with a replica.
async fn prepare(world: &World, service: &Service, kind: &str) -> Scene {
    service.wait("two pools", |service| {
        service.get("/scheduler-stats/pools")["pools"].get(1).cloned()
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
    let file = data(world, &first).join("file");
    std::fs::write(&file, BYTES[0]).unwrap();
    allow(service, &format!("/shares/{share}"), "10.0.0.1");
    service.settled_rules(&share);
    let snapshot = service.create_snapshot(&share);
    service.snapshot_is(&snapshot, "available");
    let mut scene = Scene { share, snapshot, first, second: None, now: BYTES[1] };
    if kind != "create_replica" {
        ask(service, "create_replica", &scene);
        world.settled().await;
        scene.second = Some(second(service, &scene));
    }
    std::fs::write(&file, BYTES[1]).unwrap();
    scene
}

fn replicas(service: &Service, scene: &Scene) -> Vec<Value> {
    let list = service.get(&format!("/share-replicas?share_id={}", scene.share));
    list["share_replicas"].as_array().unwrap().clone()
}

fn active(service: &Service, scene: &Scene) -> Vec<String> {
    let all = replicas(service, scene);
    all.iter().filter(|one| one["replica_state"] == "active").map(id).collect()
}

fn second(service: &Service, scene: &Scene) -> String {
    let all = replicas(service, scene);
    all.iter().map(id).find(|replica| *replica != scene.first).unwrap()
}

fn ask(service: &Service, kind: &str, scene: &Scene) {
    let replica = format!("/share-replicas/{}", scene.second.as_deref().unwrap_or_default());
    let action = format!("{replica}/action");
    match kind {
        "create_replica" => {
            let body = json!({ "share_replica": { "share_id": scene.share } });
            service.try_post("/share-replicas", &body);
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
    let path = |root: PathBuf| root.join("shares").join(instance).join("data");
    let first = path(world.backend());
    if first.exists() { first } else { path(world.path("other")) }
}

/// What the backend lets the clients of an instance do.
fn levels(world: &World, instance: &str) -> Vec<String> {
    let list = std::fs::read(data(world, instance).parent().unwrap().join("access.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let rules = list["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["level"].as_str().unwrap().to_owned()).collect()
}

fn assert_done(world: &World, service: &Service, kind: &str, scene: &Scene, place: &str) {
    let all = replicas(service, scene);
    let is_active = active(service, scene);
    assert_eq!(is_active.len(), 1, "{place}: {all:?}");
    assert!(all.iter().all(|one| one["status"] == "available"), "{place}: {all:?}");
    let promoted = kind == "promote_replica";
    assert_eq!(is_active[0] != scene.first, promoted, "{place}: {all:?}");
    let expected = if kind == "delete_replica" { 1 } else { 2 };
    assert_eq!(all.len(), expected, "{place}: {all:?}");
    for replica in all.iter().map(id) {
        let bytes = std::fs::read_to_string(data(world, &replica).join("file")).unwrap();
        // Snapshots are taken of the one; the other is updated when its time comes.
        let stale = kind.ends_with("snapshot") && replica != scene.first;
        assert_eq!(bytes, if stale { BYTES[0] } else { scene.now }, "{place}: {replica}");
        let level = if replica == is_active[0] { "rw" } else { "ro" };
        assert_eq!(levels(world, &replica), [level], "{place}: {replica}");
    }
    let snapshots = service.get("/snapshots/detail")["snapshots"].as_array().unwrap().clone();
    let count = match kind {
        "create_snapshot" => 2,
        "delete_snapshot" => 0,
        _ => 1,
    };
    assert_eq!(snapshots.len(), count, "{place}: {snapshots:?}");
    let list = service.get("/snapshot-instances/detail");
    let copies = list["snapshot_instances"].as_array().unwrap();
    assert_eq!(copies.len(), count * expected, "{place}: {copies:?}");
    for copy in copies {
        assert_eq!(copy["status"], "available", "{place}: {copy}");
        let bytes = crate::service::read_bytes(&copy["provider_location"]);
        let is_old = copy["snapshot_id"] == *scene.snapshot;
        assert_eq!(bytes, BYTES[usize::from(!is_old)].as_bytes(), "{place}: {copy}");
    }
    let held = |root: PathBuf, kind: &str| std::fs::read_dir(root.join(kind)).unwrap().count();
    for (kind, rows) in [("shares", expected), ("snapshots", copies.len())] {
        let objects = held(world.backend(), kind) + held(world.path("other"), kind);
        assert_eq!(objects, rows, "{place}: {kind} without a row");
    }
}
