//! What administrators set by hand: the status they name, and the record of it.

use std::fmt::Display;

use abaca_model::{AuditId, Timestamp};
use abaca_store::Tx;
use abaca_store::audit::{self, AuditRecord};
use serde_json::Value;
use uuid::Uuid;

use super::{ApiError, Call};

/// The status that an action's body asks for, of those that can be set: `{"status": "error"}`.
///
/// # Errors
/// 400 that says what is missing, or names what there is to choose from.
pub(super) fn wanted_status<S: Copy + Display>(
    value: &Value,
    settable: &[S],
) -> Result<S, ApiError> {
    let wanted =
        value.get("status").ok_or_else(|| ApiError::bad_request("Must specify 'status'"))?;
    let is_wanted = |status: &&S| wanted.as_str().is_some_and(|text| text == status.to_string());
    settable.iter().find(is_wanted).copied().ok_or_else(|| {
        let valid: Vec<_> = settable.iter().map(ToString::to_string).collect();
        ApiError::bad_request(format!("Invalid state. Valid states: {}.", valid.join(", ")))
    })
}

/// Records that the caller did `action` to a resource, and so changed it `from` something `to`
/// something else.
///
/// # Errors
/// What the database says.
pub(super) async fn record(
    call: &Call,
    tx: &mut Tx,
    action: &str,
    (resource_type, resource_id): (&str, Uuid),
    (from, to): (&str, &str),
    now: Timestamp,
) -> Result<(), abaca_store::Error> {
    let record = AuditRecord {
        id: AuditId::random(),
        created_at: now,
        user_id: call.caller.user_id.clone(),
        project_id: call.caller.project_id.clone().unwrap_or_default(),
        request_id: call.request_id.to_string(),
        action: action.to_owned(),
        resource_type: resource_type.to_owned(),
        resource_id: resource_id.to_string(),
        status_from: from.to_owned(),
        status_to: to.to_owned(),
    };
    audit::insert(tx, &record).await
}
