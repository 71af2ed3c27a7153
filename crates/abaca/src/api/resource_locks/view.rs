//! Locks in JSON.

use abaca_model::ResourceLock;
use serde_json::{Value, json};

use crate::api::{Call, Links};

/// The body about one lock.
pub(super) fn one(call: &Call, lock: &ResourceLock) -> Value {
    json!({ "resource_lock": shown(lock, &call.links) })
}

pub(super) fn shown(lock: &ResourceLock, links: &Links) -> Value {
    json!({
        "id": lock.id,
        "user_id": lock.user_id,
        "project_id": lock.project_id,
        "lock_context": lock.context,
        "resource_type": lock.resource.kind(),
        "resource_id": lock.resource.uuid(),
        "resource_action": lock.action,
        "lock_reason": lock.reason,
        "created_at": lock.created_at,
        "updated_at": lock.updated_at,
        "links": links.resource("resource-locks", &lock.id.to_string()),
    })
}
