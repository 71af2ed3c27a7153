//! What these routes take and show.

use abaca_model::SnapshotStatus;

use super::query::SORT_KEYS;
use super::reset::SETTABLE;
use crate::api::V;
use crate::api::metadata::contract::given;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, anything, boolean_word, fields, integer, lenient_boolean, links, object, one_of,
    page_of, pairs, text, time, under, uuid,
};
use crate::api::shares::contract::{all_tenants, driver_options};
use crate::api::snapshot_instances::contract::{
    export_location_list, one_export_location, wanted_status,
};

fn summary() -> Schema {
    object([("id", uuid()), ("name", text().or_null()), ("links", links())])
        .named("SnapshotSummary")
}

fn snapshot() -> Schema {
    object([
        ("id", uuid()),
        ("share_id", uuid()),
        ("share_size", integer().about("GiB.")),
        ("created_at", time()),
        ("status", one_of(SnapshotStatus::ALL.iter().map(|status| status.as_str()))),
        ("name", text().or_null()),
        ("description", text().or_null()),
        ("size", integer().about("GiB.")),
        ("share_proto", text()),
        ("links", links()),
        ("provider_location", text().or_null().since(V(2, 12)).for_administrators()),
        ("user_id", text().since(V(2, 17))),
        ("project_id", text().since(V(2, 17))),
        ("metadata", pairs().since(V(2, 73))),
    ])
    .named("Snapshot")
}

pub(in crate::api) fn index() -> Contract {
    list("List snapshots", boolean_word().since(V(2, 79)), summary())
}

pub(in crate::api) fn detail() -> Contract {
    list("List snapshots with details", boolean_word(), snapshot())
}

fn list(summary: &'static str, with_count: Schema, item: Schema) -> Contract {
    let words = || text().not_empty();
    let number = || integer();
    Contract::new(summary)
        .query([
            ("all_tenants", all_tenants()),
            ("name", words()),
            ("display_name", words()),
            ("status", words()),
            ("share_id", words()),
            ("size", number()),
            ("description", words().since(V(2, 36))),
            ("display_description", words().since(V(2, 36))),
            ("name~", words().since(V(2, 36))),
            ("display_name~", words().since(V(2, 36))),
            ("description~", words().since(V(2, 36))),
            ("display_description~", words().since(V(2, 36))),
            ("metadata", text().since(V(2, 73)).about("A dictionary, as {'key': 'value'}.")),
            ("with_count", with_count),
        ])
        .query([
            ("id", words().for_administrators()),
            ("user_id", words().for_administrators()),
            ("project_id", words().for_administrators()),
            ("share_proto", words().for_administrators()),
            ("share_size", number().for_administrators()),
            ("usage", one_of(["any", "used", "unused"]).for_administrators()),
        ])
        .sorted_by(SORT_KEYS.iter().map(|(key, _)| *key))
        .pages()
        .shows(page_of("snapshots", "share_snapshots_links", item))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a snapshot").shows(under("snapshot", snapshot()))
}

pub(in crate::api) fn create() -> Contract {
    let name = || text().up_to(255).or_null();
    let wanted = fields(
        &["share_id"],
        [
            ("share_id", text()),
            ("name", name()),
            ("display_name", name()),
            ("description", name()),
            ("display_description", name()),
            ("force", lenient_boolean().or_null()),
            ("metadata", given().or_null().since(V(2, 73))),
        ],
    );
    Contract::new("Take a snapshot of a share")
        .takes(fields(&["snapshot"], [("snapshot", wanted)]))
        .answers(202, Some(under("snapshot", snapshot())))
        .fault(409)
        .fault(422)
}

pub(in crate::api) fn manage() -> Contract {
    let name = || text().up_to(255).or_null();
    let wanted = fields(
        &["share_id", "provider_location"],
        [
            ("share_id", text().not_empty()),
            ("provider_location", text().not_empty()),
            ("name", name()),
            ("display_name", name()),
            ("description", name()),
            ("display_description", name()),
            ("driver_options", driver_options()),
            ("metadata", given().or_null().since(V(2, 73))),
        ],
    );
    Contract::new("Take a snapshot into use that a backend holds already")
        .takes(fields(&["snapshot"], [("snapshot", wanted)]))
        .answers(202, Some(under("snapshot", snapshot())))
        .fault(409)
        .fault(422)
}

pub(in crate::api) fn unmanage() -> Contract {
    Contract::new("Forget a snapshot, whose bytes stay where they are")
        .takes(anything())
        .accepted()
        .fault(409)
}

pub(in crate::api) fn update() -> Contract {
    let name = || text().up_to(255).or_null();
    let wanted = fields(&[], [("display_name", name()), ("display_description", name())]);
    Contract::new("Rename a snapshot")
        .takes(fields(&["snapshot"], [("snapshot", wanted)]))
        .shows(under("snapshot", snapshot()))
        .fault(422)
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Delete a snapshot").accepted().fault(409)
}

pub(in crate::api) fn reset_status() -> Contract {
    Contract::new("Set the status of a snapshot by hand").takes(wanted_status(&SETTABLE)).accepted()
}

pub(in crate::api) fn force_delete() -> Contract {
    Contract::new("Delete a snapshot whatever its status").takes(anything()).accepted().fault(409)
}

pub(in crate::api) fn export_locations() -> Contract {
    Contract::new("List the paths under which a snapshot can be mounted")
        .shows(export_location_list())
}

pub(in crate::api) fn export_location() -> Contract {
    Contract::new("Show a path under which a snapshot can be mounted").shows(one_export_location())
}
