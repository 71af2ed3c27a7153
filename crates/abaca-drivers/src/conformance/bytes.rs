//! The bytes of snapshots and of shares made from them.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use uuid::Uuid;

use super::{Bench, Outcome, Problem, ensure, ensure_error, snapshot_of};
use crate::{DriverError, NewShare, RevertShare, SnapshotRef};

/// Long enough for several extents, and not a multiple of a block.
const LONG: usize = 3 * 1024 * 1024 + 17;

fn pattern(seed: u8) -> Vec<u8> {
    (0..LONG).map(|index| (index % 251) as u8 ^ seed).collect()
}

fn ensure_content(path: &Path, expected: &[u8]) -> Outcome {
    let mut content = Vec::new();
    File::open(path)?.read_to_end(&mut content)?;
    ensure!(content == expected, "{} has other bytes than expected", path.display());
    Ok(())
}

pub(super) async fn a_snapshot_keeps_the_bytes_of_its_moment(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    fs::create_dir(path.join("directory"))?;
    for name in ["changed", "cut", "removed", "renamed", "directory/within"] {
        fs::write(path.join(name), pattern(1))?;
    }
    let first = driver.create_snapshot(&snapshot_of(&share)).await?;

    let mut changed = OpenOptions::new().write(true).open(path.join("changed"))?;
    changed.seek(SeekFrom::Start(1_000_000))?;
    changed.write_all(b"something else")?;
    OpenOptions::new().write(true).open(path.join("cut"))?.set_len(10)?;
    fs::remove_file(path.join("removed"))?;
    fs::rename(path.join("renamed"), path.join("new name"))?;
    fs::remove_dir_all(path.join("directory"))?;
    fs::write(path.join("added"), b"added")?;
    let second = driver.create_snapshot(&snapshot_of(&share)).await?;
    driver.create_snapshot(&snapshot_again(&first)).await?;

    let Some(kept) = bench.subject.local_path(&first.provider_location) else {
        return Err(Problem("the bytes of the share can be reached, the snapshot's not".into()));
    };
    for name in ["changed", "cut", "removed", "renamed", "directory/within"] {
        ensure_content(&kept.join(name), &pattern(1))?;
    }
    ensure!(!kept.join("added").exists(), "a file added later is in the snapshot");
    let Some(later) = bench.subject.local_path(&second.provider_location) else {
        return Err(Problem("the second snapshot can't be reached".into()));
    };
    ensure_content(&later.join("added"), b"added")?;
    ensure_content(&later.join("new name"), &pattern(1))?;
    ensure!(!later.join("removed").exists(), "a file removed earlier is in the snapshot");

    driver.delete_snapshot(&SnapshotRef::from(&first)).await?;
    ensure_content(&later.join("cut"), &pattern(1)[..10])?;
    driver.delete_snapshot(&SnapshotRef::from(&second)).await?;
    ensure_content(&path.join("added"), b"added")?;
    Ok(driver.delete_share(share.id).await?)
}

fn snapshot_again(object: &crate::SnapshotObject) -> crate::NewSnapshot {
    crate::NewSnapshot { id: object.id, share_instance_id: object.share_instance_id }
}

