//! What requests say of locks.

use abaca_model::{LockAction, LockedResource, LockedType};
use serde_json::Value;

use crate::api::{ApiError, Call, Fields};

/// The longest reason, in characters.
const REASON_LENGTH: usize = 1023;

/// What a new lock is on, what against, and why.
pub(super) struct Wanted<'a> {
    pub(super) resource: LockedResource,
    pub(super) action: LockAction,
    pub(super) reason: Option<&'a str>,
}

/// Reads the request for a new lock.
pub(super) fn wanted(call: &Call) -> Result<Wanted<'_>, ApiError> {
    let body = call.body("resource_lock")?;
    known(body, &["resource_id", "resource_type", "resource_action", "lock_reason"])?;
    let kind = word(body, "resource_type", LockedType::ALL, LockedType::as_str)?;
    let id = body.text("resource_id")?.and_then(|text| uuid::Uuid::try_parse(text).ok());
    let id = id.ok_or_else(|| {
        ApiError::bad_request("Resource ID is required and must be in uuid format.")
    })?;
    let resource = match kind.unwrap_or(LockedType::Share) {
        LockedType::Share => LockedResource::Share(id.into()),
        LockedType::AccessRule => LockedResource::AccessRule(id.into()),
    };
    let action = action(body, resource.kind())?.unwrap_or(LockAction::Delete);
    Ok(Wanted { resource, action, reason: reason(body)? })
}

/// What a lock becomes.
pub(super) struct Change<'a> {
    pub(super) action: Option<LockAction>,
    /// `Some(None)` takes the reason away.
    pub(super) reason: Option<Option<&'a str>>,
}

/// Reads the request to change a lock.
pub(super) fn change(call: &Call) -> Result<Change<'_>, ApiError> {
    let body = call.body("resource_lock")?;
    known(body, &["resource_action", "lock_reason"])?;
    let action = word(body, "resource_action", LockAction::ALL, LockAction::as_str)?;
    let reason = reason(body)?;
    Ok(Change { action, reason: body.has("lock_reason").then_some(reason) })
}

/// The reason for a lock.
pub(super) fn reason<'a>(body: Fields<'a>) -> Result<Option<&'a str>, ApiError> {
    body.text_up_to("lock_reason", REASON_LENGTH)
}

/// Refuses an action that nobody asks for with such a resource.
pub(super) fn check_action(action: LockAction, kind: LockedType) -> Result<(), ApiError> {
    if kind == LockedType::Share && action != LockAction::Delete {
        return Err(ApiError::bad_request("'resource_action' can only be one of ['delete']."));
    }
    Ok(())
}

fn action(body: Fields<'_>, kind: LockedType) -> Result<Option<LockAction>, ApiError> {
    let action = word(body, "resource_action", LockAction::ALL, LockAction::as_str)?;
    if let Some(action) = action {
        check_action(action, kind)?;
    }
    Ok(action)
}

fn word<T: Copy>(
    body: Fields<'_>,
    key: &str,
    known: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, ApiError> {
    let Some(value) = body.value(key) else { return Ok(None) };
    let found = known.iter().find(|word| value.as_str() == Some(name(**word)));
    found.copied().map(Some).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|word| name(*word)).collect();
        ApiError::bad_request(format!(
            "Invalid value {value} for {key}. Expecting one of {}.",
            names.join(", ")
        ))
    })
}

fn known(body: Fields<'_>, keys: &[&str]) -> Result<(), ApiError> {
    match body.0.iter().find(|(key, _): &(&String, &Value)| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some((key, _)) => Err(ApiError::bad_request(format!(
            "{key} can't be given. Expecting only: {}.",
            keys.join(", ")
        ))),
    }
}
