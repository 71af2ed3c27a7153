//! What these routes take and show.

use abaca_model::AccessRulesStatus;

use super::reset::SETTABLE;
use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, anything, boolean, boolean_word, fields, list_of, list_under, null, object, one_of,
    text, time, under, uuid,
};
use crate::api::shares::contract::status;

fn instance() -> Schema {
    object([
        ("id", uuid()),
        ("share_id", uuid()),
        ("availability_zone", text().or_null()),
        ("created_at", time()),
        ("host", text()),
        ("status", status()),
        ("share_network_id", null()),
        ("share_server_id", null()),
        ("export_location", text().or_null().until(V(2, 8))),
        ("export_locations", list_of(text()).until(V(2, 8))),
        (
            "access_rules_status",
            one_of(AccessRulesStatus::ALL.iter().map(|status| status.as_str())).since(V(2, 10)),
        ),
        ("replica_state", text().or_null().since(V(2, 11))),
        ("share_type_id", uuid().since(V(2, 22))),
        ("cast_rules_to_readonly", boolean().since(V(2, 30))),
        ("progress", text().or_null().since(V(2, 54))),
        ("updated_at", time().or_null().since(V(2, 71))),
    ])
    .named("ShareInstance")
}

pub(in crate::api) fn index() -> Contract {
    Contract::new("List share instances")
        .query([
            ("export_location_id", text().since(V(2, 35))),
            ("export_location_path", text().since(V(2, 35))),
            ("is_soft_deleted", boolean_word().since(V(2, 69))),
            ("status", text().since(V(2, 35)).for_administrators()),
            ("host", text().since(V(2, 35)).for_administrators()),
            ("share_server_id", text().since(V(2, 35)).for_administrators()),
            ("encryption_key_ref", text().since(V(2, 35)).for_administrators()),
        ])
        .shows(list_under("share_instances", instance()))
}

pub(in crate::api) fn of_share() -> Contract {
    Contract::new("List the instances of a share").shows(list_under("share_instances", instance()))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a share instance").shows(under("share_instance", instance()))
}

pub(in crate::api) fn reset_status() -> Contract {
    Contract::new("Set the status of a share instance by hand").takes(wanted_status()).accepted()
}

/// `{"status": "error"}`
pub(in crate::api) fn wanted_status() -> Schema {
    let status = one_of(SETTABLE.iter().map(|status| status.as_str()));
    fields(&["status"], [("status", status)])
}

pub(in crate::api) fn force_delete() -> Contract {
    Contract::new("Delete a share instance whatever its status")
        .takes(anything())
        .accepted()
        .fault(409)
}
