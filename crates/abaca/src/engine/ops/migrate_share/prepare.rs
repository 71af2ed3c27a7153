//! Before a byte is copied: where the share goes, how it gets there, and the destination's rows.

use abaca_drivers::{DriverError, DriverResult, MigrationAbilities};
use abaca_model::{
    AccessRulesStatus, ShareInstance, ShareInstanceId, ShareStatus, SnapshotStatus, TaskState,
    Timestamp,
};
use abaca_store::access_rules::Of;
use abaca_store::migration_work::{self, FENCE, SnapshotAt};
use abaca_store::operations::service_of;
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::share_work::ShareWork;
use abaca_store::{Tx, share_instances};

use super::plan::Plan;
use super::{arguments, mine_locked, remember};
use crate::engine::arguments::MigrateShare;
use crate::engine::failure::Failure;
use crate::engine::ops::{schedule as scheduler, update_access_rules};
use crate::engine::run::{Outcome, Run};

/// Whether the pool that was asked for may hold the share.
pub(super) async fn schedule(
    run: &Run<'_>,
    work: &ShareWork,
    migration: &ShareMigration,
) -> Result<Outcome, Failure> {
    let arguments = arguments(run)?;
    let mut tx = run.record().await?;
    let share_type = migration.share_type_id.unwrap_or(work.share_type_id);
    let zone = scheduler::admit(&mut tx, work, share_type, &arguments.host).await?;
    let now = Timestamp::now();
    let migration = mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
    remember(&mut tx, &migration, &Plan { zone, ..Plan::default() }).await?;
    let state = TaskState::MigrationInProgress;
    share_migrations::set_state(&mut tx, migration.share_id, state, now).await?;
    run.advance(tx, service_of(work.host.as_deref().unwrap_or_default())).await
}

/// What the source's backend says of where the bytes are.
pub(super) async fn offer(
    run: &Run<'_>,
    work: &ShareWork,
    migration: &ShareMigration,
) -> Result<Outcome, Failure> {
    let arguments = arguments(run)?;
    let mut plan = Plan::of(migration)?;
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    if !arguments.force_host_assisted {
        plan.source = if_supported(driver.migration_source(work.id.uuid()).await)?;
    }
    plan.tree = if_supported(driver.share_tree(work.id.uuid()).await)?;
    let mut tx = run.record().await?;
    let migration = mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
    remember(&mut tx, &migration, &plan).await?;
    run.advance(tx, service_of(&arguments.host)).await
}

fn if_supported<T>(result: DriverResult<T>) -> Result<Option<T>, Failure> {
    match result {
        Err(DriverError::Unsupported { .. }) => Ok(None),
        other => Ok(other.map(Some)?),
    }
}

/// Decides who copies, and makes the destination's rows.
pub(super) async fn prepare(
    run: &Run<'_>,
    work: &ShareWork,
    migration: &ShareMigration,
) -> Result<Outcome, Failure> {
    let arguments = arguments(run)?;
    let mut plan = Plan::of(migration)?;
    let driver = &run.backend(&arguments.host)?.driver;
    let abilities = match &plan.source {
        Some(source) => driver.migration_check(source).await?,
        None => None,
    };
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    let migration = mine_locked(run, &mut tx, ShareStatus::Migrating).await?;
    let snapshots = migration_work::snapshots_at(&mut tx, work.id).await?;
    let chosen = abilities.filter(|abilities| suits(&arguments, *abilities, &snapshots));
    if chosen.is_none() {
        check_host_assisted(&arguments, &plan, &snapshots)?;
    }
    plan.by_driver = chosen.is_some();
    plan.read_only = !chosen.is_some_and(|abilities| abilities.writable);
    let destination = destination_of(&migration, &arguments, &plan, now);
    share_instances::insert(&mut tx, &destination).await?;
    share_migrations::set_destination(&mut tx, migration.share_id, destination.id).await?;
    let ends = (work.id, destination.id);
    migration_work::take_snapshots_along(&mut tx, work.share_id, ends, &snapshots, now).await?;
    if plan.read_only && migration_work::cast_rules(&mut tx, work.id, true).await? {
        let host = work.host.as_deref();
        update_access_rules::ask(run, &mut tx, Of::Shares, work.id.uuid(), host, now).await?;
    }
    remember(&mut tx, &migration, &plan).await?;
    let state = match plan.by_driver {
        true => TaskState::MigrationDriverInProgress,
        false => TaskState::DataCopyingStarting,
    };
    share_migrations::set_state(&mut tx, migration.share_id, state, now).await?;
    run.advance(tx, service_of(&arguments.host)).await
}

/// Whether a driver that can do this may take the share over as it was asked for.
fn suits(
    arguments: &MigrateShare,
    abilities: MigrationAbilities,
    snapshots: &[SnapshotAt],
) -> bool {
    let settled = |snapshot: &SnapshotAt| snapshot.status == SnapshotStatus::Available;
    let can_move = abilities.preserve_snapshots && snapshots.iter().all(settled);
    (snapshots.is_empty() || can_move)
        && (abilities.preserve_snapshots || !arguments.preserve_snapshots)
        && (abilities.preserve_metadata || !arguments.preserve_metadata)
        && (abilities.writable || !arguments.writable)
        && (abilities.nondisruptive || !arguments.nondisruptive)
}

/// # Errors
/// When the data mover can't do what was asked for either.
fn check_host_assisted(
    arguments: &MigrateShare,
    plan: &Plan,
    snapshots: &[SnapshotAt],
) -> Result<(), Failure> {
    let problem = if arguments.wants_more_than_bytes() {
        "The backends can't move the share in the way that was asked for: writable, \
         nondisruptive, with its metadata or with its snapshots."
    } else if !snapshots.is_empty() {
        "The backends can't move the share together with its snapshots as they are now, and \
         without them it is not moved."
    } else if plan.tree.is_none() {
        "The backends can't move shares between each other, and the share's bytes are not within \
         the data mover's reach."
    } else {
        return Ok(());
    };
    Err(Failure::permanent(problem, "neither the drivers nor the data mover can move it"))
}

fn destination_of(
    migration: &ShareMigration,
    arguments: &MigrateShare,
    plan: &Plan,
    now: Timestamp,
) -> ShareInstance {
    ShareInstance {
        id: ShareInstanceId::random(),
        share_id: migration.share_id,
        host: Some(arguments.host.clone()),
        availability_zone: Some(plan.zone.clone()),
        status: ShareStatus::MigratingTo,
        access_rules_status: AccessRulesStatus::Active,
        replica_state: None,
        progress: Some("0%".to_owned()),
        cast_rules_to_readonly: false,
        fence: FENCE,
        created_at: now,
        updated_at: None,
        scheduled_at: Some(now),
        launched_at: None,
    }
}

/// Whether the rules of an instance are in force as they are in the database.
pub(super) async fn rules_are_in_force(tx: &mut Tx, id: ShareInstanceId) -> Result<(), Failure> {
    match migration_work::rules_status(tx, id).await? {
        None | Some(AccessRulesStatus::Active) => Ok(()),
        Some(AccessRulesStatus::Syncing) => Err(Failure::Waiting("access rules are being applied")),
        Some(AccessRulesStatus::Error) => {
            let message = "A backend refused access rules that the migration depends on.";
            Err(Failure::permanent(message, format!("the access rules of {id} are in error")))
        }
    }
}
