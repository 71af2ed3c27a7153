//! Changing and removing a lock.

use abaca_model::{LockedResource, ResourceLock, ShareId, Timestamp};
use abaca_store::access_rules::{self, Of};
use abaca_store::{Tx, resource_locks, retry_conflicts};
use axum::http::StatusCode;

use super::body::{self, Change};
use super::{create, load, view};
use crate::api::{ApiError, Call, Reply};

/// `PUT /resource-locks/{id}`
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    let change = body::change(&call)?;
    let found = found(&call, "resource_lock:update").await?;
    if let Some(action) = change.action {
        body::check_action(action, found.resource.kind())?;
    }
    let now = Timestamp::now();
    let lock = retry_conflicts(|| apply(&call, &found, &change, now)).await?;
    Reply::ok(&view::one(&call, &lock))
}

/// Changes the lock as it is by now: of two changes at the same time, neither undoes the other. What
/// is locked never changes, so `found` tells which share to hold.
async fn apply(
    call: &Call,
    found: &ResourceLock,
    change: &Change<'_>,
    now: Timestamp,
) -> Result<ResourceLock, ApiError> {
    let gone = || load::not_found(call);
    let mut tx = call.app.db.write().await?;
    let share = share_of(&mut tx, found).await?.ok_or_else(gone)?;
    let held = create::hold(&mut tx, share).await?;
    let mut lock = resource_locks::get(&mut tx, found.id).await?.ok_or_else(gone)?;
    let action = change.action.unwrap_or(lock.action);
    if action != lock.action {
        lock.action = action;
        held.check(&mut tx, &lock).await.map_err(create::as_bad_request)?;
    }
    if let Some(reason) = change.reason {
        lock.reason = reason.map(str::to_owned);
    }
    lock.updated_at = Some(now);
    if !resource_locks::update(&mut tx, lock.id, action, lock.reason.as_deref(), now).await? {
        return Err(gone());
    }
    tx.commit().await?;
    Ok(lock)
}

/// `DELETE /resource-locks/{id}`
pub(crate) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let lock = found(&call, "resource_lock:delete").await?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        if !resource_locks::delete(&mut tx, lock.id).await? {
            return Err(load::not_found(&call));
        }
        Ok(tx.commit().await?)
    })
    .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn found(call: &Call, rule: &str) -> Result<ResourceLock, ApiError> {
    let mut tx = call.app.db.read().await?;
    let lock = load::visible(call, &mut tx).await?;
    drop(tx);
    load::authorise(call, rule, &lock).await?;
    Ok(lock)
}

/// The share that is locked, or whose rule is.
async fn share_of(tx: &mut Tx, lock: &ResourceLock) -> Result<Option<ShareId>, ApiError> {
    match lock.resource {
        LockedResource::Share(id) => Ok(Some(id)),
        LockedResource::AccessRule(id) => {
            let rule = access_rules::get(tx, Of::Shares, id).await?;
            Ok(rule.map(|rule| rule.resource_id.into()))
        }
    }
}
