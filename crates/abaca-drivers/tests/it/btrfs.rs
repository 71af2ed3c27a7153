//! The btrfs backend on file systems of its own, mounted as [`file_systems`] says.
//!
//! They want root and a kernel with btrfs, and fail without: `scripts/test` leaves them out with a
//! word where it can't have that.

mod kills;

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use abaca_drivers::conformance::{file_systems, run};
use abaca_drivers::{
    BuildError, Driver, DriverError, MigratedSnapshot, Migration, NewReplica, NewShare,
    NewSnapshot, ReplicaSource, SnapshotRef, SyncReplica, build,
};
use serde_json::json;
use uuid::Uuid;

use crate::backends::{DirectorySubject, leftovers, settings};
use crate::file_systems::{MIB, run_on_image};

const GIB: u64 = 1024 * MIB;

fn on_btrfs(test: &str) {
    run_on_image(test, &["mkfs.btrfs", "-q"]);
}

#[test]
fn conformance() {
    on_btrfs("btrfs::every_rule");
}

#[test]
fn sizes() {
    on_btrfs("btrfs::sizes_are_enforced");
}

#[test]
fn power_loss() {
    on_btrfs("btrfs::a_size_survives_power_loss");
}

#[test]
fn damage() {
    on_btrfs("btrfs::what_is_not_in_order");
}

#[test]
fn replicas_elsewhere() {
    on_btrfs("btrfs::followed_on_another_file_system");
}

#[test]
fn moves() {
    on_btrfs("btrfs::shares_move_to_and_from_other_drivers");
}

#[test]
fn moves_with_snapshots() {
    on_btrfs("btrfs::shares_move_with_their_snapshots");
}

