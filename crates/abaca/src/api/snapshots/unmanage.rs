//! An administrator has a snapshot forgotten, whose bytes stay where they are.

use abaca_model::{OperationKind, Snapshot, SnapshotStatus, Timestamp, has_replicas};
use abaca_store::{retry_conflicts, share_instances, snapshot_instances, snapshot_work, snapshots};
use serde_json::json;

use super::load::{self, target};
use crate::api::operation::{self, Work};
use crate::api::share_instances::{as_place, leave_out_left_copies};
use crate::api::{ApiError, Call, Reply};

const RULE: &str = "share_snapshot:unmanage_snapshot";

/// `POST /snapshots/{id}/action` with `unmanage`
pub(crate) async fn unmanage(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise(RULE, &target(&found.snapshot)).await?;
    retry_conflicts(|| begin(&call, &found.snapshot)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// One transaction: the instance is taken over, and has an operation for it.
async fn begin(call: &Call, snapshot: &Snapshot) -> Result<(), ApiError> {
    let now = Timestamp::now();
    let mut tx = call.app.db.write().await?;
    // Nobody gives it another instance meanwhile.
    snapshot_work::lock_snapshot(&mut tx, snapshot.id).await?;
    let mut instances = snapshot_instances::of_snapshot_locked(&mut tx, snapshot.id).await?;
    let found = snapshots::get(&mut tx, snapshot.id).await?.ok_or_else(ApiError::no_route)?;
    let mut places = share_instances::of_share(&mut tx, snapshot.share_id).await?;
    if has_replicas(&places.iter().map(as_place).collect::<Vec<_>>()) {
        return Err(ApiError::conflict(format!(
            "Share {} has replicas. Snapshots of this share cannot currently be unmanaged until \
             all replicas are removed.",
            snapshot.share_id
        )));
    }
    // What a migration of the share left behind goes by itself.
    leave_out_left_copies(&mut instances, &mut places);
    let passing = instances.iter().map(|instance| instance.status).find(|one| one.is_passing());
    let passing = passing.or(Some(found.status).filter(|status| status.is_passing()));
    if let Some(status) = passing {
        return Err(ApiError::Forbidden(format!(
            "Snapshot with transitional state cannot be unmanaged. Snapshot '{}' is in '{status}' \
             state.",
            snapshot.id
        )));
    }
    for instance in &instances {
        let status = SnapshotStatus::UnmanageStarting;
        let place = places.iter().find(|place| place.id == instance.share_instance_id);
        let work = Work {
            kind: OperationKind::UnmanageSnapshot,
            resource_id: instance.id.uuid(),
            fence: snapshot_instances::take_over(&mut tx, instance, status, now).await?,
            host: place.and_then(|place| place.host.as_deref()),
        };
        operation::enqueue(&mut tx, call, &work, &json!({})).await?;
    }
    Ok(tx.commit().await?)
}
