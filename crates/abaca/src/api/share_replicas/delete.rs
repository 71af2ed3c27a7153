//! A tenant deletes a replica; an administrator does so whatever its status.

use abaca_model::{OperationKind, ShareStatus, SnapshotStatus, Timestamp};
use abaca_store::{replicas, retry_conflicts, share_instances, snapshot_instances, snapshot_work};

use super::load::{self, Found};
use crate::api::operation::{self, Work};
use crate::api::share_instances::{end_promotion, set_by_hand};
use crate::api::snapshot_instances::take_over;
use crate::api::{ApiError, Call, Reply};
use crate::engine::arguments::Delete;

/// `DELETE /share-replicas/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let found = load::allowed(&call, "share_replica:delete").await?;
    retry_conflicts(|| begin(&call, &found, false)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `POST /share-replicas/{id}/action` with `force_delete`
pub(crate) async fn force_delete(call: Call) -> Result<Reply, ApiError> {
    let found = load::allowed(&call, "share_replica:force_delete").await?;
    retry_conflicts(|| begin(&call, &found, true)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// One transaction: the replica and its instances of snapshots are taken over for their deletion, and
/// one operation sees to all of them.
async fn begin(call: &Call, found: &Found, force: bool) -> Result<(), ApiError> {
    let now = Timestamp::now();
    let mut tx = call.app.db.write().await?;
    let (_, instances, replica) = load::locked(call, &mut tx, found).await?;
    let is_active = |state: &Option<String>| state.as_deref() == Some(replicas::ACTIVE);
    let active = instances.iter().filter(|other| is_active(&other.replica_state)).count();
    if is_active(&replica.replica_state) && active == 1 {
        return Err(ApiError::bad_request(
            "Unable to perform a replication action: Cannot delete last active replica.",
        ));
    }
    let doomed = ShareStatus::Deleting;
    let fence = match force {
        true => set_by_hand(&mut tx, call, "force_delete", &replica, doomed, now).await?,
        false => {
            end_promotion(&mut tx, replica.id, now).await?;
            share_instances::take_over(&mut tx, &replica, doomed, now).await?
        }
    };
    for copy in snapshot_work::of_share_instance(&mut tx, replica.id).await? {
        let copy = snapshot_instances::get_locked(&mut tx, copy.id).await?;
        if let Some(copy) = copy {
            take_over(call, &mut tx, &copy, (SnapshotStatus::Deleting, force), now).await?;
        }
    }
    let host = replica.host.as_deref();
    let work = Work {
        kind: OperationKind::DeleteReplica,
        resource_id: replica.id.uuid(),
        fence,
        host: if force { operation::host_if_up(&mut tx, call, host).await? } else { host },
    };
    operation::enqueue(&mut tx, call, &work, &Delete { force, ..Delete::default() }).await?;
    Ok(tx.commit().await?)
}