pub(super) async fn a_share_from_a_snapshot_has_its_bytes_and_its_own_life(
    bench: &Bench<'_>,
) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    fs::write(path.join("file"), pattern(2))?;
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    fs::write(path.join("file"), b"the share went on")?;

    let copy = NewShare { id: Uuid::new_v4(), ..share.clone() };
    let reference = SnapshotRef::from(&snapshot);
    let exports = driver.create_share_from_snapshot(&copy, &reference).await?;
    let location = exports.first().map(|export| export.path.as_str()).unwrap_or_default();
    let Some(copied) = bench.subject.local_path(location) else {
        return Err(Problem("the new share can't be reached".into()));
    };
    ensure_content(&copied.join("file"), &pattern(2))?;

    // It can be written to, and a repeated create doesn't bring the old bytes back.
    OpenOptions::new().write(true).open(copied.join("file"))?.write_all(b"its own life")?;
    fs::write(copied.join("more"), b"more")?;
    driver.create_share_from_snapshot(&copy, &reference).await?;
    ensure_content(&copied.join("more"), b"more")?;
    let Some(kept) = bench.subject.local_path(&snapshot.provider_location) else {
        return Err(Problem("the snapshot can't be reached".into()));
    };
    ensure_content(&kept.join("file"), &pattern(2))?;
    ensure_content(&path.join("file"), b"the share went on")?;

    driver.delete_share(copy.id).await?;
    ensure_content(&kept.join("file"), &pattern(2))?;
    driver.delete_snapshot(&reference).await?;
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn a_reverted_share_has_the_bytes_of_its_snapshot(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    fs::create_dir(path.join("directory"))?;
    for name in ["changed", "removed", "directory/within"] {
        fs::write(path.join(name), pattern(3))?;
    }
    let first = driver.create_snapshot(&snapshot_of(&share)).await?;
    fs::write(path.join("changed"), b"something else")?;
    fs::remove_file(path.join("removed"))?;
    fs::remove_dir_all(path.join("directory"))?;
    fs::write(path.join("added"), pattern(4))?;
    let newer = driver.create_snapshot(&snapshot_of(&share)).await?;
    fs::write(path.join("later"), b"in no snapshot")?;

    let revert = |snapshot, generation| RevertShare {
        snapshot: SnapshotRef::from(snapshot),
        size_gb: 1,
        generation,
    };
    driver.revert_to_snapshot(&revert(&first, 1)).await?;
    for name in ["changed", "removed", "directory/within"] {
        ensure_content(&path.join(name), &pattern(3))?;
    }
    for name in ["added", "later"] {
        ensure!(!path.join(name).exists(), "{name}, newer than the snapshot, is in the share");
    }
    // It can be written to, and a repeated call does not take that away.
    fs::write(path.join("changed"), b"its own life")?;
    driver.revert_to_snapshot(&revert(&first, 1)).await?;
    ensure_content(&path.join("changed"), b"its own life")?;
    // Both snapshots are as they were, and the newer one can be reverted to.
    let Some(kept) = bench.subject.local_path(&first.provider_location) else {
        return Err(Problem("the snapshot can't be reached".into()));
    };
    ensure_content(&kept.join("changed"), &pattern(3))?;
    driver.revert_to_snapshot(&revert(&newer, 2)).await?;
    ensure_content(&path.join("changed"), b"something else")?;
    ensure_content(&path.join("added"), &pattern(4))?;
    ensure!(!path.join("removed").exists(), "the bytes of the first snapshot are left");

    driver.delete_snapshot(&SnapshotRef::from(&first)).await?;
    driver.delete_snapshot(&SnapshotRef::from(&newer)).await?;
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn shrinking_below_the_data_is_refused(bench: &Bench<'_>) -> Outcome {
    const MORE_THAN_ONE_GIB: u64 = (1 << 30) + (1 << 20);
    let driver = bench.open().await?;
    let free_gb = driver.stats().await?.first().map_or(0.0, |pool| pool.free_gb);
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    driver.extend_share(share.id, 3).await?;
    // A hole takes no space, so it doesn't stand in the way.
    let file = File::create(path.join("big"))?;
    file.set_len(MORE_THAN_ONE_GIB)?;
    driver.shrink_share(share.id, 2).await?;
    if free_gb > 2.0 {
        let flags = rustix::fs::FallocateFlags::empty();
        rustix::fs::fallocate(&file, flags, 0, MORE_THAN_ONE_GIB)?;
        file.sync_all()?;
        driver.shrink_share(share.id, 2).await?;
        let refused = driver.shrink_share(share.id, 1).await;
        ensure_error!(refused, DriverError::ShrinkBelowData { requested_gb: 1, .. });
        let found = driver.get_share(share.id).await?;
        ensure!(found.as_ref().is_some_and(|it| it.size_gb == 2), "found {found:?}");
        file.set_len(0)?;
        file.sync_all()?;
    }
    driver.shrink_share(share.id, 1).await?;
    Ok(driver.delete_share(share.id).await?)
}
