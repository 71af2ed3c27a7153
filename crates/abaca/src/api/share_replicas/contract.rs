//! What these routes take and show.

use super::reset::STATES;
use crate::api::V;
use crate::api::metadata::contract::given;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, anything, boolean, fields, lenient_integer, links, list_of, null, object, one_of,
    pairs, text, time, under, uuid,
};
use crate::api::share_instances::contract::wanted_status;
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
    list("List share replicas with details", replica())
}

fn replica() -> Schema {
    object([
        ("id", uuid()),
        ("share_id", uuid()),
        ("status", status()),
        ("replica_state", text().or_null()),
        ("availability_zone", text().or_null()),
        ("created_at", time()),
        ("updated_at", time().or_null()),
        ("share_network_id", null()),
        ("share_server_id", null().for_administrators()),
        ("host", text().for_administrators()),
        ("cast_rules_to_readonly", boolean().since(V(2, 30)).for_administrators()),
        ("metadata", pairs().since(V(2, 95))),
    ])
    .named("ShareReplica")
}

fn list(summary: &'static str, item: Schema) -> Contract {
    let page =
        object([("share_replicas", list_of(item)), ("share_replica_links", links().optional())]);
    Contract::new(summary).query([("share_id", text())]).pages().shows(page)
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a share replica").shows(under("share_replica", replica()))
}

pub(in crate::api) fn create() -> Contract {
    let hints = fields(&[], [("only_host", text().or_null())]);
    let wanted = fields(
        &["share_id"],
        [
            ("share_id", text().not_empty()),
            ("availability_zone", text().or_null()),
            ("share_network_id", text().or_null().about("There are none.")),
            ("scheduler_hints", hints.or_null().since(V(2, 67))),
            ("metadata", given().or_null().since(V(2, 95))),
        ],
    );
    Contract::new("Create a replica of a share")
        .takes(fields(&["share_replica"], [("share_replica", wanted)]))
        .answers(202, Some(under("share_replica", replica())))
        .fault(413)
        .fault(422)
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Delete a share replica").accepted()
}

pub(in crate::api) fn force_delete() -> Contract {
    Contract::new("Delete a share replica whatever its status").takes(anything()).accepted()
}

pub(in crate::api) fn promote() -> Contract {
    let seconds = lenient_integer().or_null().since(V(2, 75));
    Contract::new("Make a share replica the active one")
        .takes(fields(&[], [("quiesce_wait_time", seconds)]).or_null())
        .answers(200, None)
        .answers(202, Some(under("share_replica", replica())))
}

pub(in crate::api) fn resync() -> Contract {
    Contract::new("Bring a share replica up to date")
        .takes(anything())
        .answers(200, None)
        .accepted()
}

pub(in crate::api) fn reset_status() -> Contract {
    Contract::new("Set the status of a share replica by hand").takes(wanted_status()).accepted()
}

pub(in crate::api) fn reset_replica_state() -> Contract {
    Contract::new("Set the replica state of a share replica by hand")
        .takes(fields(&["replica_state"], [("replica_state", one_of(STATES))]))
        .accepted()
        .fault(409)
}
