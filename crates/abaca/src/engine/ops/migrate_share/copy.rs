//! The first phase: the destination gets all bytes, by its driver or by the data mover.

use std::sync::Arc;

use abaca_drivers::{CopyProgress, Export, Migrated, MigratedSnapshot, Migration, SnapshotRef};
use abaca_model::{MigrationWish, ShareInstance, ShareStatus, TaskState, Timestamp};
use abaca_store::Tx;
use abaca_store::migration_work::{self, FENCE, SnapshotAt};
use abaca_store::operations::service_of;
use abaca_store::share_migrations::{self, Progress, ShareMigration};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::snapshot_work::{self, Made};

use super::plan::Plan;
use super::prepare::rules_are_in_force;
use super::{abandon, arguments, destination, mine_locked, new_share, remember};
use crate::engine::failure::{Failure, chain};
use crate::engine::ops::{create_share, export_location};
use crate::engine::run::{BETWEEN_LOOKS, Outcome, Run};

/// A snapshot at both ends.
type Pair = (SnapshotAt, SnapshotAt);

pub(super) async fn copy(
    run: &Run<'_>,
    work: &ShareWork,
    migration: &ShareMigration,
) -> Result<Outcome, Failure> {
    run.go_on_to_copy()?;
    let plan = Plan::of(migration)?;
    let mut tx = run.db().write().await?;
    let destination = destination(&mut tx, migration).await?;
    if plan.read_only {
        rules_are_in_force(&mut tx, work.id).await?;
    }
    let pairs = pairs(&mut tx, work, &destination).await?;
    if migration.state == TaskState::DataCopyingStarting {
        let (state, now) = (TaskState::DataCopyingInProgress, Timestamp::now());
        mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
        share_migrations::set_state(&mut tx, migration.share_id, state, now).await?;
    }
    tx.commit().await?;
    let progress = Arc::new(CopyProgress::default());
    let filled = async {
        if plan.read_only {
            look_at_tree(run, &plan, &destination).await?;
        }
        bytes(run, work, &destination, &plan, &pairs, &progress).await
    };
    let migrated = tokio::select! {
        migrated = filled => migrated?,
        cancelled = watch(run, migration, &progress) => {
            cancelled?;
            return abandon::cancel(run, migration).await;
        }
    };
    arrived(run, work, (migration, &plan), &pairs, migrated, &progress).await
}

/// Remembers what is in the source's tree before the first byte is copied, however often the copying
/// is begun: whatever is written later can be noticed by it.
async fn look_at_tree(
    run: &Run<'_>,
    plan: &Plan,
    destination: &ShareInstance,
) -> Result<(), Failure> {
    let Some(tree) = plan.tree.as_ref().filter(|_| plan.copied.is_none()) else { return Ok(()) };
    let driver = &run.backend(destination.host.as_deref().unwrap_or_default())?.driver;
    let found = driver.tree_state(tree).await?;
    let mut tx = run.db().write().await?;
    let migration = mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
    let mut plan = Plan::of(&migration)?;
    // Another runner may have looked meanwhile, and begun to copy.
    plan.copied = plan.copied.or(Some(found));
    remember(&mut tx, &migration, &plan).await?;
    Ok(tx.commit().await?)
}

/// The snapshots that come along, in the order of their ids at both ends.
async fn pairs(
    tx: &mut Tx,
    work: &ShareWork,
    destination: &ShareInstance,
) -> Result<Vec<Pair>, Failure> {
    let from = migration_work::snapshots_at(tx, work.id).await?;
    let to = migration_work::snapshots_at(tx, destination.id).await?;
    let pairs = to.into_iter().map(|to| {
        if to.fence != FENCE {
            return Err(snapshot_changed(&to));
        }
        let of = from.iter().find(|from| from.snapshot_id == to.snapshot_id);
        of.cloned().map(|from| (from, to)).ok_or_else(|| {
            let message = "A snapshot was deleted while it was being moved.";
            Failure::permanent(message, "a snapshot instance has no source any more")
        })
    });
    pairs.collect()
}

fn snapshot_changed(at: &SnapshotAt) -> Failure {
    let message = "An administrator changed a snapshot of the share while it was being moved.";
    Failure::permanent(message, format!("snapshot instance {} was taken over", at.id))
}

