//! What these routes show.

use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, boolean, list_under, object, pairs, text, time, under, uuid,
};

/// What every view shows.
fn shown() -> Vec<(&'static str, Schema)> {
    vec![
        ("id", uuid()),
        ("path", text()),
        ("preferred", boolean().since(V(2, 14))),
        ("metadata", pairs().since(V(2, 87))),
        ("share_instance_id", uuid().for_administrators()),
        ("is_admin_only", boolean().for_administrators()),
    ]
}

fn times() -> [(&'static str, Schema); 2] {
    [("created_at", time()), ("updated_at", time())]
}

/// What tells a replica from others.
fn of_replica() -> [(&'static str, Schema); 2] {
    [("replica_state", text().or_null()), ("availability_zone", text().or_null())]
}

fn summary() -> Schema {
    object(shown()).named("ExportLocationSummary")
}

fn location() -> Schema {
    object(shown().into_iter().chain(times())).named("ExportLocation")
}

pub(in crate::api) fn list() -> Contract {
    Contract::new("List the paths under which it can be mounted")
        .shows(list_under("export_locations", summary()))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a path under which it can be mounted")
        .shows(under("export_location", location()))
}

pub(in crate::api) fn list_of_replica() -> Contract {
    let location = object(shown().into_iter().chain(of_replica()));
    Contract::new("List the paths under which a replica can be mounted")
        .shows(list_under("export_locations", location.named("ReplicaExportLocationSummary")))
}

pub(in crate::api) fn show_of_replica() -> Contract {
    let location = object(shown().into_iter().chain(times()).chain(of_replica()));
    Contract::new("Show a path under which a replica can be mounted")
        .shows(under("export_location", location.named("ReplicaExportLocation")))
}
