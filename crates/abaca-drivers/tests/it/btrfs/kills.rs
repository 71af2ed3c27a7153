//! Kills at every step of the driver's calls, and in the middle of what they start. They take long, and
//! belong to the stage `faults`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use super::{call, on_btrfs, open, prepared, second};
use crate::kill::{Call, kill_driver_at_every_change, kill_in_mid_stream};

#[test]
fn of_shares() {
    on_btrfs("btrfs::kills::killed_with_shares");
}

#[test]
fn of_snapshots() {
    on_btrfs("btrfs::kills::killed_with_snapshots");
}

#[test]
fn of_what_is_managed() {
    on_btrfs("btrfs::kills::killed_while_managed");
}

#[test]
fn of_copies_elsewhere() {
    on_btrfs("btrfs::kills::killed_with_copies_elsewhere");
}

#[test]
fn of_replicas_elsewhere() {
    on_btrfs("btrfs::kills::killed_with_replicas_elsewhere");
}

#[test]
fn beside_replicas_elsewhere() {
    on_btrfs("btrfs::kills::killed_beside_replicas_elsewhere");
}

#[test]
fn in_mid_stream() {
    on_btrfs("btrfs::kills::killed_in_mid_stream");
}

#[test]
fn of_the_data_mover() {
    on_btrfs("btrfs::kills::killed_while_files_come");
}

#[test]
fn of_the_data_mover_to_elsewhere() {
    on_btrfs("btrfs::kills::killed_while_files_go");
}

#[test]
fn of_replicas() {
    on_btrfs("btrfs::kills::killed_with_replicas");
}

async fn kill_at_every_change(calls: &[(Call, u64)]) {
    let Some(top) = prepared() else { return };
    assert_eq!(fs::metadata(top.parent().unwrap()).unwrap().ino(), 256, "no btrfs is mounted");
    for (call, at_least) in calls {
        kill_driver_at_every_change("btrfs", &top, None, *call, *at_least).await;
    }
    ensure_nothing_is_left(&[&top]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_with_shares() {
    let calls = [(Call::CreateShare, 8), (Call::ExtendShare, 5), (Call::DeleteShare, 5)];
    kill_at_every_change(&calls).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_with_snapshots() {
    let calls = [
        (Call::CreateSnapshot, 8),
        (Call::DeleteSnapshot, 5),
        (Call::CreateShareFromSnapshot, 8),
        (Call::RevertToSnapshot, 8),
    ];
    kill_at_every_change(&calls).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_with_replicas() {
    let calls = [
        (Call::CreateReplica, 8),
        (Call::UpdateReplica, 8),
        (Call::PromoteReplica, 8),
        (Call::BringSnapshot, 8),
        (Call::DeleteReplica, 5),
    ];
    kill_at_every_change(&calls).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_while_managed() {
    let calls = [
        (Call::ManageShare, 8),
        (Call::ImportShare, 8),
        (Call::UnmanageShare, 2),
        (Call::ManageSnapshot, 5),
        (Call::UnmanageSnapshot, 2),
    ];
    kill_at_every_change(&calls).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_with_copies_elsewhere() {
    let Some(root) = prepared() else { return };
    let elsewhere = second(&root);
    // A share that is taken over is made as a replica is, with its snapshot.
    kill_elsewhere(&root, &elsewhere, &[(Call::UpdateReplica, 16), (Call::Migrate, 16)]).await;
}

async fn kill_elsewhere(root: &Path, elsewhere: &Path, calls: &[(Call, u64)]) {
    for (call, at_least) in calls {
        let there = Some(("btrfs", elsewhere));
        kill_driver_at_every_change("btrfs", root, there, *call, *at_least).await;
    }
    ensure_nothing_is_left(&[root, elsewhere]).await;
}

/// Nothing but what was there before, with backends in these directories.
async fn ensure_nothing_is_left(roots: &[&Path]) {
    for root in roots {
        let point = root.parent().unwrap().to_str().unwrap();
        let said = |arguments: &[&str]| {
            let output = Command::new("btrfs").args(arguments).arg(point).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(said(&["subvolume", "list"]), "", "subvolumes are left in {point}");
        call("btrfs", &["filesystem", "sync", point]);
        call("btrfs", &["subvolume", "sync", point]);
        open(&root.join("last")).await.sweep(&BTreeSet::new()).await.unwrap();
        let groups = said(&["qgroup", "show", "--raw"]);
        let groups = groups.lines().filter(|line| line.starts_with("0/"));
        assert_eq!(groups.count(), 1, "qgroups are left in {point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_with_replicas_elsewhere() {
    let Some(root) = prepared() else { return };
    let elsewhere = second(&root);
    kill_elsewhere(&root, &elsewhere, &[(Call::CreateReplica, 10), (Call::PromoteReplica, 16)])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_beside_replicas_elsewhere() {
    let Some(root) = prepared() else { return };
    let elsewhere = second(&root);
    kill_elsewhere(&root, &elsewhere, &[(Call::BringSnapshot, 8), (Call::DeleteReplica, 6)]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_in_mid_stream() {
    let Some(root) = prepared() else { return };
    let elsewhere = second(&root);
    for call in [Call::CreateReplica, Call::Migrate] {
        kill_in_mid_stream(&root, &elsewhere, call).await;
    }
    ensure_nothing_is_left(&[&root, &elsewhere]).await;
}

/// The share is in directories and goes to subvolumes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_while_files_come() {
    let Some(root) = prepared() else { return };
    let (plain, there) = (root.with_file_name("plain"), Some(("btrfs", root.as_path())));
    kill_driver_at_every_change("directory", &plain, there, Call::FillShare, 30).await;
    ensure_nothing_is_left(&[&root]).await;
}

/// The other way.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started on a file system of its own"]
async fn killed_while_files_go() {
    let Some(root) = prepared() else { return };
    let plain = root.with_file_name("plain");
    let there = Some(("directory", plain.as_path()));
    kill_driver_at_every_change("btrfs", &root, there, Call::FillShare, 30).await;
    ensure_nothing_is_left(&[&root]).await;
}
