//! An administrator has a share forgotten, whose bytes stay where they are.

use abaca_model::{OperationKind, Share, ShareInstance, ShareStatus, Timestamp, has_replicas};
use abaca_store::{Tx, retry_conflicts, share_instances, shares, snapshots};
use serde_json::json;

use super::load::{self, target};
use crate::api::operation::{self, Work};
use crate::api::resource_locks::locked_against_deletion;
use crate::api::share_instances::{as_place, leave_out_left, spokesman};
use crate::api::{ApiError, Call, Reply};

/// `POST /shares/{id}/action` with `unmanage`, before 2.7 `POST /os-share-unmanage/{id}/unmanage`.
pub(crate) async fn unmanage(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:unmanage", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| begin(&call, &share, now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// One transaction: every instance is taken over, and has an operation for it.
async fn begin(call: &Call, share: &Share, now: Timestamp) -> Result<(), ApiError> {
    let mut tx = call.app.db.write().await?;
    let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let mut instances = share_instances::of_share_locked(&mut tx, share.id).await?;
    // What its migration left behind goes by itself.
    leave_out_left(&mut instances);
    check(&mut tx, &share, &instances).await?;
    for instance in &instances {
        let status = ShareStatus::UnmanageStarting;
        let work = Work {
            kind: OperationKind::UnmanageShare,
            resource_id: instance.id.uuid(),
            fence: share_instances::take_over(&mut tx, instance, status, now).await?,
            host: instance.host.as_deref(),
        };
        operation::enqueue(&mut tx, call, &work, &json!({})).await?;
    }
    Ok(tx.commit().await?)
}

async fn check(tx: &mut Tx, share: &Share, instances: &[ShareInstance]) -> Result<(), ApiError> {
    let id = share.id;
    let forbidden = |message: String| Err(ApiError::Forbidden(message));
    if share.is_soft_deleted() {
        return forbidden(format!(
            "Share '{id}' cannot be unmanaged, since it has been soft deleted."
        ));
    }
    let places: Vec<_> = instances.iter().map(as_place).collect();
    if has_replicas(&places) {
        let message = "has replicas. It cannot be unmanaged until all replicas are removed.";
        return Err(ApiError::conflict(format!("Share {id} {message}")));
    }
    let status = spokesman(instances).ok_or_else(ApiError::no_route)?.status;
    if let Some(passing) = instances.iter().find(|instance| instance.status.is_passing()) {
        let status = if status.is_passing() { status } else { passing.status };
        return forbidden(format!(
            "Share with transitional state can not be unmanaged. Share '{id}' is in '{status}' \
             state."
        ));
    }
    let count = snapshots::count_of_share(tx, id).await?;
    if count > 0 {
        return forbidden(format!(
            "Share '{id}' can not be unmanaged because it has '{count}' dependent snapshot(s)."
        ));
    }
    if let Some(message) = locked_against_deletion(tx, id).await? {
        return forbidden(message);
    }
    load::not_busy(share)
}
