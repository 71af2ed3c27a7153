use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::locks::{FileGuards, Hold, Wanted};
use super::{Directory, NAME};
use crate::{
    AccessList, AccessTarget, BuildError, Driver, DriverError, NewShare, NewSnapshot, Settings,
    SettingsError, SweepReport, check,
};

fn settings(root: &Path) -> Settings {
    json!({ "root": root }).as_object().unwrap().clone()
}

pub(super) async fn open(root: &Path) -> Directory {
    Directory::open(&settings(root)).await.unwrap()
}

pub(super) fn new_share() -> NewShare {
    NewShare {
        id: Uuid::new_v4(),
        size_gb: 1,
        protocol: "NFS".into(),
        pool: "directory".into(),
        mount_point_name: None,
    }
}

fn refusal(result: Result<Directory, BuildError>) -> String {
    match result {
        Err(BuildError::Open(error @ DriverError::InvalidInput { field: "root", .. })) => {
            error.to_string()
        }
        other => panic!("expected the root to be refused, got {other:?}"),
    }
}

#[tokio::test]
async fn a_directory_of_something_else_is_refused_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), "").unwrap();
    let text = refusal(Directory::open(&settings(root.path())).await);
    assert!(text.contains("thesis.tex"), "{text}");
    let entries: Vec<_> = fs::read_dir(root.path()).unwrap().collect();
    assert_eq!(entries.len(), 1, "something was made in it: {entries:?}");
}

#[tokio::test]
async fn absent_empty_and_known_directories_are_taken() {
    let top = tempfile::tempdir().unwrap();
    let absent = top.path().join("not/there/yet");
    open(&absent).await;
    let mark = fs::read(absent.join(".abaca")).unwrap();
    // What a crash while the mark is written leaves doesn't make it a foreign directory.
    let fresh = top.path().join("fresh");
    fs::create_dir_all(fresh.join("lost+found")).unwrap();
    fs::write(fresh.join(".abaca.0b6c2a9e"), "{").unwrap();
    open(&fresh).await;

    open(&absent).await;
    assert_eq!(fs::read(absent.join(".abaca")).unwrap(), mark, "the mark changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_agree_on_one_mark() {
    let top = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let root = top.path().join(round.to_string());
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let settings = settings(&root);
            opening.spawn(async move { Directory::open(&settings).await });
        }
        while let Some(opened) = opening.join_next().await {
            opened.unwrap().unwrap();
        }
        let entries = fs::read_dir(&root).unwrap().count();
        assert_eq!(entries, 7, "the mark and six parts were expected");
    }
}

#[tokio::test]
async fn a_later_format_is_refused() {
    let root = tempfile::tempdir().unwrap();
    open(root.path()).await;
    let mark = json!({ "format": 2, "id": Uuid::new_v4() }).to_string();
    fs::write(root.path().join(".abaca"), mark).unwrap();
    let text = refusal(Directory::open(&settings(root.path())).await);
    assert!(text.contains("format 2"), "{text}");
}

#[tokio::test]
async fn what_is_not_a_mount_point_is_refused_when_it_must_be_one() {
    let root = tempfile::tempdir().unwrap();
    let settings = json!({ "root": root.path(), "must_be_mount_point": true });
    let text = refusal(Directory::open(settings.as_object().unwrap()).await);
    assert!(text.contains("is not a mount point"), "{text}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "something was made in it");
}

#[tokio::test]
async fn a_root_that_went_away_shows_in_the_stats() {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().join("root");
    let driver = open(&root).await;
    driver.stats().await.unwrap();
    fs::rename(&root, top.path().join("elsewhere")).unwrap();
    driver.stats().await.unwrap_err();
    // Another directory in its place is not the one that holds the shares.
    fs::create_dir(&root).unwrap();
    driver.stats().await.unwrap_err();
}

#[tokio::test]
async fn a_call_waits_only_a_few_seconds_for_another_on_its_object() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let share = new_share();
    driver.create_share(&share).await.unwrap();
    let mut wanted = [Wanted::object(share.id, Hold::Shared)];
    let copied = driver.locks.acquire(&mut wanted).await.unwrap();
    let error = driver.delete_share(share.id).await.unwrap_err();
    assert!(matches!(error, DriverError::Busy { .. }), "{error:?}");
    // What only needs it to stay goes on beside it.
    let snapshot = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
    driver.create_snapshot(&snapshot).await.unwrap();
    drop(copied);
    driver.delete_share(share.id).await.unwrap();
}

