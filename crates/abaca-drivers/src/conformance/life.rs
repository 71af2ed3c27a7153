//! Shares and snapshots come, change and go, and the ground truth agrees.

use uuid::Uuid;

use super::{Bench, Outcome, ensure, ensure_error, snapshot_of};
use crate::{DriverError, NewShare, NewSnapshot, RevertShare, SnapshotRef};

pub(super) async fn capabilities_have_the_shape_of_the_api(bench: &Bench<'_>) -> Outcome {
    let stats = bench.open().await?.stats().await?;
    ensure!(!stats.is_empty(), "there is no pool");
    for pool in stats {
        let (total, free) = (pool.total_gb, pool.free_gb);
        ensure!(total >= free && free >= 0.0, "{free} GiB of {total} GiB are free");
        let json = serde_json::to_value(&pool)?;
        for key in [
            "pool_name",
            "total_capacity_gb",
            "free_capacity_gb",
            "reserved_percentage",
            "max_over_subscription_ratio",
            "thin_provisioning",
            "storage_protocol",
            "vendor_name",
            "driver_version",
            "snapshot_support",
            "create_share_from_snapshot_support",
            "revert_to_snapshot_support",
            "mount_snapshot_support",
            "mount_point_name_support",
            "dedupe",
            "compression",
            "replication_type",
            "ipv4_support",
            "ipv6_support",
        ] {
            ensure!(json.get(key).is_some(), "{key} is missing in {json}");
        }
    }
    Ok(())
}

pub(super) async fn creating_a_share_twice_is_creating_it_once(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let share = bench.new_share(&*driver).await?;
    let first = driver.create_share(&share).await?;
    ensure!(!first.is_empty(), "the share has no export");
    let again = driver.create_share(&share).await?;
    ensure!(first == again, "the second create gave {again:?}, the first {first:?}");

    // A repeated create doesn't undo what happened since.
    driver.extend_share(share.id, 3).await?;
    driver.create_share(&share).await?;
    let found = driver.get_share(share.id).await?;
    let Some(found) = found else {
        return Err(super::Problem("the share that was created is not found".to_owned()));
    };
    ensure!(found.id == share.id && found.size_gb == 3, "found {found:?}");
    ensure!(found.exports == first && found.pool == share.pool, "found {found:?}");

    driver.delete_share(share.id).await?;
    ensure!(driver.get_share(share.id).await?.is_none(), "the share is found after its deletion");
    driver.delete_share(share.id).await?;
    // The id can be used again.
    driver.create_share(&share).await?;
    ensure!(driver.get_share(share.id).await?.is_some(), "the share is not found");
    Ok(driver.delete_share(share.id).await?)
}

/// The chosen name ends the path, two shares of one name are still two, and the bytes behind the
/// path are the share's.
pub(super) async fn a_share_is_mounted_by_the_name_it_was_given(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    for odd in ["", ".", "..", "a/b", "a b", "a\0b", "ü", &"x".repeat(256)] {
        let share = bench.new_share(&*driver).await?;
        let share = NewShare { mount_point_name: Some(odd.to_owned()), ..share };
        ensure_error!(driver.create_share(&share).await, DriverError::InvalidInput { .. });
    }
    for name in ["data", "Project_1-share", &"x".repeat(255)] {
        let mut paths = Vec::new();
        let mut shares = Vec::new();
        for _ in 0..2 {
            let share = bench.new_share(&*driver).await?;
            let share = NewShare { mount_point_name: Some(name.to_owned()), ..share };
            let exports = driver.create_share(&share).await?;
            ensure!(
                driver.create_share(&share).await? == exports,
                "another path at the second time"
            );
            driver.extend_share(share.id, 2).await?;
            let found = driver.get_share(share.id).await?.map(|found| found.exports);
            ensure!(found.as_ref() == Some(&exports), "found at {found:?}, made at {exports:?}");
            let path = exports.into_iter().next().map(|export| export.path).unwrap_or_default();
            ensure!(path.ends_with(&format!("/{name}")), "{path} does not end in {name}");
            if let Some(local) = bench.subject.local_path(&path) {
                std::fs::write(local.join("file"), share.id.as_bytes())?;
            }
            paths.push(path);
            shares.push(share.id);
        }
        ensure!(paths.first() != paths.last(), "two shares at {paths:?}");
        for (path, id) in paths.iter().zip(shares) {
            if let Some(local) = bench.subject.local_path(path) {
                ensure!(std::fs::read(local.join("file"))? == id.as_bytes(), "{path} is another's");
            }
            driver.delete_share(id).await?;
        }
    }
    Ok(())
}

