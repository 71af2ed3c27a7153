//! An administrator sets the status of a share instance by hand.

use abaca_model::{AuditId, OperationKind, ShareInstance, ShareInstanceId, ShareStatus, Timestamp};
use abaca_store::audit::{self, AuditRecord};
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::{Tx, operations, retry_conflicts, share_instances};
use serde_json::Value;

use super::load;
use crate::api::{ApiError, Call, Reply};

/// What an instance, and so a share, can be reset to.
pub(super) const SETTABLE: [ShareStatus; 8] = [
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
    let status = wanted_status(call.action_value())?;
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

/// The status an action's body asks for: `{"status": "error"}`.
///
/// # Errors
/// 400 that says what is missing, or names what there is to choose from.
pub(in crate::api) fn wanted_status(value: &Value) -> Result<ShareStatus, ApiError> {
    let wanted =
        value.get("status").ok_or_else(|| ApiError::bad_request("Must specify 'status'"))?;
    let found = SETTABLE.iter().find(|status| Some(status.as_str()) == wanted.as_str());
    found.copied().ok_or_else(|| {
        let valid: Vec<_> = SETTABLE.iter().map(|status| status.as_str()).collect();
        ApiError::bad_request(format!("Invalid state. Valid states: {}.", valid.join(", ")))
    })
}

/// Sets the status of an instance that is locked, takes it over from whatever works on it and
/// records who did so. Returns its new fence. Whatever worker comes first ends a migration or a
/// promotion of it.
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
    let record = AuditRecord {
        id: AuditId::random(),
        created_at: now,
        user_id: call.caller.user_id.clone(),
        project_id: call.caller.project_id.clone().unwrap_or_default(),
        request_id: call.request_id.to_string(),
        action: action.to_owned(),
        resource_type: "share_instance".to_owned(),
        resource_id: instance.id.to_string(),
        status_from: instance.status.to_string(),
        status_to: status.to_string(),
    };
    audit::insert(tx, &record).await?;
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
