//! The second phase: the destination takes the source's place.

use abaca_model::{
    MigrationWish, OperationState, ShareInstance, ShareStatus, TaskState, Timestamp,
};
use abaca_store::access_rules::Of;
use abaca_store::operations::service_of;
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::share_work::ShareWork;
use abaca_store::{migration_work, share_instances};

use super::abandon::retire;
use super::plan::Plan;
use super::prepare::rules_are_in_force;
use super::{arguments, destination, mine_locked};
use crate::engine::failure::Failure;
use crate::engine::ops::update_access_rules;
use crate::engine::run::{Outcome, Run};

/// Waits until the migration is to be completed; then the destination gets the access rules.
pub(super) async fn hold(
    run: &Run<'_>,
    work: &ShareWork,
    migration: &ShareMigration,
) -> Result<Outcome, Failure> {
    if migration.wanted != Some(MigrationWish::Complete) {
        return Err(Failure::Waiting("it waits to be completed or cancelled"));
    }
    let mut tx = run.record().await?;
    let migration = mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
    let destination = destination(&mut tx, &migration).await?;
    let (host, now) = (destination.host.as_deref(), Timestamp::now());
    let (from, to) = (work.id.uuid(), destination.id.uuid());
    if migration_work::copy_rules(&mut tx, Of::Shares, from, to).await? {
        update_access_rules::ask(run, &mut tx, Of::Shares, to, host, now).await?;
    }
    let sources = migration_work::snapshots_at(&mut tx, work.id).await?;
    for snapshot in migration_work::snapshots_at(&mut tx, destination.id).await? {
        let of = sources.iter().find(|source| source.snapshot_id == snapshot.snapshot_id);
        let Some(source) = of else { continue };
        let (from, to) = (source.id.uuid(), snapshot.id.uuid());
        if migration_work::copy_rules(&mut tx, Of::Snapshots, from, to).await? {
            update_access_rules::ask(run, &mut tx, Of::Snapshots, to, host, now).await?;
        }
    }
    let state = TaskState::MigrationCompleting;
    share_migrations::set_state(&mut tx, migration.share_id, state, now).await?;
    run.advance(tx, service_of(host.unwrap_or_default())).await
}

/// One transaction: the destination is the share, and the source is on its way out.
pub(super) async fn switch(
    run: &Run<'_>,
    work: &ShareWork,
    migration: &ShareMigration,
) -> Result<Outcome, Failure> {
    let arguments = arguments(run)?;
    let mut tx = run.db().read().await?;
    let to = destination(&mut tx, migration).await?;
    rules_are_in_force(&mut tx, to.id).await?;
    drop(tx);
    check_untouched(run, migration, &to).await?;
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    let migration = mine_locked(run, &mut tx, ShareStatus::Migrating)
        .await
        .map(|found| ShareMigration { destination: migration.destination, ..found })?;
    let destination = destination(&mut tx, &migration).await?;
    rules_are_in_force(&mut tx, destination.id).await?;
    if !migration_work::arrive(&mut tx, destination.id, now).await? {
        return Err(Failure::Passing("the destination was changed meanwhile".into()));
    }
    if let (Some(share_type), Some(promised)) = (migration.share_type_id, &arguments.promised) {
        migration_work::change_type(&mut tx, work.share_id, share_type, promised).await?;
    }
    let source = share_instances::get_locked(&mut tx, work.id).await?;
    retire(run, &mut tx, &source.ok_or(Failure::Superseded)?).await?;
    share_migrations::end(&mut tx, work.share_id, TaskState::MigrationSuccess, now).await?;
    run.end(tx, OperationState::Succeeded, None).await
}

/// Looks at the source once more: what was written to it since it was copied would be lost with it.
/// The rules forbid that to everybody, but not every backend can.
///
/// # Errors
/// When something was: then the share stays there.
async fn check_untouched(
    run: &Run<'_>,
    migration: &ShareMigration,
    destination: &ShareInstance,
) -> Result<(), Failure> {
    let plan = Plan::of(migration)?;
    let (Some(tree), Some(copied)) = (&plan.tree, plan.copied) else { return Ok(()) };
    let driver = &run.backend(destination.host.as_deref().unwrap_or_default())?.driver;
    let found = run.while_mine(driver.tree_state(tree)).await??;
    if found == copied {
        return Ok(());
    }
    let message = "Something was written to the share after it had been copied, though its access \
                   rules let nobody write.";
    Err(Failure::permanent(message, format!("the source is {found:?}, copied was {copied:?}")))
}
