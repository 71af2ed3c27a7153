//! A tenant deletes a snapshot; an administrator does so whatever its status.

use std::collections::HashMap;

use abaca_model::{OperationKind, ShareInstanceId, Snapshot, SnapshotStatus, Timestamp};
use abaca_store::{
    Tx, retry_conflicts, share_instances, snapshot_instances, snapshot_work, snapshots,
};

use super::load::{self, target};
use crate::api::operation::{self, Work};
use crate::api::snapshot_instances::take_over;
use crate::api::{ApiError, Call, Reply};
use crate::engine::arguments::Delete;

/// The rule of every deletion, first without a snapshot, so that who may never delete learns of none.
const RULE: &str = "share:delete_snapshot";

/// `DELETE /snapshots/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, ApiError> {
    call.authorise(RULE, None).await?;
    let mut tx = call.app.db.read().await?;
    let found = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise(RULE, &target(&found.snapshot)).await?;
    retry_conflicts(|| begin(&call, &found.snapshot, false)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `POST /snapshots/{id}/action` with `force_delete`, before 2.7 `os-force_delete`.
pub(crate) async fn force_delete(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share_snapshot:force_delete", &target(&found.snapshot)).await?;
    call.authorise(RULE, &target(&found.snapshot)).await?;
    retry_conflicts(|| begin(&call, &found.snapshot, true)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// One transaction: every instance is taken over for its deletion, and has an operation for it.
async fn begin(call: &Call, snapshot: &Snapshot, force: bool) -> Result<(), ApiError> {
    let now = Timestamp::now();
    let mut tx = call.app.db.write().await?;
    // Nobody gives it another instance meanwhile.
    snapshot_work::lock_snapshot(&mut tx, snapshot.id).await?;
    let instances = snapshot_instances::of_snapshot_locked(&mut tx, snapshot.id).await?;
    let found = snapshots::get(&mut tx, snapshot.id).await?.ok_or_else(ApiError::no_route)?;
    let settled = matches!(found.status, SnapshotStatus::Available | SnapshotStatus::Error);
    if !(force || settled) {
        return Err(ApiError::bad_request(
            "Invalid share snapshot: Share Snapshot status must be one of ('available', 'error').",
        ));
    }
    let deferred = !force && call.app.settings.deferred_deletion;
    let doomed = if deferred { SnapshotStatus::DeferredDeleting } else { SnapshotStatus::Deleting };
    let hosts = hosts(&mut tx, snapshot).await?;
    for instance in instances {
        let host = hosts.get(&instance.share_instance_id).map(String::as_str);
        let work = Work {
            kind: OperationKind::DeleteSnapshot,
            resource_id: instance.id.uuid(),
            fence: take_over(call, &mut tx, &instance, (doomed, force), now).await?,
            host: if force { operation::host_if_up(&mut tx, call, host).await? } else { host },
        };
        operation::enqueue(&mut tx, call, &work, &Delete { force, deferred, ..Delete::default() })
            .await?;
    }
    Ok(tx.commit().await?)
}

/// Where the share's instances are.
async fn hosts(
    tx: &mut Tx,
    snapshot: &Snapshot,
) -> Result<HashMap<ShareInstanceId, String>, abaca_store::Error> {
    let places = share_instances::of_share(tx, snapshot.share_id).await?;
    Ok(places.into_iter().filter_map(|place| Some((place.id, place.host?))).collect())
}
