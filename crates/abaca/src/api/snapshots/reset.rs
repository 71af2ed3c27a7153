//! An administrator sets the status of a snapshot by hand: that of all its instances, but those that a
//! migration of its share left behind.

use abaca_model::{SnapshotId, SnapshotStatus, Timestamp};
use abaca_store::{retry_conflicts, share_instances, snapshot_instances, snapshots};

use super::load::target;
use crate::api::by_hand::wanted_status;
use crate::api::share_instances::leave_out_left_copies;
use crate::api::snapshot_instances::set_by_hand;
use crate::api::{ApiError, Call, Reply};

/// What a snapshot can be reset to.
pub(super) const SETTABLE: [SnapshotStatus; 12] = [
    SnapshotStatus::Available,
    SnapshotStatus::Error,
    SnapshotStatus::ErrorDeleting,
    SnapshotStatus::Deleting,
    SnapshotStatus::Creating,
    SnapshotStatus::ManageStarting,
    SnapshotStatus::UnmanageStarting,
    SnapshotStatus::UnmanageError,
    SnapshotStatus::ManageError,
    SnapshotStatus::Migrating,
    SnapshotStatus::MigratingTo,
    SnapshotStatus::Restoring,
];

/// `POST /snapshots/{id}/action` with `reset_status`, before 2.7 `os-reset_status`.
pub(crate) async fn reset_status(call: Call) -> Result<Reply, ApiError> {
    let status = wanted_status(call.action_value(), &SETTABLE)?;
    let id = call.id::<SnapshotId>().ok_or_else(ApiError::no_route)?;
    let mut tx = call.app.db.read().await?;
    let found = snapshots::get(&mut tx, id).await?.ok_or_else(ApiError::no_route)?;
    drop(tx);
    call.authorise("share_snapshot:reset_status", &target(&found.snapshot)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let mut instances = snapshot_instances::of_snapshot_locked(&mut tx, id).await?;
        // What a migration of the share left behind is on its way out.
        let mut places = share_instances::of_share(&mut tx, found.snapshot.share_id).await?;
        leave_out_left_copies(&mut instances, &mut places);
        if instances.is_empty() {
            return Err(ApiError::no_route());
        }
        for instance in &instances {
            set_by_hand(&mut tx, &call, "reset_status", instance, status, now).await?;
        }
        Ok(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}
