//! A tenant makes a replica the active one.

use abaca_model::{OperationKind, ShareInstance, ShareStatus, SnapshotStatus, Timestamp};
use abaca_store::{Tx, replicas, retry_conflicts, share_instances, snapshot_work};
use axum::http::StatusCode;
use serde_json::Value;

use super::load::{self, Found};
use super::show;
use crate::api::operation::{self, Work};
use crate::api::shares::not_busy;
use crate::api::{ApiError, Call, Reply, V};
use crate::engine::arguments::PromoteReplica;

/// `POST /share-replicas/{id}/action` with `promote`
pub(crate) async fn promote(call: Call) -> Result<Reply, ApiError> {
    let found = load::allowed(&call, "share_replica:promote").await?;
    let quiesce_wait_time = quiesce_wait_time(&call)?;
    let reply = retry_conflicts(|| begin(&call, &found, quiesce_wait_time)).await?;
    call.app.nudge();
    Ok(reply)
}

/// How long the writers of the active replica are waited for, in seconds.
fn quiesce_wait_time(call: &Call) -> Result<Option<u64>, ApiError> {
    let wanted = call.action_value();
    if !(wanted.is_null() || wanted.is_object()) {
        return Err(ApiError::bad_request("promote must be an object or null."));
    }
    let given = wanted.get("quiesce_wait_time").filter(|_| call.since(V(2, 75)));
    let seconds = match given {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    seconds.filter(|seconds| (1..=u64::from(u32::MAX)).contains(seconds)).map(Some).ok_or_else(
        || ApiError::bad_request("quiesce_wait_time must be an integer and greater than 0."),
    )
}

/// One transaction: the replica is taken over.
async fn begin(
    call: &Call,
    found: &Found,
    quiesce_wait_time: Option<u64>,
) -> Result<Reply, ApiError> {
    let now = Timestamp::now();
    let mut tx = call.app.db.write().await?;
    let (share, instances, replica) = load::locked(call, &mut tx, found).await?;
    if replica.replica_state.as_deref() == Some(replicas::ACTIVE) {
        return Ok(Reply::empty(StatusCode::OK));
    }
    check(call, &instances, &replica)?;
    check_active(&mut tx, &instances).await?;
    not_busy(&share)?;
    let changing = ShareStatus::ReplicationChange;
    let fence = share_instances::take_over(&mut tx, &replica, changing, now).await?;
    let work = Work {
        kind: OperationKind::PromoteReplica,
        resource_id: replica.id.uuid(),
        fence,
        host: replica.host.as_deref(),
    };
    let arguments = PromoteReplica { quiesce_wait_time, quiescing: None };
    operation::enqueue(&mut tx, call, &work, &arguments).await?;
    let replica = ShareInstance { status: changing, fence, updated_at: Some(now), ..replica };
    let reply = show::reply(call, &mut tx, &replica, StatusCode::ACCEPTED).await?;
    tx.commit().await?;
    Ok(reply)
}

fn refused(reason: String) -> Result<(), ApiError> {
    Err(ApiError::bad_request(format!("Unable to perform a replication action: {reason}")))
}

fn check(
    call: &Call,
    instances: &[ShareInstance],
    replica: &ShareInstance,
) -> Result<(), ApiError> {
    if replica.status != ShareStatus::Available || replica.host.is_none() {
        return refused(format!(
            "Replica {} must be in available state to be promoted.",
            replica.id
        ));
    }
    if instances.iter().any(|other| other.status == ShareStatus::ReplicationChange) {
        return refused("another replica of the share is being promoted.".to_owned());
    }
    let state = replica.replica_state.as_deref().unwrap_or_default();
    if state != replicas::IN_SYNC && !call.caller.is_admin {
        return Err(ApiError::Forbidden(format!(
            "Promoting a replica with 'replica_state': {state} requires administrator privileges."
        )));
    }
    Ok(())
}

/// What is at work on the active replica or on a snapshot of it would come to its end in one that
/// follows by then. One that an administrator set to `error` is not waited for.
async fn check_active(tx: &mut Tx, instances: &[ShareInstance]) -> Result<(), ApiError> {
    let Some(active) = replicas::active(instances) else {
        return refused("the share has no active replica.".to_owned());
    };
    if active.status.is_passing() {
        return refused(format!("the active replica {} is {}.", active.id, active.status));
    }
    if active.status == ShareStatus::Error {
        return Ok(());
    }
    let at_work = [SnapshotStatus::Creating, SnapshotStatus::Restoring];
    let copies = snapshot_work::of_share_instance(tx, active.id).await?;
    match copies.iter().find(|copy| at_work.contains(&copy.status)) {
        None => Ok(()),
        Some(copy) => refused(format!(
            "the snapshot {} is {} in the active replica.",
            copy.snapshot_id, copy.status
        )),
    }
}
