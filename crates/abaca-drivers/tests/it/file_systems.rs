//! The directory backend on file systems of its own: with reflinks, full, with mounts inside.
//!
//! They want root ([`file_systems`] says how it is mounted); scripts/test installs mkfs.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use abaca_drivers::conformance::{file_systems, run};
use abaca_drivers::{
    Driver, DriverError, MigratedSnapshot, Migration, NewShare, NewSnapshot, RevertShare,
    SnapshotRef, build,
};
use serde_json::json;
use uuid::Uuid;

use crate::again::ensure_root;
use crate::backends::{DirectorySubject, leftovers, settings};

pub(crate) const MIB: u64 = 1 << 20;

fn run_mounted(test: &str, mount: &[&str]) {
    ensure_root();
    let top = tempfile::tempdir().unwrap();
    let ran = file_systems::run_mounted(test, mount, top.path());
    ran.unwrap_or_else(|said| panic!("{said}"));
}

pub(crate) fn run_on_image(test: &str, mkfs: &[&str]) {
    ensure_root();
    file_systems::run_on_image(test, mkfs).unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn reflinks_on_xfs() {
    run_on_image("file_systems::conformance_with_reflinks", &["mkfs.xfs", "-q", "-m", "reflink=1"]);
}

#[test]
fn reflinks_on_btrfs() {
    run_on_image("file_systems::conformance_with_reflinks", &["mkfs.btrfs", "-q"]);
}

#[test]
fn a_full_file_system() {
    let mount = ["mount", "-t", "tmpfs", "-o", "size=16m,nr_inodes=200", "none"];
    run_mounted("file_systems::full", &mount);
}

#[test]
fn a_file_system_mounted_inside_a_share() {
    let mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none"];
    run_mounted("file_systems::mounted_inside", &mount);
}

#[test]
fn a_file_system_with_other_times_and_less_room() {
    run_on_image("mover::what_the_other_file_system_can_not_hold", &["mkfs.ext4", "-q"]);
}

#[test]
fn a_file_system_without_attributes() {
    run_mounted("file_systems::snapshots_without_attributes", &["mount", "-t", "ramfs", "none"]);
}

async fn open(root: &Path) -> Arc<dyn Driver> {
    let values = json!({ "root": root, "must_be_mount_point": true });
    build("directory", &settings(values)).await.unwrap()
}

async fn share(driver: &dyn Driver) -> (NewShare, PathBuf) {
    let (id, protocol, pool) = (Uuid::new_v4(), "NFS".to_owned(), "directory".to_owned());
    let share = NewShare { id, size_gb: 1, protocol, pool, mount_point_name: None };
    let path = driver.create_share(&share).await.unwrap().remove(0).path;
    (share, path.into())
}

fn snapshot_of(share: &NewShare) -> NewSnapshot {
    NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn conformance_with_reflinks() {
    let Some(point) = file_systems::mounted() else { return };
    run(&DirectorySubject::under(&point)).await.unwrap();
    let driver = build("directory", &settings(json!({ "root": point.join("backend") }))).await;
    let driver = driver.unwrap();
    assert_eq!(driver.stats().await.unwrap()[0].extra["reflink"], true);

    // A snapshot of 256 MiB, and a share from it, take next to no space.
    let (source, path) = share(&*driver).await;
    fs::write(path.join("big"), vec![7; 256 * MIB as usize]).unwrap();
    let free = || {
        rustix::fs::syncfs(File::open(&point).unwrap()).unwrap();
        let space = rustix::fs::statvfs(&point).unwrap();
        space.f_bfree * space.f_frsize
    };
    let before = free();
    let snapshot = driver.create_snapshot(&snapshot_of(&source)).await.unwrap();
    let copy = NewShare { id: Uuid::new_v4(), ..source };
    let reference = SnapshotRef::from(&snapshot);
    driver.create_share_from_snapshot(&copy, &reference).await.unwrap();
    let taken = before.saturating_sub(free());
    assert!(taken < 32 * MIB, "{taken} bytes were taken");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn full() {
    let Some(point) = file_systems::mounted() else { return };
    let driver = open(&point).await;
    let (share, path) = share(&*driver).await;
    fs::write(path.join("ten"), vec![7; 10 * MIB as usize]).unwrap();
    let new = snapshot_of(&share);
    let error = driver.create_snapshot(&new).await.unwrap_err();
    assert!(matches!(error, DriverError::NoSpace { .. }), "{error:?}");
    assert!(driver.get_snapshot(new.id, share.id).await.unwrap().is_none());
    // The failed copy gave its space back by itself.
    let found = leftovers(&point);
    assert_eq!(found.len(), 1, "only the share is left: {found:?}");
    fs::write(path.join("ten"), "less").unwrap();
    let snapshot = driver.create_snapshot(&new).await.unwrap();

    // Opened while not even a directory can be made, it is the same backend later.
    let more = path.join("more");
    fs::create_dir(&more).unwrap();
    (0..).find(|number| File::create(more.join(number.to_string())).is_err()).unwrap();
    let reopened = open(&point).await;
    assert!(reopened.stats().await.unwrap()[0].revert_to_snapshot_support);
    let revert = |generation| RevertShare { snapshot: (&snapshot).into(), size_gb: 1, generation };
    let error = reopened.revert_to_snapshot(&revert(1)).await.unwrap_err();
    assert!(matches!(error, DriverError::NoSpace { .. }), "{error:?}");
    fs::remove_dir_all(&more).unwrap();
    reopened.revert_to_snapshot(&revert(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn mounted_inside() {
    let Some(point) = file_systems::mounted() else { return };
    let driver = open(&point).await;
    let (share, path) = share(&*driver).await;
    let inside = path.join("inside");
    fs::create_dir(&inside).unwrap();
    let call = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    };
    call("mount", &["-t", "tmpfs", "none", inside.to_str().unwrap()]);
    fs::write(inside.join("foreign"), "bytes").unwrap();
    let error = driver.create_snapshot(&snapshot_of(&share)).await.unwrap_err();
    assert!(matches!(error, DriverError::Failed { .. }), "{error:?}");
    let error = driver.delete_share(share.id).await.unwrap_err();
    assert!(matches!(error, DriverError::Failed { .. }), "{error:?}");
    let trashed = point.join(format!("trash/share-{}/data/inside", share.id));
    assert_eq!(fs::read(trashed.join("foreign")).unwrap(), b"bytes", "foreign bytes were deleted");

    call("umount", &[trashed.to_str().unwrap()]);
    driver.delete_share(share.id).await.unwrap();
    assert_eq!(leftovers(&point), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn snapshots_without_attributes() {
    let Some(point) = file_systems::mounted() else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let from = build("directory", &settings(json!({ "root": elsewhere.path() }))).await.unwrap();
    let to = open(&point).await;
    let (source, path) = share(&*from).await;
    let modes = [("file", 0o640), ("program", 0o2775), ("closed", 0o444), ("directory", 0o1777)];
    fs::create_dir(path.join("directory")).unwrap();
    for (name, mode) in modes {
        if name != "directory" {
            fs::write(path.join(name), name).unwrap();
        }
        fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let kept = from.create_snapshot(&snapshot_of(&source)).await.unwrap();
    let new = NewShare { id: Uuid::new_v4(), ..source.clone() };
    let mut migration = Migration {
        source: from.migration_source(source.id).await.unwrap(),
        share: new.clone(),
        snapshots: vec![MigratedSnapshot { source: (&kept).into(), id: Uuid::new_v4() }],
        preserve_metadata: true,
    };
    let refused = to.migrate(&migration, &Arc::default()).await.unwrap_err();
    assert!(matches!(refused, DriverError::Failed { .. }), "{refused:?}");
    migration.preserve_metadata = false;
    let migrated = to.migrate(&migration, &Arc::default()).await.unwrap();

    // Whatever is made of the snapshot can be written to by whom it was written to before.
    let snapshot = SnapshotRef::from(&migrated.snapshots[0]);
    let copy = NewShare { id: Uuid::new_v4(), ..new.clone() };
    let copy = to.create_share_from_snapshot(&copy, &snapshot).await.unwrap().remove(0).path;
    for (name, mode) in modes {
        let found = fs::metadata(Path::new(&copy).join(name)).unwrap().mode() & 0o7777;
        assert_eq!(found, mode, "{name}: {found:o}");
    }
}
