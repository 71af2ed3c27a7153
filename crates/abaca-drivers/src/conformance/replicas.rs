//! Replicas, for backends that have some. Source and replica are in the one backend here.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use super::{Bench, Outcome, Problem, ensure, ensure_error, snapshot_of};
use crate::{
    Driver, DriverError, NewReplica, NewShare, NewSnapshot, ReplicaSource, RevertShare,
    SnapshotRef, SyncReplica,
};

/// A share and a replica of it that follows generation 1.
struct Pair {
    driver: Arc<dyn Driver>,
    source: NewShare,
    replica: NewReplica,
    /// Where the files of both are, if they can be reached.
    paths: Option<(PathBuf, PathBuf)>,
}

impl Pair {
    /// `None` where there are no replicas; then they are refused.
    async fn new(bench: &Bench<'_>) -> Result<Option<Self>, Problem> {
        let driver = bench.open().await?;
        let (source, path) = bench.share(&*driver).await?;
        if let Some(path) = &path {
            fs::write(path.join("file"), "first")?;
        }
        let replica = NewReplica {
            share: NewShare { id: Uuid::new_v4(), ..source.clone() },
            source: whereabouts(&*driver, source.id).await?,
            generation: 1,
        };
        let has_replicas = driver.stats().await?.iter().any(|pool| pool.replication_type.is_some());
        if !has_replicas {
            let refused = driver.create_replica(&replica).await;
            ensure_none(matches!(refused, Err(DriverError::Unsupported { .. })))?;
            driver.delete_share(source.id).await?;
            return Ok(None);
        }
        let exports = driver.create_replica(&replica).await?;
        let export = exports.first().and_then(|export| bench.subject.local_path(&export.path));
        Ok(Some(Self { driver, source, replica, paths: path.zip(export) }))
    }

    async fn sync(&self, id: Uuid, source: Uuid, generation: u64) -> Result<SyncReplica, Problem> {
        let source = whereabouts(&*self.driver, source).await?;
        Ok(SyncReplica { id, size_gb: 1, source, generation })
    }

    async fn delete(&self) -> Outcome {
        self.driver.delete_share(self.replica.share.id).await?;
        Ok(self.driver.delete_share(self.source.id).await?)
    }
}

fn ensure_none(refused: bool) -> Outcome {
    ensure!(refused, "a replica is made, but the stats tell of none");
    Ok(())
}

async fn whereabouts(driver: &dyn Driver, id: Uuid) -> Result<ReplicaSource, Problem> {
    let share = driver.get_share(id).await?;
    let share = share.ok_or_else(|| Problem(format!("share {id} is not found")))?;
    Ok(ReplicaSource { id, provider_location: share.provider_location })
}

pub(super) async fn a_replica_follows_its_source(bench: &Bench<'_>) -> Outcome {
    let Some(pair) = Pair::new(bench).await? else { return Ok(()) };
    let (driver, id) = (&pair.driver, pair.replica.share.id);
    let exports = driver.get_share(id).await?.map(|share| share.exports);
    if let Some((source, replica)) = &pair.paths {
        ensure!(fs::read(replica.join("file"))? == b"first", "the replica has other bytes");
        fs::remove_file(source.join("file"))?;
        fs::write(source.join("second"), "second")?;
    }
    driver.create_replica(&pair.replica).await?;
    if let Some((_, replica)) = &pair.paths {
        ensure!(replica.join("file").exists(), "a repeated create is no update");
    }
    let sync = SyncReplica { size_gb: 2, ..pair.sync(id, pair.source.id, 1).await? };
    for _ in 0..2 {
        driver.update_replica(&sync).await?;
        let found = driver.get_share(id).await?;
        ensure!(found.as_ref().is_some_and(|found| found.size_gb == 2), "found {found:?}");
        ensure!(found.map(|share| share.exports) == exports, "the exports changed");
        if let Some((source, replica)) = &pair.paths {
            ensure!(fs::read(replica.join("second"))? == b"second", "not up to date");
            ensure!(!replica.join("file").exists(), "what was removed is still there");
            ensure!(source.join("second").exists(), "the source changed");
        }
    }
    let nobody = pair.sync(Uuid::new_v4(), pair.source.id, 1).await?;
    ensure_error!(driver.update_replica(&nobody).await, DriverError::NotFound { .. });
    ensure_error!(driver.promote_replica(&nobody, false).await, DriverError::NotFound { .. });
    pair.delete().await
}

