//! Changing and removing a lock.

use abaca_model::{LockedResource, ResourceLock, ShareId, Timestamp};
use abaca_store::access_rules::{self, Of};
use abaca_store::{Tx, resource_locks, retry_conflicts};
use axum::http::StatusCode;

use super::{body, create, load, view};
use crate::api::{ApiError, Call, Reply};

/// `PUT /resource-locks/{id}`
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    let change = body::change(&call)?;
    let found = found(&call, "resource_lock:update").await?;
    let mut lock = found.clone();
    if let Some(action) = change.action {
        body::check_action(action, lock.resource.kind())?;
        lock.action = action;
    }
    if let Some(reason) = change.reason {
        lock.reason = reason.map(str::to_owned);
    }
    let now = Timestamp::now();
    lock.updated_at = Some(now);
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        if lock.action != found.action {
            let share = share_of(&mut tx, &lock).await?.ok_or_else(|| load::not_found(&call))?;
            create::check(&mut tx, &lock, share).await.map_err(|error| match error {
                ApiError::Conflict(message) => ApiError::bad_request(message),
                other => other,
            })?;
        }
        let reason = lock.reason.as_deref();
        if !resource_locks::update(&mut tx, lock.id, lock.action, reason, now).await? {
            return Err(load::not_found(&call));
        }
        Ok(tx.commit().await?)
    })
    .await?;
    Reply::ok(&view::one(&call, &lock))
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
