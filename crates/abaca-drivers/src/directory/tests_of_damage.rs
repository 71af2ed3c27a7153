//! Shares that are not in order, and disks that fail.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;
use uuid::Uuid;

use super::Directory;
use super::cancel::Cancel;
use super::kill_point::sick_disk;
use super::medium::{Content, Direction};
use super::objects::New;
use super::records::{Kind, ShareRecord};
use super::tests::{new_share, open};
use crate::{
    Driver as _, DriverError, NewReplica, NewShare, NewSnapshot, ReplicaSource, SyncReplica,
};

/// What is damaged, and how.
type Damage = (&'static str, fn(&Path));

/// A share with a name of its own, its directory, and where it is exported.
async fn named(driver: &Directory, root: &Path) -> (Uuid, PathBuf, String) {
    let share = NewShare { mount_point_name: Some("projects".into()), ..new_share() };
    let export = driver.create_share(&share).await.unwrap().remove(0).path;
    (share.id, root.join("shares").join(share.id.to_string()), export)
}

#[tokio::test]
async fn ensuring_finds_that_parts_of_a_share_are_missing() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let damages: [Damage; 5] = [
        ("the bytes", |share| fs::remove_dir_all(share.join("data")).unwrap()),
        ("bytes that are a file", |share| {
            fs::remove_dir_all(share.join("data")).unwrap();
            fs::write(share.join("data"), "").unwrap();
        }),
        ("bytes elsewhere", |share| {
            fs::rename(share.join("data"), share.join("moved")).unwrap();
            symlink("moved", share.join("data")).unwrap();
        }),
        ("the record", |share| fs::remove_file(share.join("record.json")).unwrap()),
        ("half the record", |share| fs::write(share.join("record.json"), "{\"size_gb\"").unwrap()),
    ];
    for (what, damage) in damages {
        let (id, share, _) = named(&driver, root.path()).await;
        driver.ensure_share(id).await.unwrap();
        damage(&share);
        let error = driver.ensure_share(id).await.unwrap_err();
        assert!(matches!(error, DriverError::Damaged { .. }), "{what}: {error:?}");
        driver.delete_share(id).await.unwrap();
        let error = driver.ensure_share(id).await.unwrap_err();
        assert!(matches!(error, DriverError::NotFound { .. }), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn ensuring_repairs_the_link_by_the_tenants_name() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let (id, share, export) = named(&driver, root.path()).await;
    fs::write(share.join("data/file"), "bytes").unwrap();
    let link = share.join("mount/projects");
    assert_eq!(Path::new(&export), link);
    let damages: [Damage; 5] = [
        ("no directory", |link| fs::remove_dir_all(link.parent().unwrap()).unwrap()),
        ("a file instead", |link| {
            fs::remove_dir_all(link.parent().unwrap()).unwrap();
            fs::write(link.parent().unwrap(), "").unwrap();
        }),
        ("no link", |link| fs::remove_file(link).unwrap()),
        ("another target", |link| {
            fs::remove_file(link).unwrap();
            symlink("/etc", link).unwrap();
        }),
        ("no link at all", |link| {
            fs::remove_file(link).unwrap();
            fs::create_dir(link).unwrap();
        }),
    ];
    for (what, damage) in damages {
        damage(&link);
        // Twice: what is in order stays as it is.
        for _ in 0..2 {
            let exports = driver.ensure_share(id).await.unwrap();
            assert_eq!(exports[0].path, export);
            assert_eq!(fs::read_link(&link).unwrap(), Path::new("../data"), "{what}");
        }
        assert_eq!(fs::read(link.join("file")).unwrap(), b"bytes", "{what}");
        assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0, "{what}");
    }
}

/// Whichever sync of a replacement fails: the old bytes are kept until the new ones are durable.
#[tokio::test]
async fn no_failed_sync_costs_the_bytes_that_are_replaced() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    let share = new_share();
    driver.create_share(&share).await.unwrap();
    let id = share.id;
    let [place, tmp] = [format!("shares/{id}"), format!("tmp/share-{id}")]
        .map(|path| root.path().join(path).join("data/file"));
    fs::write(&place, "before").unwrap();
    let from = NewSnapshot { id: Uuid::new_v4(), share_instance_id: id };
    driver.create_snapshot(&from).await.unwrap();
    let record: ShareRecord = driver.root.record(Kind::Share, id).unwrap().unwrap();
    let replace = || {
        let data = driver.root.data(Kind::Snapshot, from.id).unwrap().unwrap();
        let content = Content::CopyOf(data, Direction::Thaw);
        let (kind, record) = (Kind::Share, &record);
        let new = New { kind, id, record, content, size_gb: Some(1), mount_point_name: None };
        driver.root.replace(new, &Cancel::default())
    };
    let mut failed = 0;
    loop {
        fs::write(&place, "later").unwrap();
        sick_disk::fails_after(Some(failed));
        let replaced = replace();
        sick_disk::fails_after(None);
        if replaced.is_ok() {
            break;
        }
        let has = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| bytes == b"later");
        assert!(has(&place) || has(&tmp), "the bytes went though sync {failed} failed");
        failed += 1;
    }
    assert!(failed >= 4, "of {failed} syncs at least two are those of the exchange");
    assert_eq!(fs::read(&place).unwrap(), b"before");
    assert!(!tmp.exists());
}