pub(super) async fn a_promoted_share_is_not_overwritten_by_late_updates(
    bench: &Bench<'_>,
) -> Outcome {
    let Some(pair) = Pair::new(bench).await? else { return Ok(()) };
    let (driver, old, new) = (&pair.driver, pair.source.id, pair.replica.share.id);
    if let Some((source, _)) = &pair.paths {
        fs::write(source.join("last"), "written before the promotion")?;
    }
    let promotion = pair.sync(new, old, 2).await?;
    let promoted = driver.promote_replica(&promotion, false).await?;
    ensure!(promoted.is_current, "the last update came to nothing");
    if let Some((_, replica)) = &pair.paths {
        ensure!(replica.join("last").exists(), "what was written last is lost");
        fs::write(replica.join("after"), "written after it")?;
    }
    ensure!(driver.promote_replica(&promotion, false).await? == promoted, "another answer");
    for late in [1, 2] {
        let late = pair.sync(new, old, late).await?;
        ensure_error!(driver.update_replica(&late).await, DriverError::InvalidInput { .. });
    }
    let late = pair.sync(new, old, 1).await?;
    ensure_error!(driver.promote_replica(&late, false).await, DriverError::InvalidInput { .. });
    if let Some((_, replica)) = &pair.paths {
        ensure!(replica.join("after").exists(), "a late call undid what was written");
    }
    // The other one follows now.
    driver.update_replica(&pair.sync(old, new, 2).await?).await?;
    if let Some((source, _)) = &pair.paths {
        ensure!(source.join("after").exists(), "the former active share does not follow");
    }
    // And back.
    driver.promote_replica(&pair.sync(old, new, 3).await?, false).await?;
    driver.update_replica(&pair.sync(new, old, 4).await?).await?;
    pair.delete().await
}

pub(super) async fn a_replica_is_promoted_without_its_source(bench: &Bench<'_>) -> Outcome {
    let Some(pair) = Pair::new(bench).await? else { return Ok(()) };
    let (driver, new) = (&pair.driver, pair.replica.share.id);
    // The source was extended since the replica's last update.
    let promotion = SyncReplica { size_gb: 2, ..pair.sync(new, pair.source.id, 2).await? };
    let update = pair.sync(new, pair.source.id, 1).await;
    driver.delete_share(pair.source.id).await?;
    // What is missing is named: a source may come back, a replica is made anew.
    let gone = driver.update_replica(&update?).await;
    let source = pair.source.id.to_string();
    let is_named = matches!(&gone, Err(DriverError::NotFound { id, .. }) if *id == source);
    ensure!(pair.paths.is_none() || is_named, "without a source it says {gone:?}");
    for again in [false, true] {
        let promoted = driver.promote_replica(&promotion, false).await?;
        let found = driver.get_share(new).await?;
        ensure!(found.as_ref().is_some_and(|found| found.size_gb == 2), "found {found:?}");
        if let Some((_, replica)) = &pair.paths {
            ensure!(!promoted.is_current, "nobody knows what was written last; again: {again}");
            ensure!(fs::read(replica.join("file"))? == b"first", "the bytes are lost");
        }
    }
    ensure_error!(
        driver.update_replica(&promotion).await,
        DriverError::InvalidInput { .. } | DriverError::NotFound { .. }
    );
    pair.delete().await
}

pub(super) async fn a_snapshot_is_brought_over(bench: &Bench<'_>) -> Outcome {
    let Some(pair) = Pair::new(bench).await? else { return Ok(()) };
    let (driver, id) = (&pair.driver, pair.replica.share.id);
    let source = SnapshotRef::from(&driver.create_snapshot(&snapshot_of(&pair.source)).await?);
    if let Some((path, _)) = &pair.paths {
        fs::write(path.join("file"), "changed")?;
    }
    driver.update_replica(&pair.sync(id, pair.source.id, 1).await?).await?;
    let new = NewSnapshot { id: Uuid::new_v4(), share_instance_id: id };
    let brought = driver.create_replica_snapshot(&new, &source).await?;
    ensure!(brought.id == new.id && brought.share_instance_id == id, "brought {brought:?}");
    driver.delete_snapshot(&source).await?;
    let again = driver.create_replica_snapshot(&new, &source).await?;
    ensure!(again == brought, "the second call gave {again:?}");
    if let Some(kept) = bench.subject.local_path(&brought.provider_location) {
        ensure!(fs::read(kept.join("file"))? == b"first", "the snapshot has other bytes");
        let missing = NewSnapshot { id: Uuid::new_v4(), ..new };
        ensure_error!(
            driver.create_replica_snapshot(&missing, &source).await,
            DriverError::NotFound { .. }
        );
    }
    // It is a snapshot like any other.
    driver.promote_replica(&pair.sync(id, pair.source.id, 2).await?, false).await?;
    let snapshot = SnapshotRef::from(&brought);
    let revert = RevertShare { snapshot: snapshot.clone(), size_gb: 1, generation: 1 };
    driver.revert_to_snapshot(&revert).await?;
    if let Some((_, replica)) = &pair.paths {
        ensure!(fs::read(replica.join("file"))? == b"first", "not reverted");
    }
    driver.delete_snapshot(&snapshot).await?;
    pair.delete().await
}
