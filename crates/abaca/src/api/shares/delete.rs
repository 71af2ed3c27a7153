//! A tenant deletes a share; an administrator does so whatever its status.

use abaca_model::{OperationKind, Share, ShareInstance, ShareStatus, Timestamp, has_replicas};
use abaca_store::{Tx, retry_conflicts, share_instances, shares, snapshots};

use super::load::{self, target};
use crate::api::operation::{self, Work};
use crate::api::resource_locks::locked_against_deletion;
use crate::api::share_instances::{as_place, set_by_hand, spokesman};
use crate::api::{ApiError, Call, Reply};
use crate::engine::arguments::Delete;

/// `DELETE /shares/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:delete", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| begin(&call, &share, false, now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `POST /shares/{id}/action` with `force_delete`, before 2.7 `os-force_delete`.
pub(crate) async fn force_delete(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:force_delete", &target(&share)).await?;
    call.authorise("share:delete", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| begin(&call, &share, true, now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// One transaction: every instance is taken over for its deletion, and has an operation for it.
async fn begin(call: &Call, share: &Share, force: bool, now: Timestamp) -> Result<(), ApiError> {
    let mut tx = call.app.db.write().await?;
    let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let instances = share_instances::of_share_locked(&mut tx, share.id).await?;
    // The reference tells the tenant 403, whom it is forbidden, and the administrator 400.
    let refused = if force { ApiError::BadRequest } else { ApiError::Forbidden };
    if let Some(message) = locked_against_deletion(&mut tx, share.id).await? {
        return Err(refused(message));
    }
    check_status(&instances, force)?;
    let places: Vec<_> = instances.iter().map(as_place).collect();
    if has_replicas(&places) {
        let message = "has replicas. Remove the replicas before deleting the share.";
        return Err(ApiError::conflict(format!("Share {} {message}", share.id)));
    }
    let deferred = !force && call.app.settings.deferred_deletion;
    // A deferred deletion waits for those of the snapshots.
    let count = match deferred {
        true => snapshots::count_kept_of_share(&mut tx, share.id).await?,
        false => snapshots::count_of_share(&mut tx, share.id).await?,
    };
    if count > 0 {
        let message = format!("Invalid share: Share still has {count} dependent snapshots.");
        return Err(refused(message));
    }
    load::not_busy(&share)?;
    let doomed = if deferred { ShareStatus::DeferredDeleting } else { ShareStatus::Deleting };
    for instance in &instances {
        let host = instance.host.as_deref();
        let work = Work {
            kind: OperationKind::DeleteShare,
            resource_id: instance.id.uuid(),
            fence: take_over(call, &mut tx, instance, (doomed, force), now).await?,
            host: if force { operation::host_if_up(&mut tx, call, host).await? } else { host },
        };
        operation::enqueue(&mut tx, call, &work, &Delete { force, deferred, ..Delete::default() })
            .await?;
    }
    Ok(tx.commit().await?)
}

/// What has work in flight is let be, but by force.
pub(super) fn check_status(instances: &[ShareInstance], force: bool) -> Result<(), ApiError> {
    let status = spokesman(instances).ok_or_else(ApiError::no_route)?.status;
    let settled =
        matches!(status, ShareStatus::Available | ShareStatus::Error | ShareStatus::Inactive);
    if force || settled {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "Invalid share: Share status must be one of ('available', 'error', 'inactive').".to_owned(),
    ))
}

/// What an administrator forces is on record.
async fn take_over(
    call: &Call,
    tx: &mut Tx,
    instance: &ShareInstance,
    (status, force): (ShareStatus, bool),
    now: Timestamp,
) -> Result<i64, abaca_store::Error> {
    if force {
        set_by_hand(tx, call, "force_delete", instance, status, now).await
    } else {
        share_instances::take_over(tx, instance, status, now).await
    }
}