fn call(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// The root for a backend on the new file system, with quotas.
fn prepared() -> Option<PathBuf> {
    let point = file_systems::mounted()?;
    call("btrfs", &["quota", "enable", point.to_str().unwrap()]);
    Some(point.join("backend"))
}

async fn open(root: &Path) -> Arc<dyn Driver> {
    build("btrfs", &settings(json!({ "root": root, "replication_type": "readable" })))
        .await
        .unwrap()
}

async fn share(driver: &dyn Driver) -> (NewShare, PathBuf) {
    let (id, protocol, pool) = (Uuid::new_v4(), "NFS".to_owned(), "btrfs".to_owned());
    let share = NewShare { id, size_gb: 1, protocol, pool, mount_point_name: None };
    let path = driver.create_share(&share).await.unwrap().remove(0).path;
    (share, path.into())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn every_rule() {
    let Some(root) = prepared() else { return };
    run(&DirectorySubject { driver: "btrfs", root }).await.unwrap();
}

/// Writes until `bytes` are in the file or the file system refuses; the bytes that got in.
fn fill(path: &Path, bytes: u64) -> (u64, Option<std::io::Error>) {
    let chunk = vec![7; MIB as usize];
    let mut file = fs::File::create(path).unwrap();
    let mut written = 0;
    while written < bytes {
        let wrote = file.write_all(&chunk).and_then(|()| match written % (64 * MIB) {
            0 => file.sync_all(),
            _ => Ok(()),
        });
        if let Err(error) = wrote {
            return (written, Some(error));
        }
        written += MIB;
    }
    (written, file.sync_all().err())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn sizes_are_enforced() {
    let Some(root) = prepared() else { return };
    let driver = open(&root).await;
    let (source, path) = share(&*driver).await;
    let (written, refusal) = fill(&path.join("one"), 2 * GIB);
    let refusal = refusal.expect("more than its size got into the share");
    assert_eq!(refusal.kind(), std::io::ErrorKind::QuotaExceeded);
    assert!(written > GIB - 64 * MIB && written <= GIB, "{written} bytes got in");

    // Its neighbour is not concerned; a larger size lets more in; files can be deleted when full.
    let (neighbour, beside) = share(&*driver).await;
    fs::write(beside.join("file"), "bytes").unwrap();
    driver.extend_share(source.id, 2).await.unwrap();
    let (written, refusal) = fill(&path.join("two"), 512 * MIB);
    assert!(refusal.is_none() && written == 512 * MIB, "{written}: {refusal:?}");

    let refused = driver.shrink_share(source.id, 1).await;
    let Err(DriverError::ShrinkBelowData { used_bytes, requested_gb: 1 }) = refused else {
        panic!("{refused:?}");
    };
    assert!((GIB + 400 * MIB..2 * GIB).contains(&used_bytes), "{used_bytes}");
    fs::write(path.join("three"), vec![7; MIB as usize]).unwrap();
    assert_eq!(driver.get_share(source.id).await.unwrap().unwrap().size_gb, 2);

    // A share from a snapshot counts what it got from there.
    let new = NewSnapshot { id: Uuid::new_v4(), share_instance_id: source.id };
    let snapshot = SnapshotRef::from(&driver.create_snapshot(&new).await.unwrap());
    let copy = NewShare { id: Uuid::new_v4(), size_gb: 2, ..source.clone() };
    let exports = driver.create_share_from_snapshot(&copy, &snapshot).await.unwrap();
    let (written, refusal) = fill(&Path::new(&exports[0].path).join("more"), 2 * GIB);
    assert!(refusal.is_some() && written < 600 * MIB, "{written} bytes got in");
    let kept = Path::new(snapshot.provider_location.as_deref().unwrap()).join("new");
    assert_eq!(fs::write(kept, "").unwrap_err().kind(), std::io::ErrorKind::ReadOnlyFilesystem);

    fs::remove_file(path.join("one")).unwrap();
    driver.shrink_share(source.id, 1).await.unwrap();
    let (_, refusal) = fill(&path.join("four"), GIB);
    assert_eq!(refusal.unwrap().kind(), std::io::ErrorKind::QuotaExceeded);

    for share in [source.id, copy.id, neighbour.id] {
        driver.delete_share(share).await.unwrap();
    }
    driver.delete_snapshot(&snapshot).await.unwrap();
    assert_eq!(leftovers(&root), Vec::<String>::new());
}

/// The limit in bytes that the kernel holds a share to.
fn limit(path: &Path) -> u64 {
    let mut show = Command::new("btrfs");
    let output = show.args(["qgroup", "show", "--raw", "-r", "-f"]).arg(path).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let line = table.lines().find(|line| line.starts_with("0/")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn a_size_survives_power_loss() {
    let Some(root) = prepared() else { return };
    let point = root.parent().unwrap();
    let image = point.with_file_name("image");
    let driver = open(&root).await;
    let (share, path) = share(&*driver).await;
    driver.extend_share(share.id, 5).await.unwrap();
    // What the disk holds at this moment is what is left of it.
    let copy = image.with_file_name("copy.img");
    call("cp", &["--sparse=always", image.to_str().unwrap(), copy.to_str().unwrap()]);
    drop(driver);
    call("umount", &[point.to_str().unwrap()]);
    // The kernel knows the file system by its id, and takes the copy for an old state of it.
    call("btrfs", &["device", "scan", "--forget"]);
    call("mount", &["-o", "loop", copy.to_str().unwrap(), point.to_str().unwrap()]);
    let driver = open(&root).await;
    assert_eq!(driver.get_share(share.id).await.unwrap().unwrap().size_gb, 5);
    assert_eq!(limit(&path), 5 * GIB);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn shares_move_to_and_from_other_drivers() {
    let Some(root) = prepared() else { return };
    let (subvolumes, elsewhere) = (open(&root).await, root.with_file_name("plain"));
    let trees = build("directory", &settings(json!({ "root": elsewhere }))).await.unwrap();
    let (first, path) = share(&*subvolumes).await;
    fs::create_dir(path.join("directory")).unwrap();
    fs::write(path.join("directory/file"), vec![7; 3_000_000]).unwrap();
    fs::hard_link(path.join("directory/file"), path.join("second")).unwrap();
    let moved = |share: &NewShare, pool: &str| NewShare {
        id: Uuid::new_v4(),
        pool: pool.to_owned(),
        ..share.clone()
    };
    let from = subvolumes.share_tree(first.id).await.unwrap();
    let there = moved(&first, "directory");
    trees.fill_share(&there, &from, &Arc::default()).await.unwrap();
    let from = trees.share_tree(there.id).await.unwrap();
    let back = moved(&first, "btrfs");
    let path = subvolumes.fill_share(&back, &from, &Arc::default()).await.unwrap().remove(0).path;
    let path = PathBuf::from(path);
    assert_eq!(fs::read(path.join("second")).unwrap(), vec![7; 3_000_000]);
    let number = |name: &str| fs::metadata(path.join(name)).unwrap().ino();
    assert_eq!(number("second"), number("directory/file"));
    let (written, refusal) = fill(&path.join("more"), 2 * GIB);
    assert!(refusal.is_some() && written < GIB, "it is not held to its size: {written}");
    let from = subvolumes.share_tree(back.id).await.unwrap();
    let small = moved(&NewShare { size_gb: 0, ..first.clone() }, "btrfs");
    let full = subvolumes.fill_share(&small, &from, &Arc::default()).await;
    assert!(matches!(full, Err(DriverError::NoSpace { .. })), "{full:?}");
    for (driver, id) in [(&subvolumes, first.id), (&trees, there.id), (&subvolumes, back.id)] {
        driver.delete_share(id).await.unwrap();
    }
    subvolumes.delete_share(small.id).await.unwrap();
    assert_eq!(leftovers(&root), Vec::<String>::new());
    assert_eq!(leftovers(&elsewhere), Vec::<String>::new());
}

fn refusal(built: Result<Arc<dyn Driver>, BuildError>) -> String {
    match built {
        Err(BuildError::Open(error @ DriverError::InvalidInput { field: "root", .. })) => {
            error.to_string()
        }
        Err(error) => panic!("expected the root to be refused, got {error:?}"),
        Ok(_) => panic!("expected the root to be refused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn what_is_not_in_order() {
    let Some(point) = file_systems::mounted() else { return };
    let built =
        async |driver: &str, root: &Path| build(driver, &settings(json!({ "root": root }))).await;
    // Without quotas, and elsewhere.
    let text = refusal(built("btrfs", &point).await);
    assert!(text.contains(&format!("btrfs quota enable {}", point.display())), "{text}");
    assert_eq!(fs::read_dir(&point).unwrap().count(), 0, "something was made there");
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let text = refusal(built("btrfs", elsewhere.path()).await);
    assert!(text.contains("is not on a btrfs file system"), "{text}");

    let Some(root) = prepared() else { return };
    let driver = open(&root).await;
    let text = refusal(built("directory", &root).await);
    assert!(text.contains("holds the objects of the driver \"btrfs\""), "{text}");

    // Bytes that are no subvolume are never taken for the share's.
    let (damaged, path) = share(&*driver).await;
    call("btrfs", &["subvolume", "delete", path.to_str().unwrap()]);
    let error = driver.ensure_share(damaged.id).await.unwrap_err();
    assert!(matches!(error, DriverError::Damaged { .. }), "{error:?}");
    fs::create_dir(&path).unwrap();
    let error = driver.ensure_share(damaged.id).await.unwrap_err();
    assert!(matches!(error, DriverError::Damaged { .. }), "{error:?}");
    driver.delete_share(damaged.id).await.unwrap();

    // A limit that somebody took away comes back.
    let (unlimited, path) = share(&*driver).await;
    call("btrfs", &["qgroup", "limit", "none", path.to_str().unwrap()]);
    driver.ensure_share(unlimited.id).await.unwrap();
    let (_, refusal) = fill(&path.join("file"), 2 * GIB);
    assert!(refusal.is_some(), "the limit is not back");
    driver.delete_share(unlimited.id).await.unwrap();

    // Subvolumes inside a share go with it, one that is mounted elsewhere stays until it is not.
    let (nested, path) = share(&*driver).await;
    call("btrfs", &["subvolume", "create", path.join("inside").to_str().unwrap()]);
    fs::write(path.join("inside/file"), "bytes").unwrap();
    driver.delete_share(nested.id).await.unwrap();
    let (mounted, path) = share(&*driver).await;
    fs::write(path.join("file"), "bytes").unwrap();
    let export = tempfile::tempdir().unwrap();
    call("mount", &["--bind", path.to_str().unwrap(), export.path().to_str().unwrap()]);
    let error = driver.delete_share(mounted.id).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(fs::read(export.path().join("file")).unwrap(), b"bytes");
    call("umount", &[export.path().to_str().unwrap()]);
    driver.delete_share(mounted.id).await.unwrap();
    assert_eq!(leftovers(&root), Vec::<String>::new());

    // Without quotas the backend is not healthy any more.
    driver.stats().await.unwrap();
    call("btrfs", &["quota", "disable", point.to_str().unwrap()]);
    driver.stats().await.unwrap_err();
}

/// The root for a backend on a second file system, in the same namespace.
fn second(first: &Path) -> PathBuf {
    let top = first.parent().and_then(Path::parent).unwrap();
    let (image, point) = (top.join("second.img"), top.join("second"));
    fs::File::create(&image).unwrap().set_len(2 * GIB).unwrap();
    fs::create_dir(&point).unwrap();
    let (image, point) = (image.to_str().unwrap(), point.to_str().unwrap());
    call("mkfs.btrfs", &["-q", image]);
    call("mount", &["-o", "loop", image, point]);
    call("btrfs", &["quota", "enable", point]);
    Path::new(point).join("backend")
}

fn checksum(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    fs::read(path).unwrap().hash(&mut hasher);
    hasher.finish()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn shares_move_with_their_snapshots() {
    let Some(root) = prepared() else { return };
    let elsewhere = second(&root);
    let (here, there) = (open(&root).await, open(&elsewhere).await);
    let (share, path) = share(&*here).await;
    // What the snapshots have in common with each other, and not with the share; and the other way.
    let (old, new) = (vec![3; 64 * MIB as usize], vec![5; 32 * MIB as usize]);
    fs::write(path.join("old"), &old).unwrap();
    let mut snapshots = Vec::new();
    for number in 0..4 {
        fs::write(path.join("file"), format!("snapshot {number}")).unwrap();
        let snapshot = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
        let snapshot = here.create_snapshot(&snapshot).await.unwrap();
        snapshots.push(MigratedSnapshot { source: (&snapshot).into(), id: Uuid::new_v4() });
    }
    fs::remove_file(path.join("old")).unwrap();
    fs::write(path.join("new"), &new).unwrap();
    let migration = Migration {
        source: here.migration_source(share.id).await.unwrap(),
        share: NewShare { id: Uuid::new_v4(), ..share.clone() },
        snapshots,
        preserve_metadata: true,
    };
    let (before, progress) = (used(&elsewhere), Arc::default());
    let coming = there.migrate(&migration, &progress);
    assert!(is_given_up(&elsewhere, coming).await, "it was here before it was seen to come");
    let migrated = there.migrate(&migration, &progress).await.unwrap();
    assert_eq!((progress.copied(), progress.compared()), (progress.total(), progress.total()));
    let grown = used(&elsewhere).saturating_sub(before);
    assert!(grown < 112 * MIB, "{grown} bytes for 96 MiB: what they share is there several times");
    let copy = PathBuf::from(&migrated.exports[0].path);
    assert_eq!(checksum(&copy.join("new")), checksum(&path.join("new")));
    assert!(!copy.join("old").exists());
    for (number, snapshot) in migrated.snapshots.iter().enumerate() {
        let kept = Path::new(&snapshot.provider_location);
        assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), format!("snapshot {number}"));
        let source = migration.snapshots[number].source.provider_location.as_deref().unwrap();
        assert_eq!(checksum(&kept.join("old")), checksum(&Path::new(source).join("old")));
        assert!(fs::write(kept.join("file"), "").is_err(), "a snapshot can be written to");
    }
    let (written, refusal) = fill(&copy.join("more"), 2 * GIB);
    assert!(refusal.is_some() && written < GIB, "it is not held to its size: {written}");
    fs::remove_file(copy.join("more")).unwrap();

    // A subvolume that somebody made inside is no reason to lose what it holds.
    call("btrfs", &["subvolume", "create", copy.join("inside").to_str().unwrap()]);
    fs::write(copy.join("inside/file"), "of a subvolume").unwrap();
    let back = Migration {
        source: there.migration_source(migration.share.id).await.unwrap(),
        share: NewShare { id: Uuid::new_v4(), ..share.clone() },
        snapshots: Vec::new(),
        preserve_metadata: true,
    };
    let again = PathBuf::from(&here.migrate(&back, &progress).await.unwrap().exports[0].path);
    assert_eq!(fs::read(again.join("inside/file")).unwrap(), b"of a subvolume");

    for (root, driver, shares) in [
        (&root, &here, vec![share.id, back.share.id]),
        (&elsewhere, &there, vec![migration.share.id]),
    ] {
        for snapshot in &migration.snapshots {
            driver.delete_snapshot(&snapshot.source).await.unwrap();
            let brought = NewSnapshot { id: snapshot.id, share_instance_id: migration.share.id };
            driver.delete_snapshot(&brought.into()).await.unwrap();
        }
        for share in shares {
            let left = fs::read_dir(root.join("shares").join(share.to_string())).unwrap();
            let left = left.map(|entry| entry.unwrap().file_name()).filter(|name| name != "data");
            assert_eq!(left.collect::<Vec<_>>(), ["record.json"]);
            driver.delete_share(share).await.unwrap();
        }
        assert_eq!(leftovers(root), Vec::<String>::new());
    }
}

/// Gives a call up when something has arrived of what it brings to this backend; false if it ended first.
async fn is_given_up<T>(root: &Path, call: impl Future<Output = T>) -> bool {
    let something_is_here = async {
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        let arrives = || {
            let mut objects = entries(&root.join("tmp"));
            objects.any(|object| {
                entries(&object.path())
                    .any(|part| part.file_name().as_encoded_bytes().starts_with(b"sent-"))
            })
        };
        while !arrives() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = something_is_here => true,
        _ = call => false,
    }
}

async fn source(driver: &dyn Driver, id: Uuid) -> ReplicaSource {
    let found = driver.get_share(id).await.unwrap().unwrap();
    ReplicaSource { id, provider_location: found.provider_location }
}

/// What a transfer left beside the bytes of a share.
fn kept_of(root: &Path, share: Uuid, prefix: &str) -> PathBuf {
    let entries = fs::read_dir(root.join("shares").join(share.to_string())).unwrap();
    let mut found = entries.map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(prefix);
    found.find(is_it).unwrap_or_else(|| panic!("no {prefix} is kept"))
}

fn used(path: &Path) -> u64 {
    rustix::fs::syncfs(fs::File::open(path).unwrap()).unwrap();
    let space = rustix::fs::statvfs(path).unwrap();
    (space.f_blocks - space.f_bfree) * space.f_frsize
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn followed_on_another_file_system() {
    let Some(root) = prepared() else { return };
    let elsewhere = second(&root);
    let (here, there) = (open(&root).await, open(&elsewhere).await);
    let (share, path) = share(&*here).await;
    fs::write(path.join("big"), vec![7; 64 * MIB as usize]).unwrap();
    fs::hard_link(path.join("big"), path.join("again")).unwrap();
    let replica = NewShare { id: Uuid::new_v4(), ..share.clone() };
    let from = source(&*here, share.id).await;
    let new = NewReplica { share: replica.clone(), source: from.clone(), generation: 1 };
    let exports = there.create_replica(&new).await.unwrap();
    let copy = Path::new(&exports[0].path);
    assert!(fs::read(copy.join("again")).unwrap() == vec![7; 64 * MIB as usize]);

    // Updates bring what changed only, also after one that was given up.
    let sync =
        |generation| SyncReplica { id: replica.id, size_gb: 1, source: from.clone(), generation };
    let before = used(&elsewhere);
    let mut given_up = 0;
    for round in 1..=4 {
        fs::write(path.join("file"), format!("round {round}")).unwrap();
        let update = sync(1);
        given_up += u32::from(is_given_up(&elsewhere, there.update_replica(&update)).await);
        there.update_replica(&sync(1)).await.unwrap();
        assert_eq!(fs::read_to_string(copy.join("file")).unwrap(), format!("round {round}"));
    }
    assert!(given_up > 0, "each was here before it was seen to come");
    let snapshot = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
    let snapshot = SnapshotRef::from(&here.create_snapshot(&snapshot).await.unwrap());
    let brought = NewSnapshot { id: Uuid::new_v4(), share_instance_id: replica.id };
    let brought = there.create_replica_snapshot(&brought, &snapshot).await.unwrap();
    let kept = Path::new(&brought.provider_location);
    assert_eq!(fs::read(kept.join("file")).unwrap(), b"round 4");
    assert!(fs::write(kept.join("file"), "").is_err(), "a snapshot can be written to");
    let grown = used(&elsewhere).saturating_sub(before);
    assert!(grown < 32 * MIB, "{grown} bytes came for a few");

    // Its size holds there too; promoted, it is followed the other way.
    assert!(there.promote_replica(&sync(2), false).await.unwrap().is_current);
    fs::write(copy.join("after"), "the promotion").unwrap();
    there.update_replica(&sync(2)).await.unwrap_err();
    let back = source(&*there, replica.id).await;
    let back = SyncReplica { id: share.id, size_gb: 1, source: back, generation: 3 };
    let before = used(&root);
    here.update_replica(&back).await.unwrap();
    assert_eq!(fs::read(path.join("after")).unwrap(), b"the promotion");
    let grown = used(&root).saturating_sub(before);
    assert!(grown < 32 * MIB, "{grown} bytes came back for a few");

    // What both sides keep goes when nobody renews it; the next update brings all.
    for name in ["base-", "sent-"] {
        let name = kept_of(&elsewhere, replica.id, name);
        let old = name.with_file_name(format!("{}-1", name.file_name().unwrap().display()));
        fs::rename(&name, &old).unwrap();
        there.sweep(&BTreeSet::new()).await.unwrap();
        assert!(!old.exists(), "{} is still there", old.display());
    }
    fs::write(copy.join("after"), "the sweep").unwrap();
    here.update_replica(&back).await.unwrap();
    assert_eq!(fs::read(path.join("after")).unwrap(), b"the sweep");
    // Damaged by hand, it is no reason to stop either.
    let base = kept_of(&root, share.id, "base-");
    call(
        "btrfs",
        &["property", "set", "-f", "-t", "subvol", base.to_str().unwrap(), "ro", "false"],
    );
    fs::remove_file(base.join("after")).unwrap();
    fs::write(copy.join("after"), "the damage").unwrap();
    here.update_replica(&back).await.unwrap();
    assert_eq!(fs::read(path.join("after")).unwrap(), b"the damage");

    // With what follows goes what was kept for it elsewhere.
    kept_of(&elsewhere, replica.id, "sent-");
    here.delete_snapshot(&snapshot).await.unwrap();
    here.delete_share(share.id).await.unwrap();
    let left = fs::read_dir(elsewhere.join("shares").join(replica.id.to_string())).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name()).filter(|name| name != "data");
    assert_eq!(left.collect::<Vec<_>>(), ["record.json"]);
    there.delete_snapshot(&SnapshotRef::from(&brought)).await.unwrap();
    for driver in [&here, &there] {
        driver.delete_share(share.id).await.unwrap();
        driver.delete_share(replica.id).await.unwrap();
        driver.sweep(&BTreeSet::new()).await.unwrap();
    }
    assert_eq!(leftovers(&root), Vec::<String>::new());
    assert_eq!(leftovers(&elsewhere), Vec::<String>::new());
}
