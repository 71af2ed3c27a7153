//! An administrator has a backend check its shares and export them again.

use abaca_model::{OperationKind, ShareInstanceId, ShareStatus, Timestamp};
use abaca_store::services::SHARE_BINARY;
use abaca_store::{Tx, operations, retry_conflicts, services, share_instances};
use serde_json::{Map, Value, json};

use crate::api::operation::{self, Work};
use crate::api::{ApiError, Call, Reply};

/// The shares that are looked at: those in use, and those whose last look was given up half way.
const LOOKED_AT: [ShareStatus; 2] = [ShareStatus::Available, ShareStatus::Ensuring];
/// So many shares are taken over in one transaction: nobody waits long for their locks.
const BATCH: u64 = 100;

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
    let mut after = None;
    loop {
        after = retry_conflicts(|| begin(&call, host, after, now)).await?;
        call.app.nudge();
        if after.is_none() {
            return Ok(Reply::accepted());
        }
    }
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

/// One transaction: of the shares behind `after` a batch is taken over, and each has an operation.
/// Returns where the next batch begins, if there may be one.
async fn begin(
    call: &Call,
    host: &str,
    after: Option<ShareInstanceId>,
    now: Timestamp,
) -> Result<Option<ShareInstanceId>, ApiError> {
    let mut tx = call.app.db.write().await?;
    // The page is read without locks: a database may lock all that it looks at for it.
    let page = share_instances::ids_of_service(&mut tx, host, &LOOKED_AT, after, BATCH).await?;
    let mut instances = share_instances::all_locked(&mut tx, &page).await?;
    instances.retain(|instance| LOOKED_AT.contains(&instance.status));
    // Behind the locks: who came first has committed.
    if after.is_none() && is_ensuring(&mut tx, host).await? {
        return Err(ApiError::conflict(format!(
            "The shares of host {host} are being ensured already."
        )));
    }
    share_instances::take_over_all(&mut tx, &instances, ShareStatus::Ensuring, now).await?;
    let work = instances.iter().map(|instance| Work {
        kind: OperationKind::EnsureShare,
        resource_id: instance.id.uuid(),
        fence: instance.fence + 1,
        host: instance.host.as_deref(),
    });
    operation::enqueue_all(&mut tx, call, &work.collect::<Vec<_>>(), &json!({})).await?;
    tx.commit().await?;
    let is_full = page.len() as u64 == BATCH;
    Ok(page.last().copied().filter(|_| is_full))
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
