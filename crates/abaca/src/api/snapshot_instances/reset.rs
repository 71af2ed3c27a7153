//! An administrator sets the status of a snapshot instance by hand.

use abaca_model::{SnapshotInstance, SnapshotInstanceId, SnapshotStatus, Timestamp};
use abaca_store::{Tx, retry_conflicts, snapshot_instances};

use super::target;
use crate::api::by_hand::{self, wanted_status};
use crate::api::{ApiError, Call, Reply};

/// What an instance can be reset to.
pub(super) const SETTABLE: [SnapshotStatus; 8] = [
    SnapshotStatus::Creating,
    SnapshotStatus::Available,
    SnapshotStatus::Deleting,
    SnapshotStatus::Error,
    SnapshotStatus::ErrorDeleting,
    SnapshotStatus::Migrating,
    SnapshotStatus::MigratingTo,
    SnapshotStatus::ServerMigrating,
];

/// `POST /snapshot-instances/{id}/action` with `reset_status`.
///
/// The administrator's word stands: the fence is raised with it, so that an operation in flight
/// can't overwrite it.
pub(crate) async fn reset_status(call: Call) -> Result<Reply, ApiError> {
    let status = wanted_status(call.action_value(), &SETTABLE)?;
    let id = call.id::<SnapshotInstanceId>().ok_or_else(ApiError::no_route)?;
    let mut tx = call.app.db.read().await?;
    let found = snapshot_instances::get_with_owner(&mut tx, id).await?;
    drop(tx);
    let (_, owner) = found.ok_or_else(ApiError::no_route)?;
    call.authorise("share_snapshot_instance:reset_status", &target::of(&owner)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let instance = snapshot_instances::get_locked(&mut tx, id).await?;
        let instance = instance.ok_or_else(ApiError::no_route)?;
        set_by_hand(&mut tx, &call, "reset_status", &instance, status, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// Sets the status of an instance that is locked, takes it over from whatever works on it and
/// records who did so. Returns its new fence.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn set_by_hand(
    tx: &mut Tx,
    call: &Call,
    action: &str,
    instance: &SnapshotInstance,
    status: SnapshotStatus,
    now: Timestamp,
) -> Result<i64, abaca_store::Error> {
    let fence = snapshot_instances::take_over(tx, instance, status, now).await?;
    let (resource, change) =
        (("snapshot_instance", instance.id.uuid()), (instance.status.as_str(), status.as_str()));
    by_hand::record(call, tx, action, resource, change, now).await?;
    Ok(fence)
}

/// Takes an instance that is locked over for its deletion. What an administrator forces is on record.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn take_over(
    call: &Call,
    tx: &mut Tx,
    instance: &SnapshotInstance,
    (status, force): (SnapshotStatus, bool),
    now: Timestamp,
) -> Result<i64, abaca_store::Error> {
    if force {
        set_by_hand(tx, call, "force_delete", instance, status, now).await
    } else {
        snapshot_instances::take_over(tx, instance, status, now).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_settable_status_is_taken() {
        for status in SETTABLE {
            let value = json!({ "status": status.as_str() });
            assert_eq!(wanted_status(&value, &SETTABLE).unwrap(), status);
        }
    }

    #[test]
    fn anything_else_is_told_what_there_is() {
        for value in [json!(null), json!({}), json!("error"), json!(["status"]), json!(1)] {
            let error = wanted_status(&value, &SETTABLE).unwrap_err();
            assert!(
                matches!(&error, ApiError::BadRequest(message)
                if message == "Must specify 'status'"),
                "{value}: {error}"
            );
        }
        for status in [
            json!(null),
            json!(5),
            json!([]),
            json!({}),
            json!("ERROR"),
            json!("nope"),
            json!("restoring"),
            json!(""),
        ] {
            let error = wanted_status(&json!({ "status": status }), &SETTABLE).unwrap_err();
            assert!(
                matches!(&error, ApiError::BadRequest(message) if message
                == "Invalid state. Valid states: creating, available, deleting, error, \
                    error_deleting, migrating, migrating_to, server_migrating."),
                "{status}: {error}"
            );
        }
    }
}
