//! What these routes take and show.

use abaca_model::SnapshotStatus;

use super::query::SORT_KEYS;
use super::reset::SETTABLE;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, boolean, boolean_word, fields, links, list_under, object, one_of, page_of, text, time,
    under, uuid,
};

fn status() -> Schema {
    one_of(SnapshotStatus::ALL.iter().map(|status| status.as_str()))
}

fn summary() -> Schema {
    object([("id", uuid()), ("snapshot_id", uuid()), ("status", status())])
        .named("SnapshotInstanceSummary")
}

fn instance() -> Schema {
    object([
        ("id", uuid()),
        ("snapshot_id", uuid()),
        ("created_at", time()),
        ("updated_at", time().or_null()),
        ("status", status()),
        ("share_id", uuid()),
        ("share_instance_id", uuid()),
        ("progress", text().or_null()),
        ("provider_location", text().or_null()),
    ])
    .named("SnapshotInstance")
}

pub(in crate::api) fn index() -> Contract {
    list("List snapshot instances", summary())
}

pub(in crate::api) fn detail() -> Contract {
    list("List snapshot instances with details", instance())
}

fn list(summary: &'static str, item: Schema) -> Contract {
    let moment = || text().about("An ISO 8601 time.");
    Contract::new(summary)
        .query([
            ("snapshot_id", text()),
            ("status", status()),
            ("share_id", uuid()),
            ("share_instance_id", uuid()),
            ("host", text().not_empty().about("host, host@backend or host@backend#pool.")),
            ("created_since", moment()),
            ("created_before", moment()),
            ("with_count", boolean_word()),
        ])
        .sorted_by(SORT_KEYS.iter().map(|(key, _)| *key))
        .pages()
        .shows(page_of("snapshot_instances", "snapshot_instances_links", item))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a snapshot instance").shows(under("snapshot_instance", instance()))
}

pub(in crate::api) fn reset_status() -> Contract {
    Contract::new("Set the status of a snapshot instance by hand")
        .takes(wanted_status(&SETTABLE))
        .accepted()
}

/// `{"status": "error"}`
pub(in crate::api) fn wanted_status(settable: &[SnapshotStatus]) -> Schema {
    let status = one_of(settable.iter().map(|status| status.as_str()));
    fields(&["status"], [("status", status)])
}

pub(in crate::api) fn export_locations() -> Contract {
    Contract::new("List the paths under which a snapshot instance can be mounted")
        .shows(export_location_list())
}

pub(in crate::api) fn export_location() -> Contract {
    Contract::new("Show a path under which a snapshot instance can be mounted")
        .shows(one_export_location())
}

/// Of snapshots and of their instances alike.
pub(in crate::api) fn export_location_list() -> Schema {
    let location = object([
        ("id", uuid()),
        ("path", text()),
        ("links", links()),
        ("share_snapshot_instance_id", uuid().for_administrators()),
        ("is_admin_only", boolean().for_administrators()),
    ]);
    list_under("share_snapshot_export_locations", location.named("SnapshotExportLocationSummary"))
}

pub(in crate::api) fn one_export_location() -> Schema {
    let location = object([
        ("id", uuid()),
        ("path", text()),
        ("links", links()),
        ("created_at", time()),
        ("updated_at", time().or_null()),
        ("share_snapshot_instance_id", uuid().for_administrators()),
        ("is_admin_only", boolean().for_administrators()),
    ]);
    under("share_snapshot_export_location", location.named("SnapshotExportLocation"))
}
