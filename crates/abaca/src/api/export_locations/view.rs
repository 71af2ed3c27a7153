//! Export locations in JSON, as each version of the API shows them.

use abaca_model::{ExportLocation, ShareInstance};
use abaca_store::export_work::PREFERRED;
use serde_json::{Value, json};

use crate::api::body::lenient_bool;
use crate::api::{ApiError, Call, Reply, V};

/// 200 with a list.
pub(super) fn list(call: &Call, locations: &[ExportLocation]) -> Result<Reply, ApiError> {
    let shown: Vec<_> = locations.iter().map(|location| summary(call, location)).collect();
    Reply::ok(&json!({ "export_locations": shown }))
}

/// 200 with one of them.
pub(super) fn detail(call: &Call, location: &ExportLocation) -> Result<Reply, ApiError> {
    Reply::ok(&json!({ "export_location": with_times(call, location) }))
}

/// As [`list`], of a replica: with what tells it from others.
pub(super) fn list_of_replica(
    call: &Call,
    replica: &ShareInstance,
    locations: &[ExportLocation],
) -> Result<Reply, ApiError> {
    let shown = |location| with_replica(summary(call, location), replica);
    let shown: Vec<_> = locations.iter().map(shown).collect();
    Reply::ok(&json!({ "export_locations": shown }))
}

/// As [`detail`], of a replica.
pub(super) fn detail_of_replica(
    call: &Call,
    replica: &ShareInstance,
    location: &ExportLocation,
) -> Result<Reply, ApiError> {
    let shown = with_replica(with_times(call, location), replica);
    Reply::ok(&json!({ "export_location": shown }))
}

fn with_replica(mut shown: Value, replica: &ShareInstance) -> Value {
    shown["replica_state"] = json!(replica.replica_state);
    shown["availability_zone"] = json!(replica.availability_zone);
    shown
}

fn with_times(call: &Call, location: &ExportLocation) -> Value {
    let mut shown = summary(call, location);
    shown["created_at"] = json!(location.created_at);
    // Clients read a time here, whether there was a change or not.
    shown["updated_at"] = json!(location.updated_at.unwrap_or(location.created_at));
    shown
}

fn summary(call: &Call, location: &ExportLocation) -> Value {
    let mut shown = json!({ "id": location.id, "path": location.path });
    if call.since(V(2, 14)) {
        let preferred = location.metadata.get(PREFERRED);
        shown["preferred"] = json!(preferred.is_some_and(|value| lenient_bool(value)));
    }
    if call.since(V(2, 87)) {
        let others = location.metadata.iter().filter(|(name, _)| *name != PREFERRED);
        shown["metadata"] = others.map(|(name, value)| (name.clone(), json!(value))).collect();
    }
    if call.caller.is_admin {
        shown["share_instance_id"] = json!(location.share_instance_id);
        shown["is_admin_only"] = json!(location.is_admin_only);
    }
    shown
}