pub(super) async fn unknown_objects_are_absent_and_deleting_them_succeeds(
    bench: &Bench<'_>,
) -> Outcome {
    let driver = bench.open().await?;
    let (id, other) = (Uuid::new_v4(), Uuid::new_v4());
    ensure!(driver.get_share(id).await?.is_none(), "an unknown share is found");
    ensure!(driver.get_snapshot(id, other).await?.is_none(), "an unknown snapshot is found");
    for _ in 0..2 {
        driver.delete_share(id).await?;
        let unknown = SnapshotRef { id, share_instance_id: other, provider_location: None };
        driver.delete_snapshot(&unknown).await?;
    }
    ensure_error!(driver.extend_share(id, 2).await, DriverError::NotFound { .. });
    ensure_error!(driver.shrink_share(id, 1).await, DriverError::NotFound { .. });
    let snapshot = NewSnapshot { id, share_instance_id: other };
    ensure_error!(driver.create_snapshot(&snapshot).await, DriverError::NotFound { .. });
    ensure!(driver.get_snapshot(id, other).await?.is_none(), "a refused snapshot is found");
    Ok(())
}

pub(super) async fn lists_agree_with_single_queries(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let mut shares = Vec::new();
    let mut snapshots = Vec::new();
    for _ in 0..3 {
        let (share, _) = bench.share(&*driver).await?;
        for _ in 0..2 {
            snapshots.push(driver.create_snapshot(&snapshot_of(&share)).await?);
        }
        shares.push(share.id);
    }
    shares.sort();
    snapshots.sort_by_key(|snapshot| (snapshot.share_instance_id, snapshot.id));

    let listed = driver.list_shares().await?;
    let ids: Vec<_> = listed.iter().map(|share| share.id).collect();
    ensure!(ids == shares, "listed {ids:?}, created {shares:?}");
    for share in listed {
        let found = driver.get_share(share.id).await?;
        ensure!(found.as_ref() == Some(&share), "listed {share:?}, found {found:?}");
    }
    let listed = driver.list_snapshots().await?;
    ensure!(listed == snapshots, "listed {listed:?}, created {snapshots:?}");
    for snapshot in &listed {
        let found = driver.get_snapshot(snapshot.id, snapshot.share_instance_id).await?;
        ensure!(found.as_ref() == Some(snapshot), "listed {snapshot:?}, found {found:?}");
    }

    for snapshot in &snapshots {
        driver.delete_snapshot(&snapshot.into()).await?;
    }
    for share in shares {
        driver.delete_share(share).await?;
    }
    Ok(())
}

