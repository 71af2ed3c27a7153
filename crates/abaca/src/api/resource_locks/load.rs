//! Finding the lock of a request, and who may do what to it.

use abaca_model::{LockContext, ResourceLock, ResourceLockId};
use abaca_store::{Tx, resource_locks};
use serde_json::json;

use super::view;
use crate::api::{ApiError, Call, Reply};
use crate::app::Target;

/// `GET /resource-locks/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let lock = visible(&call, &mut tx).await?;
    Reply::ok(&view::one(&call, &lock))
}

/// The lock in the path. Who may not see it is told what he is told of one that is not there.
///
/// # Errors
/// 404.
pub(super) async fn visible(call: &Call, tx: &mut Tx) -> Result<ResourceLock, ApiError> {
    let found = match call.id::<ResourceLockId>() {
        Some(id) => resource_locks::get(tx, id).await?,
        None => None,
    };
    match found {
        Some(lock) if call.allows("resource_lock:get", Some(&target(&lock))).await => Ok(lock),
        _ => Err(not_found(call)),
    }
}

pub(super) fn not_found(call: &Call) -> ApiError {
    ApiError::not_found(format!("Resource lock {} could not be found.", call.path("id")))
}

/// As what the caller places and removes locks.
pub(super) fn context(call: &Call) -> LockContext {
    if !call.caller.service_roles.is_empty() {
        LockContext::Service
    } else if call.caller.is_admin {
        LockContext::Admin
    } else {
        LockContext::User
    }
}

/// Refuses who may not do to the lock what `rule` is about, or is not as high as who placed it.
///
/// # Errors
/// 403.
pub(super) async fn authorise(
    call: &Call,
    rule: &str,
    lock: &ResourceLock,
) -> Result<(), ApiError> {
    call.authorise(rule, &target(lock)).await?;
    if context(call).may_change(lock.context) {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "Resource lock cannot be manipulated by user. Please contact the administrator.".to_owned(),
    ))
}

/// What a rule about a lock can compare the caller with.
pub(super) fn target(lock: &ResourceLock) -> Target {
    Target::from_iter([
        ("id".to_owned(), json!(lock.id)),
        ("project_id".to_owned(), json!(lock.project_id)),
        ("user_id".to_owned(), json!(lock.user_id)),
    ])
}
