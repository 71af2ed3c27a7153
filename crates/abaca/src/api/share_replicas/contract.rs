//! What these routes take and show.

use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{Schema, boolean, list_under, null, object, text, time, uuid};
use crate::api::shares::contract::status;

pub(in crate::api) fn index() -> Contract {
    let replica = object([
        ("id", uuid()),
        ("share_id", uuid()),
        ("status", status()),
        ("replica_state", text().or_null()),
    ]);
    list("List share replicas", replica.named("ShareReplicaSummary"))
}

pub(in crate::api) fn detail() -> Contract {
    let replica = object([
        ("id", uuid()),
        ("share_id", uuid()),
        ("status", status()),
        ("replica_state", text().or_null()),
        ("availability_zone", text().or_null()),
        ("created_at", time()),
        ("updated_at", time().or_null()),
        ("share_network_id", null()),
        ("share_server_id", null().for_administrators()),
        ("host", text().or_null().for_administrators()),
        ("cast_rules_to_readonly", boolean().since(V(2, 30)).for_administrators()),
    ]);
    list("List share replicas with details", replica.named("ShareReplica"))
}

fn list(summary: &'static str, item: Schema) -> Contract {
    Contract::new(summary).query([("share_id", text())]).shows(list_under("share_replicas", item))
}