pub(super) async fn resizing_is_recorded_and_checked(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let size =
        async || Ok::<_, DriverError>(driver.get_share(share.id).await?.map(|it| it.size_gb));
    for _ in 0..2 {
        driver.extend_share(share.id, 5).await?;
        ensure!(size().await? == Some(5), "the size is not 5 after extending: {:?}", size().await?);
    }
    for _ in 0..2 {
        driver.shrink_share(share.id, 2).await?;
        ensure!(size().await? == Some(2), "the size is not 2 after shrinking: {:?}", size().await?);
    }
    ensure_error!(driver.extend_share(share.id, 1).await, DriverError::InvalidInput { .. });
    ensure_error!(driver.shrink_share(share.id, 3).await, DriverError::InvalidInput { .. });
    ensure!(size().await? == Some(2), "a refused resize changed the size: {:?}", size().await?);
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn creating_a_snapshot_twice_is_creating_it_once(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let new = snapshot_of(&share);
    let first = driver.create_snapshot(&new).await?;
    ensure!(first.id == new.id && first.share_instance_id == share.id, "created {first:?}");
    ensure!(!first.provider_location.is_empty(), "the snapshot has no provider location");
    let again = driver.create_snapshot(&new).await?;
    ensure!(first == again, "the second create gave {again:?}, the first {first:?}");
    let found = driver.get_snapshot(new.id, share.id).await?;
    ensure!(found.as_ref() == Some(&first), "created {first:?}, found {found:?}");

    for _ in 0..2 {
        driver.delete_snapshot(&SnapshotRef::from(&first)).await?;
        let found = driver.get_snapshot(new.id, share.id).await?;
        ensure!(found.is_none(), "the snapshot is found after its deletion");
    }
    ensure!(driver.get_share(share.id).await?.is_some(), "the share went with its snapshot");
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn a_snapshot_belongs_to_one_share(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let (other, _) = bench.share(&*driver).await?;
    let new = snapshot_of(&share);
    driver.create_snapshot(&new).await?;
    let wrong = NewSnapshot { id: new.id, share_instance_id: other.id };
    ensure_error!(driver.create_snapshot(&wrong).await, DriverError::InvalidInput { .. });
    let found = driver.get_snapshot(new.id, other.id).await?;
    ensure!(found.is_none(), "the snapshot is found under another share: {found:?}");
    driver.delete_snapshot(&wrong.into()).await?;
    let found = driver.get_snapshot(new.id, share.id).await?;
    ensure!(found.is_some(), "the snapshot was deleted in the name of another share");

    driver.delete_snapshot(&new.into()).await?;
    driver.delete_share(share.id).await?;
    Ok(driver.delete_share(other.id).await?)
}

pub(super) async fn a_snapshot_outlives_its_share(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    driver.delete_share(share.id).await?;
    let found = driver.get_snapshot(snapshot.id, share.id).await?;
    ensure!(found.as_ref() == Some(&snapshot), "after its share was deleted: {found:?}");
    let copy = NewShare { id: Uuid::new_v4(), ..share };
    driver.create_share_from_snapshot(&copy, &SnapshotRef::from(&snapshot)).await?;
    driver.delete_share(copy.id).await?;
    Ok(driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await?)
}

pub(super) async fn creating_from_a_snapshot_wants_the_snapshot(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    let snapshot = SnapshotRef::from(&snapshot);
    let copy = NewShare { id: Uuid::new_v4(), size_gb: 2, ..share.clone() };
    let missing = SnapshotRef { id: Uuid::new_v4(), ..snapshot.clone() };
    let refused = driver.create_share_from_snapshot(&copy, &missing).await;
    ensure_error!(refused, DriverError::NotFound { .. });
    ensure!(driver.get_share(copy.id).await?.is_none(), "a refused share is found");

    let first = driver.create_share_from_snapshot(&copy, &snapshot).await?;
    let found = driver.get_share(copy.id).await?;
    ensure!(found.as_ref().is_some_and(|it| it.size_gb == 2), "found {found:?}");
    // Repeated after the snapshot went: the share is complete, so nothing is missing.
    driver.delete_snapshot(&snapshot).await?;
    let again = driver.create_share_from_snapshot(&copy, &snapshot).await?;
    ensure!(first == again, "the second create gave {again:?}, the first {first:?}");
    driver.delete_share(copy.id).await?;
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn a_share_is_reverted_once_by_each_call(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let (other, _) = bench.share(&*driver).await?;
    let (first, newer) = (snapshot_of(&share), snapshot_of(&share));
    driver.create_snapshot(&first).await?;
    driver.create_snapshot(&newer).await?;
    driver.extend_share(share.id, 3).await?;
    let before = driver.get_share(share.id).await?;
    let revert = |snapshot, size_gb, generation| RevertShare { snapshot, size_gb, generation };
    let missing = NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id };
    let nowhere = NewSnapshot { id: first.id, share_instance_id: Uuid::new_v4() };
    for absent in [missing, nowhere] {
        let refused = driver.revert_to_snapshot(&revert(absent.into(), 1, 2)).await;
        ensure_error!(refused, DriverError::NotFound { .. });
    }
    let foreign = NewSnapshot { id: first.id, share_instance_id: other.id };
    let refused = driver.revert_to_snapshot(&revert(foreign.into(), 1, 2)).await;
    ensure_error!(refused, DriverError::InvalidInput { .. });
    let after = driver.get_share(share.id).await?;
    ensure!(before == after, "a refused revert changed {before:?} to {after:?}");

    let size =
        async || Ok::<_, DriverError>(driver.get_share(share.id).await?.map(|it| it.size_gb));
    // The calls, and the size that each leaves: a repeated one leaves all as it is.
    for (snapshot, size_gb, generation, left) in
        [(first, 1, 2, 1), (first, 7, 2, 1), (newer, 2, 4, 2), (first, 1, 5, 1)]
    {
        driver.revert_to_snapshot(&revert(snapshot.into(), size_gb, generation)).await?;
        let found = size().await?;
        ensure!(found == Some(left), "generation {generation} left {found:?}, not {left} GiB");
    }
    // Not a silent success: whoever asks for a revert that comes too late has to know.
    let late = driver.revert_to_snapshot(&revert(newer.into(), 7, 4)).await;
    ensure_error!(late, DriverError::InvalidInput { field: "generation", .. });
    ensure!(size().await? == Some(1), "a late revert had an effect");
    driver.extend_share(share.id, 4).await?;
    driver.revert_to_snapshot(&revert(first.into(), 1, 5)).await?;
    ensure!(size().await? == Some(4), "what came after the revert was undone");
    let exports = driver.get_share(share.id).await?.map(|share| share.exports);
    ensure!(exports == before.map(|share| share.exports), "other exports: {exports:?}");
    for snapshot in [first, newer] {
        let found = driver.get_snapshot(snapshot.id, share.id).await?;
        ensure!(found.is_some(), "a snapshot went with the revert");
        driver.delete_snapshot(&snapshot.into()).await?;
    }
    // Repeated after the snapshot went: it has happened, so nothing is missing.
    driver.revert_to_snapshot(&revert(first.into(), 1, 5)).await?;
    driver.delete_share(other.id).await?;
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn ensuring_a_share_gives_its_exports(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    ensure_error!(driver.ensure_share(Uuid::new_v4()).await, DriverError::NotFound { .. });
    let share = bench.new_share(&*driver).await?;
    let exports = driver.create_share(&share).await?;
    for _ in 0..2 {
        let ensured = driver.ensure_share(share.id).await?;
        ensure!(ensured == exports, "ensured {ensured:?}, created {exports:?}");
    }
    driver.delete_share(share.id).await?;
    ensure_error!(driver.ensure_share(share.id).await, DriverError::NotFound { .. });
    Ok(())
}

pub(super) async fn an_unknown_pool_is_refused(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let mut share = bench.new_share(&*driver).await?;
    share.pool.push_str("-unknown");
    ensure_error!(driver.create_share(&share).await, DriverError::NotFound { .. });
    ensure!(driver.get_share(share.id).await?.is_none(), "a refused share is found");
    Ok(())
}

pub(super) async fn a_restart_forgets_nothing(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    driver.extend_share(share.id, 4).await?;
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    let before = driver.get_share(share.id).await?;
    drop(driver);

    let driver = bench.open().await?;
    let after = driver.get_share(share.id).await?;
    ensure!(before.is_some() && after == before, "before {before:?}, after {after:?}");
    let found = driver.get_snapshot(snapshot.id, share.id).await?;
    ensure!(found.as_ref() == Some(&snapshot), "before {snapshot:?}, after {found:?}");
    driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await?;
    Ok(driver.delete_share(share.id).await?)
}