#[tokio::test]
async fn copies_leave_room_for_what_does_not_take_long() {
    let root = tempfile::tempdir().unwrap();
    let directory = Arc::new(open(root.path()).await);
    let share = new_share();
    directory.create_share(&share).await.unwrap();
    // As if as many were copying as may.
    let places = u32::try_from(directory.own_copies.available_permits()).unwrap();
    let copies = Arc::clone(&directory.own_copies).acquire_many_owned(places).await.unwrap();
    let snapshot = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
    let coming = Arc::clone(&directory);
    let coming = tokio::spawn(async move { coming.create_snapshot(&snapshot).await });
    let access = AccessList { generation: 1, rules: Vec::new() };
    directory.apply_access(AccessTarget::Share(share.id), &access).await.unwrap();
    directory.extend_share(share.id, 2).await.unwrap();
    assert!(!coming.is_finished());
    drop(copies);
    coming.await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_is_made_while_the_path_leads_elsewhere() {
    let top = tempfile::tempdir().unwrap();
    let (root, elsewhere) = (top.path().join("root"), top.path().join("elsewhere"));
    let driver = open(&root).await;
    let source = new_share();
    driver.create_share(&source).await.unwrap();
    let snapshot = NewSnapshot { id: Uuid::new_v4(), share_instance_id: source.id };
    fs::rename(&root, &elsewhere).unwrap();
    fs::create_dir(top.path().join("other")).unwrap();
    std::os::unix::fs::symlink(top.path().join("other"), &root).unwrap();
    let error = driver.create_snapshot(&snapshot).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    driver.create_share(&new_share()).await.unwrap_err();
    assert_eq!(fs::read_dir(top.path().join("other")).unwrap().count(), 0);
    // It goes on when the directory is back.
    fs::remove_file(&root).unwrap();
    fs::rename(&elsewhere, &root).unwrap();
    let made = driver.create_snapshot(&snapshot).await.unwrap();
    assert!(Path::new(&made.provider_location).is_dir(), "{made:?}");
}

#[tokio::test]
async fn capacity_is_that_of_the_file_system() {
    let root = tempfile::tempdir().unwrap();
    let stats = open(root.path()).await.stats().await.unwrap();
    let space = rustix::fs::statvfs(root.path()).unwrap();
    let total = (space.f_blocks * space.f_frsize) as f64 / f64::from(1 << 30);
    assert_eq!(stats[0].total_gb, total);
    assert!(stats[0].free_gb > 0.0 && stats[0].free_gb < total, "{stats:?}");
}

#[tokio::test]
async fn an_object_of_another_process_is_busy() {
    let root = tempfile::tempdir().unwrap();
    let (driver, other) = (open(root.path()).await, open(root.path()).await);
    let share = new_share();
    driver.create_share(&share).await.unwrap();
    let wanted = [Wanted::object(share.id, Hold::Shared)];
    let held = FileGuards::acquire(other.root.locks.as_fd(), &wanted).unwrap();
    // Held together with others: it may be read from, not be removed.
    let snapshot = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
    driver.create_snapshot(&snapshot).await.unwrap();
    let error = driver.delete_share(share.id).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(driver.get_share(share.id).await.unwrap().is_some());
    drop(held);
    driver.delete_share(share.id).await.unwrap();
}

#[tokio::test]
async fn a_sweep_removes_what_nobody_holds() {
    let root = tempfile::tempdir().unwrap();
    let (driver, other) = (open(root.path()).await, open(root.path()).await);
    let outside = tempfile::tempdir().unwrap();
    let (dead, alive, resumed) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for name in [
        format!("tmp/snapshot-{dead}/data"),
        format!("trash/share-{dead}/data"),
        format!("tmp/share-{alive}/data"),
        format!("tmp/share-{resumed}/data"),
        format!("trash/share-{resumed}/data"),
        "tmp/what is this".to_owned(),
    ] {
        fs::create_dir_all(root.path().join(name)).unwrap();
    }
    symlink(outside.path(), root.path().join(format!("trash/snapshot-{dead}"))).unwrap();
    fs::write(root.path().join(format!("tmp/record-{dead}")), "{").unwrap();
    fs::write(root.path().join(format!("locks/{dead}")), "").unwrap();
    let wanted = [Wanted::object(alive, Hold::Alone)];
    let held = FileGuards::acquire(other.root.locks.as_fd(), &wanted).unwrap();

    let to_resume = BTreeSet::from([resumed]);
    let report = driver.sweep(&to_resume).await.unwrap();
    assert_eq!(report, SweepReport { removed: 5, busy: 1 });
    assert!(root.path().join(format!("tmp/share-{resumed}/data")).exists());
    assert!(root.path().join(format!("tmp/share-{alive}/data")).exists());
    assert!(root.path().join("tmp/what is this").exists());
    assert!(outside.path().exists());
    drop(held);
    let report = driver.sweep(&BTreeSet::new()).await.unwrap();
    assert_eq!(report, SweepReport { removed: 2, busy: 0 });
    assert_eq!(fs::read_dir(root.path().join("locks")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_damaged_record_is_an_error_and_can_be_deleted() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let share = new_share();
    driver.create_share(&share).await.unwrap();
    fs::write(root.path().join(format!("shares/{}/record.json", share.id)), "{").unwrap();
    driver.get_share(share.id).await.unwrap_err();
    driver.list_shares().await.unwrap_err();
    driver.create_share(&share).await.unwrap_err();
    driver.delete_share(share.id).await.unwrap();
    assert!(driver.get_share(share.id).await.unwrap().is_none());
}

#[tokio::test]
async fn entries_that_are_no_ids_are_not_shares() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let upper_case = Uuid::new_v4().to_string().to_uppercase();
    for name in ["lost+found", &upper_case] {
        fs::create_dir(root.path().join("shares").join(name)).unwrap();
    }
    assert_eq!(driver.list_shares().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_a_share_that_is_written_to_succeed() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let share = new_share();
    let path = driver.create_share(&share).await.unwrap().remove(0).path;
    let writing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let writer = std::thread::spawn({
        let (path, writing) = (path.clone(), std::sync::Arc::clone(&writing));
        move || churn(Path::new(&path), &writing)
    });
    for _ in 0..30 {
        let new = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
        let snapshot = driver.create_snapshot(&new).await.unwrap();
        // What nobody touches is there; what is replaced by a rename is whole.
        let kept = Path::new(&snapshot.provider_location);
        if let Ok(replaced) = fs::read(kept.join("replaced")) {
            assert!(replaced.len() == 100_000, "{} bytes", replaced.len());
            assert!(replaced.iter().all(|byte| *byte == replaced[0]), "a torn file");
        }
    }
    writing.store(false, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_meanwhile_is_copied_again() {
    const SIZE: usize = 64 << 20;
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let share = new_share();
    let path = Path::new(&driver.create_share(&share).await.unwrap()[0].path).join("file");
    for round in 1..=3_u8 {
        fs::write(&path, vec![0; SIZE]).unwrap();
        let new = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
        let half_made = root.path().join(format!("tmp/snapshot-{}/data/file", new.id));
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                let started = || fs::metadata(&half_made).is_ok_and(|found| found.len() > 0);
                while !started() {
                    std::thread::yield_now();
                }
                let file = fs::OpenOptions::new().write(true).open(path).unwrap();
                for at in [SIZE as u64 - 1, 0] {
                    file.write_at(&[round], at).unwrap();
                }
            }
        });
        let snapshot = driver.create_snapshot(&new).await.unwrap();
        writer.join().unwrap();
        let kept = fs::read(Path::new(&snapshot.provider_location).join("file")).unwrap();
        let ends = (kept[0], kept[SIZE - 1]);
        assert!(ends == (0, 0) || ends == (round, round), "a torn file: {ends:?}");
        driver.delete_snapshot(&new.into()).await.unwrap();
    }
}

/// Makes, renames, replaces and removes entries until it is told to stop.
fn churn(top: &Path, go_on: &std::sync::atomic::AtomicBool) {
    let mut round = 0_u64;
    while go_on.load(std::sync::atomic::Ordering::Relaxed) {
        round += 1;
        let name = |what: &str| top.join(format!("{what}-{}", round % 7));
        fs::write(top.join("new"), vec![round as u8; 100_000]).unwrap();
        fs::rename(top.join("new"), top.join("replaced")).unwrap();
        fs::create_dir_all(name("directory").join("within")).unwrap();
        fs::write(name("directory").join("within/file"), "bytes").unwrap();
        let _ = fs::remove_dir_all(name("moved"));
        fs::rename(name("directory"), name("moved")).unwrap();
        let _ = fs::remove_file(name("entry"));
        if round.is_multiple_of(2) {
            symlink("replaced", name("entry")).unwrap();
        } else {
            fs::write(name("entry"), "bytes").unwrap();
        }
    }
}

#[test]
fn wrong_settings_name_the_key() {
    let problem = |value: serde_json::Value| check(NAME, value.as_object().unwrap()).unwrap_err();
    let missing = problem(json!({}));
    assert!(matches!(&missing, SettingsError::MissingKey { key, .. } if key == "root"));
    let unknown = problem(json!({ "root": "/x", "reserved_percent": 5 }));
    let text = unknown.to_string();
    assert!(text.contains("did you mean \"reserved_percentage\"?"), "{text}");
    for (key, value) in [
        ("reserved_percentage", json!(101)),
        ("max_over_subscription_ratio", json!(0.5)),
        ("max_concurrent_operations", json!(0)),
        ("pool", json!("a#b")),
        ("must_be_mount_point", json!("yes")),
        ("root", json!("")),
    ] {
        let mut settings = settings(Path::new("/x"));
        settings.insert(key.to_owned(), value);
        assert_eq!(check(NAME, &settings).unwrap_err().key(), key);
    }
}
