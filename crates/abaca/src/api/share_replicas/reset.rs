//! An administrator sets the status or the replica state of a replica by hand.

use abaca_model::{ShareStatus, Timestamp};
use abaca_store::{replicas, retry_conflicts};

use super::load;
use crate::api::access_rules::synchronise;
use crate::api::by_hand::{self, wanted_status};
use crate::api::share_instances::{SETTABLE, overtake, set_by_hand};
use crate::api::{ApiError, Call, Reply};

/// What a replica state can be reset to.
pub(super) const STATES: [&str; 4] =
    [replicas::ACTIVE, replicas::IN_SYNC, replicas::OUT_OF_SYNC, replicas::ERROR];

/// `POST /share-replicas/{id}/action` with `reset_status`
pub(crate) async fn reset_status(call: Call) -> Result<Reply, ApiError> {
    let status = wanted_status(call.action_value(), &SETTABLE)?;
    let found = load::allowed(&call, "share_replica:reset_status").await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let (_, _, replica) = load::locked(&call, &mut tx, &found).await?;
        set_by_hand(&mut tx, &call, "reset_status", &replica, status, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `POST /share-replicas/{id}/action` with `reset_replica_state`. There is one active replica: it
/// stays it, and no other becomes one but by a promotion.
pub(crate) async fn reset_replica_state(call: Call) -> Result<Reply, ApiError> {
    let given = call.action_value().get("replica_state");
    let given = given.ok_or_else(|| ApiError::bad_request("Must specify 'replica_state'"))?;
    let state = STATES.into_iter().find(|state| Some(*state) == given.as_str());
    let state = state.ok_or_else(|| {
        let valid = STATES.join(", ");
        ApiError::bad_request(format!("Invalid state. Valid states: {valid}."))
    })?;
    let found = load::allowed(&call, "share_replica:reset_replica_state").await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let (_, instances, replica) = load::locked(&call, &mut tx, &found).await?;
        if replica.replica_state.as_deref() == Some(replicas::ACTIVE) {
            let message = "Cannot reset replica_state of an active replica";
            return Err(ApiError::bad_request(message));
        }
        if state == replicas::ACTIVE && replicas::active(&instances).is_some() {
            let message = "The share has an active replica already; promote this one instead.";
            return Err(ApiError::bad_request(message));
        }
        if !matches!(replica.status, ShareStatus::Available | ShareStatus::Error) {
            return Err(ApiError::conflict(format!(
                "Replica {} is {}: its replica_state follows from that.",
                replica.id, replica.status
            )));
        }
        // As any reset: what is at work on the replica does not overwrite it.
        let fence = overtake(&mut tx, &replica, replica.status, now).await?;
        replicas::set_state(&mut tx, replica.id, fence, state, now).await?;
        let resource = ("share_instance", replica.id.uuid());
        let change = (replica.replica_state.as_deref().unwrap_or_default(), state);
        by_hand::record(&call, &mut tx, "reset_replica_state", resource, change, now).await?;
        if state == replicas::ACTIVE {
            // Its clients may write from now on, and those of a replica for disasters mount it.
            replicas::set_read_only(&mut tx, replica.id, false).await?;
            synchronise(&call, &mut tx, &[replica], now).await?;
        }
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}
