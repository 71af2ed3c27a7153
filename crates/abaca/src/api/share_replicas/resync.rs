//! An administrator brings a replica up to date, and so repairs one that failed.

use abaca_model::{OperationKind, Timestamp};
use abaca_store::{operations, replicas, retry_conflicts};
use axum::http::StatusCode;

use super::load::{self, Found};
use crate::api::operation::{self, Work};
use crate::api::{ApiError, Call, Reply};
use crate::engine::arguments::{self, UpdateReplica};

/// `POST /share-replicas/{id}/action` with `resync`
pub(crate) async fn resync(call: Call) -> Result<Reply, ApiError> {
    let found = load::allowed(&call, "share_replica:resync").await?;
    let reply = retry_conflicts(|| begin(&call, &found)).await?;
    call.app.nudge();
    Ok(reply)
}

/// One transaction: an update is asked for, or the one that is queued becomes due.
async fn begin(call: &Call, found: &Found) -> Result<Reply, ApiError> {
    let now = Timestamp::now();
    let mut tx = call.app.db.write().await?;
    let (share, _, replica) = load::locked(call, &mut tx, found).await?;
    if replica.replica_state.as_deref() == Some(replicas::ACTIVE) {
        return Ok(Reply::empty(StatusCode::OK));
    }
    if replica.host.is_none() {
        return Err(ApiError::bad_request("Share replica does not have a valid host."));
    }
    // A replica that its backend promoted, while the promotion came to nothing, follows again.
    replicas::raise_generation(&mut tx, share.id, now).await?;
    let (kind, id, fence) = (OperationKind::UpdateReplica, replica.id.uuid(), replica.fence);
    let wanted = UpdateReplica { repairs: true };
    let text = arguments::to_json(&wanted);
    // One that runs may have copied already, and repair nothing; one of before a reset will come to nothing.
    if !operations::hasten_queued(&mut tx, kind, (id, fence), Some(&text), now).await? {
        let work = Work { kind, resource_id: id, fence, host: replica.host.as_deref() };
        operation::enqueue(&mut tx, call, &work, &wanted).await?;
    }
    tx.commit().await?;
    Ok(Reply::accepted())
}
