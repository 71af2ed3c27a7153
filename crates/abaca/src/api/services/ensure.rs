//! An administrator has a backend check its shares and export them again.

use abaca_model::{OperationKind, ShareStatus, Timestamp};
use abaca_store::services::SHARE_BINARY;
use abaca_store::{Tx, operations, retry_conflicts, services, share_instances};
use serde_json::{Map, Value, json};

use crate::api::operation::{self, Work};
use crate::api::{ApiError, Call, Reply};

/// The shares that are looked at: those in use, and those whose last look was given up half way.
const LOOKED_AT: [ShareStatus; 2] = [ShareStatus::Available, ShareStatus::Ensuring];

/// `POST /services/ensure-shares`
pub(crate) async fn ensure_shares(call: Call) -> Result<Reply, ApiError> {
    let host = host(&call)?;
    let now = Timestamp::now();
    let down_after = call.app.settings.service_down_after;
    let mut tx = call.app.db.read().await?;
    let service = services::find(&mut tx, host, SHARE_BINARY).await?.ok_or_else(|| {
        ApiError::not_found(format!("{SHARE_BINARY} binary for '{host}' host not found."))
    })?;
    drop(tx);
    if now.since(service.heartbeat_at) > down_after {
        return Err(ApiError::conflict(format!("The service on host {host} is down.")));
    }
    retry_conflicts(|| begin(&call, host, now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `{"host": "host@backend"}`, as the API's documents and the client have it, or
/// `{"ensure_shares": {"host": "host@backend"}}`, as the reference reads it.
fn host(call: &Call) -> Result<&str, ApiError> {
    let alone = |map: &&Map<String, Value>| map.len() == 1;
    let outer = call.json().and_then(Value::as_object).filter(alone);
    let wrapped = outer.and_then(|map| map.get("ensure_shares")?.as_object()).filter(alone);
    let host = wrapped.or(outer).and_then(|map| map.get("host")?.as_str());
    host.ok_or_else(|| {
        ApiError::bad_request("Invalid input. Expecting an object with a host and nothing else.")
    })
}

/// One transaction: every share is taken over and has an operation.
async fn begin(call: &Call, host: &str, now: Timestamp) -> Result<(), ApiError> {
    let mut tx = call.app.db.write().await?;
    let instances = share_instances::of_service_locked(&mut tx, host, &LOOKED_AT).await?;
    // Behind the locks: who came first has committed.
    if is_ensuring(&mut tx, host).await? {
        return Err(ApiError::conflict(format!(
            "The shares of host {host} are being ensured already."
        )));
    }
    for instance in &instances {
        let status = ShareStatus::Ensuring;
        let work = Work {
            kind: OperationKind::EnsureShare,
            resource_id: instance.id.uuid(),
            fence: share_instances::take_over(&mut tx, instance, status, now).await?,
            host: instance.host.as_deref(),
        };
        operation::enqueue(&mut tx, call, &work, &json!({})).await?;
    }
    Ok(tx.commit().await?)
}

async fn is_ensuring(tx: &mut Tx, host: &str) -> Result<bool, ApiError> {
    Ok(ensuring(tx).await?.iter().any(|service| service == host))
}

/// The hosts whose shares are being ensured.
///
/// # Errors
/// What the database says.
pub(super) async fn ensuring(tx: &mut Tx) -> Result<Vec<String>, ApiError> {
    Ok(operations::services_busy_with(tx, OperationKind::EnsureShare).await?)
}
