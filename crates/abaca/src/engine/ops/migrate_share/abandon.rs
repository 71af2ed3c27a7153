//! What ends without an arrival: the destination goes, and the source is as it was.

use abaca_model::{
    OperationKind, OperationState, ShareInstance, ShareStatus, SnapshotStatus, TaskState, Timestamp,
};
use abaca_store::access_rules::Of;
use abaca_store::access_work;
use abaca_store::migration_work::{self, FENCE};
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::{Tx, share_instances, share_work};

use super::mine_locked;
use crate::engine::arguments::Delete;
use crate::engine::failure::Failure;
use crate::engine::ops::update_access_rules;
use crate::engine::run::{Outcome, Run};

/// An administrator cancelled it.
pub(super) async fn cancel(run: &Run<'_>, migration: &ShareMigration) -> Result<Outcome, Failure> {
    tracing::info!(share_id = %migration.share_id, "the migration is cancelled");
    let mut tx = run.record().await?;
    let migration = mine_locked(run, &mut tx, ShareStatus::Available).await?;
    abandon(run, &mut tx, &migration, TaskState::MigrationCancelled).await?;
    run.end(tx, OperationState::Succeeded, None).await
}

/// Ends a migration whose share is locked. The status of the source is the caller's to set.
pub(super) async fn abandon(
    run: &Run<'_>,
    tx: &mut Tx,
    migration: &ShareMigration,
    state: TaskState,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    if let Some(id) = migration.destination {
        let destination = share_instances::get_locked(tx, id).await?;
        // One that an administrator has taken over is his.
        if let Some(destination) = destination.filter(|instance| instance.fence == FENCE) {
            retire(run, tx, &destination).await?;
        }
    }
    let (from, to) = (SnapshotStatus::Migrating, SnapshotStatus::Available);
    migration_work::change_snapshots(tx, migration.source, from, to, now).await?;
    if migration_work::cast_rules(tx, migration.source, false).await? {
        let source = share_instances::get(tx, migration.source).await?;
        let host = source.and_then(|source| source.host);
        let id = migration.source.uuid();
        update_access_rules::ask(run, tx, Of::Shares, id, host.as_deref(), now).await?;
    }
    Ok(share_migrations::end(tx, migration.share_id, state, now).await?)
}

/// An instance that is locked goes, with its snapshots. However long that takes, or if it fails, it is
/// in nobody's way: the share's access rules are no concern of it any more.
pub(super) async fn retire(
    run: &Run<'_>,
    tx: &mut Tx,
    instance: &ShareInstance,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let fence = share_instances::take_over(tx, instance, ShareStatus::Deleting, now).await?;
    // Nobody is to find it any more.
    share_work::record_exports(tx, instance.id, &[], now).await?;
    access_work::forget(tx, Of::Shares, instance.id.uuid()).await?;
    let host = instance.host.as_deref();
    for snapshot in migration_work::retire_snapshots(tx, instance.id, now).await? {
        let work = (OperationKind::DeleteSnapshot, snapshot.id.uuid(), snapshot.fence);
        run.enqueue(tx, work, host, &Delete::default()).await?;
    }
    let work = (OperationKind::DeleteShare, instance.id.uuid(), fence);
    run.enqueue(tx, work, host, &Delete { after_snapshots: true, ..Delete::default() }).await
}