async fn bytes(
    run: &Run<'_>,
    work: &ShareWork,
    destination: &ShareInstance,
    plan: &Plan,
    pairs: &[Pair],
    progress: &Arc<CopyProgress>,
) -> Result<Migrated, Failure> {
    let driver = &run.backend(destination.host.as_deref().unwrap_or_default())?.driver;
    let share = new_share(work, destination);
    if let Some(source) = plan.source.clone().filter(|_| plan.by_driver) {
        let snapshot = |(from, to): &Pair| MigratedSnapshot {
            source: SnapshotRef {
                id: from.id.uuid(),
                share_instance_id: work.id.uuid(),
                provider_location: from.provider_location.clone(),
            },
            id: to.id.uuid(),
        };
        let snapshots = pairs.iter().map(snapshot).collect();
        let preserve_metadata = arguments(run)?.preserve_metadata;
        let migration = Migration { source, share, snapshots, preserve_metadata };
        return Ok(driver.migrate(&migration, progress).await?);
    }
    let from = plan.tree.as_ref().ok_or_else(|| {
        let message = "The share's bytes are not within the data mover's reach.";
        Failure::permanent(message, "the plan has no tree")
    })?;
    let exports = driver.fill_share(&share, from, progress).await?;
    Ok(Migrated { exports, snapshots: Vec::new() })
}

/// Writes down how far the copying is. Returns when it is to be cancelled, fails when the source or
/// the destination is somebody else's. Without the database it goes on: the lease decides how long.
async fn watch(
    run: &Run<'_>,
    migration: &ShareMigration,
    progress: &CopyProgress,
) -> Result<(), Failure> {
    let mut last = Progress::default();
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        match is_cancelled(run, migration, progress, &mut last).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Failure::Passing(error)) => {
                tracing::warn!(error = chain(&*error), "whether to go on copying is not known");
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// One look of [`watch`].
async fn is_cancelled(
    run: &Run<'_>,
    migration: &ShareMigration,
    progress: &CopyProgress,
    last: &mut Progress,
) -> Result<bool, Failure> {
    let now = reached(progress);
    if now != *last {
        let mut tx = run.db().write().await?;
        share_migrations::set_progress(&mut tx, migration, now).await?;
        run.commit_as_owner(tx).await?;
        *last = now;
    }
    create_share::load(run).await?;
    let mut tx = run.db().read().await?;
    let found = share_migrations::from_instance(&mut tx, migration.source).await?;
    let found = found.ok_or(Failure::Superseded)?;
    destination(&mut tx, &found).await?;
    Ok(found.wanted == Some(MigrationWish::Cancel))
}

fn reached(progress: &CopyProgress) -> Progress {
    let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    Progress {
        total: number(progress.total()),
        copied: number(progress.copied()),
        compared: number(progress.compared()),
    }
}

/// Records where everything is at the destination; the first phase is over.
async fn arrived(
    run: &Run<'_>,
    work: &ShareWork,
    (migration, plan): (&ShareMigration, &Plan),
    pairs: &[Pair],
    migrated: Migrated,
    progress: &CopyProgress,
) -> Result<Outcome, Failure> {
    let mountable = arguments(run)?.promised.map(|promised| promised.mount_snapshot_support);
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
    let destination = destination(&mut tx, migration).await?;
    let exports: Vec<_> = migrated.exports.into_iter().map(export_location).collect();
    share_work::record_exports(&mut tx, destination.id, &exports, now).await?;
    for ((_, to), object) in pairs.iter().zip(migrated.snapshots) {
        let found = snapshot_work::load(&mut tx, to.id).await?;
        let is_mountable = found.is_some_and(|found| found.is_mountable);
        let exports: Vec<Export> =
            if mountable.unwrap_or(is_mountable) { object.exports } else { Vec::new() };
        let made = Made {
            provider_location: object.provider_location,
            exports: exports.into_iter().map(export_location).collect(),
        };
        if !snapshot_work::made(&mut tx, to.id, FENCE, &made, None, now).await? {
            return Err(snapshot_changed(to));
        }
    }
    share_migrations::set_progress(&mut tx, migration, reached(progress)).await?;
    let state = match plan.by_driver {
        true => TaskState::MigrationDriverPhase1Done,
        false => TaskState::DataCopyingCompleted,
    };
    share_migrations::set_state(&mut tx, work.share_id, state, now).await?;
    run.advance(tx, service_of(destination.host.as_deref().unwrap_or_default())).await
}