#[tokio::test]
async fn what_could_not_be_found_out_of_exchanging_is_no_refusal() {
    let root = tempfile::tempdir().unwrap();
    let driver = open(root.path()).await;
    assert!(driver.root.can_exchange().unwrap());
    fs::remove_dir(root.path().join("tmp")).unwrap();
    driver.root.can_exchange().unwrap_err();
}

#[tokio::test]
async fn a_replica_is_not_promoted_past_a_source_that_is_there_and_can_not_be_read() {
    let root = tempfile::tempdir().unwrap();
    let settings = json!({ "root": root.path(), "replication_type": "readable" });
    let driver = Directory::open(settings.as_object().unwrap()).await.unwrap();
    let share = new_share();
    driver.create_share(&share).await.unwrap();
    let data = |id: Uuid| root.path().join("shares").join(id.to_string()).join("data");
    fs::write(data(share.id).join("file"), "first").unwrap();
    let provider_location = data(share.id).canonicalize().unwrap().to_str().unwrap().to_owned();
    let source = ReplicaSource { id: share.id, provider_location };
    let id = Uuid::new_v4();
    let replica = NewShare { id, ..share.clone() };
    let replica = NewReplica { share: replica, source: source.clone(), generation: 1 };
    driver.create_replica(&replica).await.unwrap();
    fs::rename(data(share.id), root.path().join("away")).unwrap();

    let sync = |generation| SyncReplica { id, size_gb: 1, source: source.clone(), generation };
    let updated = driver.update_replica(&sync(1)).await;
    // Neither missing nor damaged: that would be said of the replica.
    assert!(matches!(updated, Err(DriverError::Failed { .. })), "{updated:?}");
    let promoted = driver.promote_replica(&sync(2), false).await;
    assert!(matches!(promoted, Err(DriverError::Failed { .. })), "{promoted:?}");

    // It is as it was: it follows, once its source is back.
    fs::rename(root.path().join("away"), data(share.id)).unwrap();
    fs::write(data(share.id).join("file"), "second").unwrap();
    driver.update_replica(&sync(1)).await.unwrap();
    assert_eq!(fs::read(data(id).join("file")).unwrap(), b"second");

    // Whoever insists gets it as it is, and is told; also when he asks again.
    fs::rename(data(share.id), root.path().join("away")).unwrap();
    for may_be_stale in [true, false] {
        let promoted = driver.promote_replica(&sync(2), may_be_stale).await.unwrap();
        assert!(!promoted.is_current, "{may_be_stale}");
    }
    assert_eq!(fs::read(data(id).join("file")).unwrap(), b"second");
}
