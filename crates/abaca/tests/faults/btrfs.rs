//! The service on btrfs file systems of its own: the life of a share that is held to its size, and
//! SIGKILL where an operation has changed the file system and nobody knows of it yet.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use abaca_drivers::conformance::file_systems::{mounted, run_on_image};
use abaca_store::Dialect;
use serde_json::json;

use crate::migrations::{self, Way};
use crate::service::{Service, Storage, World, id, read_bytes, write_bytes};
use crate::story::{self, KINDS, MOMENTS};
use crate::{kills, replicas};

const MIB: usize = 1 << 20;

fn on_btrfs(test: &str) {
    let is_root = rustix::process::geteuid().is_root();
    assert!(is_root, "tests of btrfs want root; leave them out with: -E 'not test(/^btrfs::/)'");
    let ran = run_on_image(test, &["mkfs.btrfs", "-q"]);
    ran.unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn life() {
    on_btrfs("btrfs::a_share_lives");
}

#[test]
fn kills() {
    on_btrfs("btrfs::killed_after_the_effect");
}

#[test]
fn kills_of_replicas() {
    on_btrfs("btrfs::killed_with_replicas_elsewhere");
}

#[test]
fn kills_of_what_replicas_have() {
    on_btrfs("btrfs::killed_while_promoted_or_snapshotted");
}

#[test]
fn kills_of_moves_before_the_copying() {
    on_btrfs("btrfs::killed_before_the_copying");
}

#[test]
fn kills_of_moves_from_the_copying_on() {
    on_btrfs("btrfs::killed_from_the_copying_on");
}

#[test]
fn kills_of_cancelled_moves() {
    on_btrfs("btrfs::killed_while_cancelled");
}

fn call(program: &str, arguments: &[&str]) {
    // The tools live in sbin, which is not on everybody's PATH.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new(program).args(arguments).env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

async fn world() -> World {
    call("btrfs", &["quota", "enable", mounted().unwrap().to_str().unwrap()]);
    World::new(Dialect::Sqlite, Storage::Btrfs).await
}

/// Writes until so many MiB are in the file or the share is full; how many got in.
fn fill(path: &Path, mib: usize) -> usize {
    let chunk = vec![7; MIB];
    let mut file = File::create(path).unwrap();
    for written in 0..mib {
        let wrote = file.write_all(&chunk).and_then(|()| match written % 64 {
            63 => file.sync_all(),
            _ => Ok(()),
        });
        if let Err(error) = wrote {
            assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
            return written;
        }
    }
    file.sync_all().unwrap();
    mib
}

fn act(service: &Service, share: &str, action: &serde_json::Value) {
    service.post(&format!("/shares/{share}/action"), action);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn a_share_lives() {
    let world = world().await;
    let service = world.start("all", None);
    let share = service.create_share();
    service.share_is(&share, "available");
    let file = write_bytes(&world, &service.share_instance(&share), b"before");
    let snapshot = service.create_snapshot(&share);
    service.snapshot_is(&snapshot, "available");

    // What the administrator is shown leads to the bytes, which nobody can change.
    let location = service.snapshot_instance(&snapshot)["provider_location"].clone();
    fs::write(&file, "after").unwrap();
    assert_eq!(read_bytes(&location), b"before");
    let kept = Path::new(location.as_str().unwrap()).join("file");
    assert_eq!(fs::write(kept, "").unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);

    // It is held to its size, then to the larger one.
    let got_in = fill(&file.with_file_name("one"), 2048);
    assert!((960..=1024).contains(&got_in), "{got_in} MiB got into 1 GiB");
    act(&service, &share, &json!({"extend": {"new_size": 2}}));
    service.share_is(&share, "available");
    assert_eq!(fill(&file.with_file_name("two"), 512), 512);
    act(&service, &share, &json!({"shrink": {"new_size": 1}}));
    world.settled().await;
    let shown = service.get(&format!("/shares/{share}"))["share"].clone();
    assert_eq!((&shown["size"], &shown["status"]), (&json!(2), &json!("available")), "{shown}");
    fs::remove_file(file.with_file_name("one")).unwrap();
    act(&service, &share, &json!({"shrink": {"new_size": 1}}));
    world.settled().await;
    assert_eq!(service.get(&format!("/shares/{share}"))["share"]["size"], 1);
    let got_in = fill(&file.with_file_name("three"), 1024);
    assert!(got_in <= 512, "{got_in} MiB more got into 1 GiB that holds 512");

    // Back to the snapshot, and held to the size still.
    act(&service, &share, &json!({"revert": {"snapshot_id": snapshot}}));
    service.share_is(&share, "available");
    assert_eq!(fs::read(&file).unwrap(), b"before");
    assert!(!file.with_file_name("two").exists());
    assert!(fill(&file.with_file_name("one"), 2048) <= 1024);

    let of_snapshot = json!({"share": {
        "share_proto": "NFS", "size": 1, "snapshot_id": snapshot,
    }});
    let copy = id(&service.post("/shares", &of_snapshot)["share"]);
    service.share_is(&copy, "available");
    let data = world.backend().join("shares").join(service.share_instance(&copy)).join("data");
    assert_eq!(fs::read(data.join("file")).unwrap(), b"before");
    assert!(fill(&data.join("one"), 2048) <= 1024);
    story::assert_same(&world, &service);

    service.expect("DELETE", &format!("/snapshots/{snapshot}"), None);
    world.settled().await;
    for share in [&share, &copy] {
        service.expect("DELETE", &format!("/shares/{share}"), None);
    }
    world.settled().await;
    assert_eq!(world.held("shares").len() + world.held("snapshots").len(), 0);
    story::assert_same(&world, &service);
    assert!(service.stop().success());
    world.remove().await;
}

/// The other moments are before and after the driver's part, and the same on every backend.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_after_the_effect() {
    call("btrfs", &["quota", "enable", mounted().unwrap().to_str().unwrap()]);
    for place in [
        "create_share.create",
        "delete_share.delete",
        "extend_share.resize",
        "shrink_share.resize",
        "create_snapshot.create",
        "delete_snapshot.delete",
        "revert_share.revert",
        "manage_share.manage",
        "unmanage_share.unmanage",
        "manage_snapshot.manage",
        "unmanage_snapshot.unmanage",
    ] {
        let kind = place.split_once('.').unwrap().0;
        let place = format!("{place}.effect");
        kills::killed_and_resumed(kind, &place, Dialect::Sqlite, Storage::Btrfs).await;
    }
}

/// A second file system, which the worlds of a test have one after the other.
struct Second {
    point: PathBuf,
    lent: Cell<u32>,
}

impl Second {
    fn new() -> Self {
        let first = mounted().unwrap();
        call("btrfs", &["quota", "enable", first.to_str().unwrap()]);
        // Beside the first one, where all goes with the process that runs this test.
        let (image, point) = (first.with_file_name("second.image"), first.with_file_name("second"));
        File::create(&image).unwrap().set_len(4 << 30).unwrap();
        fs::create_dir(&point).unwrap();
        let (image, mount) = (image.to_str().unwrap(), point.to_str().unwrap());
        call("mkfs.btrfs", &["-q", image]);
        call("mount", &["-o", "loop", image, mount]);
        call("btrfs", &["quota", "enable", mount]);
        Self { point, lent: Cell::new(0) }
    }

    /// A world with the first one; a new directory of the second one is there by this name.
    async fn world(&self, name: &str) -> World {
        let world = World::new(Dialect::Sqlite, Storage::Btrfs).await;
        self.lent.set(self.lent.get() + 1);
        let (own, there) = (self.point.join(self.lent.get().to_string()), world.path(name));
        fs::create_dir(&own).unwrap();
        fs::create_dir(&there).unwrap();
        call("mount", &["--bind", own.to_str().unwrap(), there.to_str().unwrap()]);
        world
    }

    async fn remove(&self, world: World, name: &str) {
        call("umount", &[world.path(name).to_str().unwrap()]);
        world.remove().await;
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        call("umount", &[self.point.to_str().unwrap()]);
    }
}

/// How many of what updates keep lie beside the bytes of shares.
fn kept(root: &Path, prefix: &str) -> usize {
    let shares = fs::read_dir(root.join("shares")).unwrap();
    let entries = shares.flat_map(|share| fs::read_dir(share.unwrap().path()).unwrap());
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(prefix)).count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_with_replicas_elsewhere() {
    replicas_at_every_step(&["create_replica", "update_replica", "delete_replica"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_while_promoted_or_snapshotted() {
    replicas_at_every_step(&["promote_replica", "create_snapshot", "delete_snapshot"]).await;
}

async fn replicas_at_every_step(kinds: &[&str]) {
    let second = Second::new();
    for kind in KINDS.iter().filter(|kind| kinds.contains(&kind.name)) {
        for place in places(kind.name, kind.steps) {
            let world = second.world("other").await;
            replicas::killed_and_resumed(&world, kind.name, &place).await;
            let roots = [world.backend(), world.path("other")];
            let count = |prefix| roots.iter().map(|root| kept(root, prefix)).sum::<usize>();
            let found = (count("sent-"), count("base-"));
            // What an update began with stays until the next one, after a promotion for a day.
            let expected = if kind.name == "delete_replica" { 0..=0 } else { 1..=2 };
            let is_so = expected.contains(&found.0) && expected.contains(&found.1);
            assert!(is_so, "{place}: {found:?}");
            second.remove(world, "other").await;
        }
    }
}

fn places(kind: &str, steps: &[&str]) -> Vec<String> {
    let of = |step| MOMENTS.iter().map(move |moment| format!("{kind}.{step}.{moment}"));
    steps.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_before_the_copying() {
    let places = places("migrate_share", &["schedule", "offer", "prepare"]);
    moved(&places, "migration_complete").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_from_the_copying_on() {
    let places = places("migrate_share", &["copy", "hold", "switch"]);
    moved(&places, "migration_complete").await;
}

/// The first step after the wish is to hold; there it is cancelled.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_while_cancelled() {
    let mut all = places("migrate_share", &["hold"]).split_off(1);
    all.extend(places("delete_share", &["delete"]));
    all.extend(places("delete_snapshot", &["delete"]));
    moved(&all, "migration_cancel").await;
}

async fn moved(places: &[String], wish: &str) {
    let second = Second::new();
    for place in places {
        let world = second.world("backend_of_c").await;
        migrations::killed_and_resumed(&world, place, Way::Driver, wish).await;
        for root in [world.backend(), world.path("backend_of_c")] {
            assert_eq!(kept(&root, "sent-") + kept(&root, "base-"), 0, "{place}");
        }
        second.remove(world, "backend_of_c").await;
    }
}
