//! An administrator sets the status of a share instance by hand.

use abaca_model::{OperationKind, ShareInstance, ShareInstanceId, ShareStatus, Timestamp};
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::{Tx, operations, retry_conflicts, share_instances};

use super::load;
use crate::api::by_hand::{self, wanted_status};
use crate::api::{ApiError, Call, Reply};

/// What an instance, and so a share, can be reset to.
pub(in crate::api) const SETTABLE: [ShareStatus; 8] = [
    ShareStatus::Creating,
    ShareStatus::Available,
    ShareStatus::Deleting,
    ShareStatus::Error,
    ShareStatus::ErrorDeleting,
    ShareStatus::Migrating,
    ShareStatus::MigratingTo,
    ShareStatus::ServerMigrating,
];

/// `POST /share_instances/{id}/action` with `reset_status`, before 2.7 `os-reset_status`.
///
/// The administrator's word stands: the fence is raised with it, so that an operation in flight
/// can't overwrite it.
pub(crate) async fn reset_status(call: Call) -> Result<Reply, ApiError> {
    let status = wanted_status(call.action_value(), &SETTABLE)?;
    let mut tx = call.app.db.read().await?;
    let (found, share) = load::find(&call, &mut tx).await?.ok_or_else(ApiError::no_route)?;
    drop(tx);
    call.authorise("share_instance:reset_status", &load::target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let instance = share_instances::get_locked(&mut tx, found.id).await?;
        let instance = instance.ok_or_else(ApiError::no_route)?;
        set_by_hand(&mut tx, &call, "reset_status", &instance, status, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// Sets the status of an instance that is locked, as [`overtake`] does, and records who did so.
/// Returns its new fence.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn set_by_hand(
    tx: &mut Tx,
    call: &Call,
    action: &str,
    instance: &ShareInstance,
    status: ShareStatus,
    now: Timestamp,
) -> Result<i64, abaca_store::Error> {
    let fence = overtake(tx, instance, status, now).await?;
    let (resource, change) =
        (("share_instance", instance.id.uuid()), (instance.status.as_str(), status.as_str()));
    by_hand::record(call, tx, action, resource, change, now).await?;
    Ok(fence)
}

/// Sets the status of an instance that is locked, and takes it over from whatever works on it, for an
/// administrator. Returns its new fence. Whatever worker comes first ends a migration or a promotion of
/// it.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn overtake(
    tx: &mut Tx,
    instance: &ShareInstance,
    status: ShareStatus,
    now: Timestamp,
) -> Result<i64, abaca_store::Error> {
    let fence = share_instances::take_over(tx, instance, status, now).await?;
    let migration = share_migrations::of_share(tx, instance.share_id).await?;
    let ends = |migration: &ShareMigration| {
        migration.source == instance.id || migration.destination == Some(instance.id)
    };
    if let Some(migration) = migration.filter(ends) {
        let (kind, source) = (OperationKind::MigrateShare, migration.source.uuid());
        operations::hasten(tx, kind, source, now).await?;
        operations::open_to_all(tx, kind, source).await?;
    }
    end_promotion(tx, instance.id, now).await?;
    Ok(fence)
}

/// Lets any worker clean up after the promotion of a replica that was taken over: the clients of the
/// active one must not wait for a worker that may never come back.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn end_promotion(
    tx: &mut Tx,
    id: ShareInstanceId,
    now: Timestamp,
) -> Result<(), abaca_store::Error> {
    let kind = OperationKind::PromoteReplica;
    operations::hasten(tx, kind, id.uuid(), now).await?;
    operations::open_to_all(tx, kind, id.uuid()).await
}
