//! Calls at the same time, calls that are given up, and sweeps beside them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::JoinSet;

use super::{Bench, Outcome, Problem, ensure, snapshot_of};
use crate::{Driver, DriverError, NewSnapshot, SnapshotRef};

const AT_ONCE: usize = 8;
const FILES: usize = 100;
const ROUNDS: usize = 4;

pub(super) async fn equal_calls_at_once_agree(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let share = bench.new_share(&*driver).await?;
    let mut calls = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (driver, share) = (Arc::clone(&driver), share.clone());
        calls.spawn(async move { driver.create_share(&share).await });
    }
    let mut exports = Vec::new();
    while let Some(call) = calls.join_next().await {
        exports.push(call??);
    }
    exports.dedup();
    ensure!(exports.len() == 1, "equal calls gave different answers: {exports:?}");

    let new = snapshot_of(&share);
    let mut calls = JoinSet::new();
    for _ in 0..AT_ONCE {
        let driver = Arc::clone(&driver);
        calls.spawn(async move { driver.create_snapshot(&new).await });
    }
    let mut snapshots = Vec::new();
    while let Some(call) = calls.join_next().await {
        snapshots.push(call??);
    }
    snapshots.dedup();
    ensure!(snapshots.len() == 1, "equal calls gave different answers: {snapshots:?}");
    driver.delete_snapshot(&new.into()).await?;
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn creates_and_deletes_at_once_end_in_one_state(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let share = bench.new_share(&*driver).await?;
    for _ in 0..AT_ONCE {
        let (_, _, created) = tokio::join!(
            driver.delete_share(share.id),
            driver.delete_share(share.id),
            driver.create_share(&share),
        );
        created?;
        let found = driver.get_share(share.id).await?;
        let listed = driver.list_shares().await?;
        let is_listed = listed.iter().any(|listed| listed.id == share.id);
        ensure!(found.is_some() == is_listed, "found {found:?}, listed {listed:?}");
    }
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn many_objects_at_once(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let mut calls = JoinSet::new();
    for _ in 0..4 * AT_ONCE {
        let (driver, new) = (Arc::clone(&driver), snapshot_of(&share));
        calls.spawn(async move { driver.create_snapshot(&new).await });
    }
    let mut snapshots = Vec::new();
    while let Some(call) = calls.join_next().await {
        snapshots.push(call??);
    }
    let listed = driver.list_snapshots().await?.len();
    ensure!(listed == snapshots.len(), "{} were created, {listed} listed", snapshots.len());

    let mut calls = JoinSet::new();
    for snapshot in snapshots {
        let driver = Arc::clone(&driver);
        calls.spawn(async move { driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await });
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn a_dropped_call_can_be_repeated(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, path) = bench.share(&*driver).await?;
    plant(path.as_deref())?;
    let new = snapshot_of(&share);
    for polls in 1..4 {
        give_up_after(polls, driver.create_snapshot(&new)).await;
        driver.create_snapshot(&new).await?;
        complete(bench, &*driver, &new).await?;
        give_up_after(polls, driver.delete_snapshot(&new.into())).await;
        driver.delete_snapshot(&new.into()).await?;
        let found = driver.get_snapshot(new.id, share.id).await?;
        ensure!(found.is_none(), "found after its deletion: {found:?}");
    }
    give_up_after(1, driver.delete_share(share.id)).await;
    Ok(driver.delete_share(share.id).await?)
}

async fn complete(bench: &Bench<'_>, driver: &dyn Driver, new: &NewSnapshot) -> Outcome {
    let found = driver.get_snapshot(new.id, new.share_instance_id).await?;
    let Some(found) = found else {
        return Err(Problem("the snapshot that was created is not found".to_owned()));
    };
    let Some(path) = bench.subject.local_path(&found.provider_location) else { return Ok(()) };
    let files = std::fs::read_dir(path)?.count();
    ensure!(files == FILES, "the snapshot holds {files} of {FILES} files");
    Ok(())
}

/// Polls a call so many times, then drops it.
async fn give_up_after<T>(polls: u32, call: impl Future<Output = T>) {
    let mut call = Box::pin(call);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
        if polled.await.is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn a_sweep_beside_running_calls_harms_nothing(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    // Another process of the service, with locks of its own.
    let other = bench.open().await?;
    let (share, path) = bench.share(&*driver).await?;
    plant(path.as_deref())?;
    let nothing = BTreeSet::new();
    for _ in 0..ROUNDS {
        let new = snapshot_of(&share);
        let (created, _, _) = tokio::join!(
            driver.create_snapshot(&new),
            driver.sweep(&nothing),
            other.sweep(&nothing)
        );
        // A sweep may hold the lock of another process's call for a moment.
        match created {
            Err(error) if error.is_transient() => driver.create_snapshot(&new).await?,
            other => other?,
        };
        complete(bench, &*driver, &new).await?;
        driver.delete_snapshot(&new.into()).await?;
    }
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn a_snapshot_beside_the_deletion_of_its_share_is_whole_or_refused(
    bench: &Bench<'_>,
) -> Outcome {
    let driver = bench.open().await?;
    for round in 0..ROUNDS {
        let (share, path) = bench.share(&*driver).await?;
        plant(path.as_deref())?;
        let new = snapshot_of(&share);
        let delete = async {
            // A little later each time, so that the snapshot gets further.
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            driver.delete_share(share.id).await
        };
        let (created, deleted) = tokio::join!(driver.create_snapshot(&new), delete);
        deleted?;
        match created {
            Ok(_) => complete(bench, &*driver, &new).await?,
            Err(DriverError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        driver.delete_snapshot(&new.into()).await?;
    }
    Ok(())
}

/// Enough files that a copy of them takes a while.
fn plant(share: Option<&Path>) -> std::io::Result<()> {
    let Some(share) = share else { return Ok(()) };
    for number in 0..FILES {
        std::fs::write(share.join(format!("file-{number}")), b"some bytes")?;
    }
    Ok(())
}
