//! What these routes take and show.

use abaca_model::{AccessLevel, AccessRulesStatus, AccessState, AccessType};

use crate::api::V;
use crate::api::metadata::contract::given;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, fields, lenient_boolean, list_under, object, one_of, pairs, text, time, under, uuid,
};

fn level() -> Schema {
    one_of(AccessLevel::ALL.iter().map(|level| level.as_str()))
}

fn client_type() -> Schema {
    one_of(AccessType::ALL.iter().map(|client| client.as_str()))
}

/// Before 2.28 that of all rules of the share together.
fn state() -> Schema {
    let of_rules = AccessState::ALL.iter().map(|state| state.as_str());
    let of_shares = AccessRulesStatus::ALL.iter().map(|status| status.as_str()).chain(["new"]);
    let mut words: Vec<&str> = of_rules.chain(of_shares).collect();
    words.sort_unstable();
    words.dedup();
    one_of(words)
}

fn in_list() -> Schema {
    object([
        ("id", uuid()),
        ("access_level", level()),
        ("access_to", text()),
        ("access_type", client_type()),
        ("state", state()),
        ("access_key", text().or_null().since(V(2, 21))),
        ("created_at", time().since(V(2, 33))),
        ("updated_at", time().or_null().since(V(2, 33))),
        ("metadata", pairs().since(V(2, 45))),
    ])
    .named("ListedAccessRule")
}

fn rule() -> Schema {
    object([
        ("id", uuid()),
        ("share_id", uuid()),
        ("access_level", level()),
        ("access_to", text()),
        ("access_type", client_type()),
        ("state", state()),
        ("access_key", text().or_null().since(V(2, 21))),
        ("created_at", time().since(V(2, 33))),
        ("updated_at", time().or_null().since(V(2, 33))),
        ("metadata", pairs().since(V(2, 45))),
    ])
    .named("AccessRule")
}

pub(in crate::api) fn list_of_share() -> Contract {
    Contract::new("List the access rules of a share").shows(list_under("access_list", in_list()))
}

pub(in crate::api) fn index() -> Contract {
    list_of_share().needs([("share_id", text())]).query([
        ("id", text()),
        ("access_type", text()),
        ("access_key", text()),
        ("access_to", text()),
        ("access_level", text()),
        ("metadata", text().about("A dictionary, as {'key': 'value'}.")),
    ])
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show an access rule").shows(under("access", rule()))
}

pub(in crate::api) fn allow() -> Contract {
    let lock = || lenient_boolean().or_null().since(V(2, 82));
    let body = fields(
        &["access_type", "access_to"],
        [
            ("access_type", client_type()),
            ("access_to", text()),
            ("access_level", level().or_null()),
            ("metadata", given().or_null().since(V(2, 45))),
            ("lock_visibility", lock()),
            ("lock_deletion", lock()),
            ("lock_reason", text().up_to(1023).or_null().since(V(2, 82))),
        ],
    );
    Contract::new("Let a client mount a share").takes(body).shows(under("access", rule()))
}

pub(in crate::api) fn deny() -> Contract {
    Contract::new("No longer let a client mount a share")
        .takes(fields(
            &["access_id"],
            [("access_id", text()), ("unrestrict", lenient_boolean().or_null())],
        ))
        .accepted()
}

pub(in crate::api) fn update() -> Contract {
    let wanted = fields(&["access_level"], [("access_level", level())]);
    Contract::new("Change what a client may do with a share")
        .takes(fields(&["update_access"], [("update_access", wanted)]))
        .shows(under("access", rule()))
}

pub(in crate::api) fn update_metadata() -> Contract {
    Contract::new("Add metadata to an access rule")
        .takes(fields(&["metadata"], [("metadata", given())]))
        .shows(under("metadata", pairs()))
}

pub(in crate::api) fn delete_metadata() -> Contract {
    Contract::new("Remove metadata of an access rule").answers(200, None)
}

fn snapshot_rule() -> Schema {
    object([
        ("id", uuid()),
        ("access_type", client_type()),
        ("access_to", text()),
        ("state", one_of(AccessState::ALL.iter().map(|state| state.as_str()))),
    ])
    .named("SnapshotAccessRule")
}

pub(in crate::api) fn list_of_snapshot() -> Contract {
    Contract::new("List the access rules of a snapshot")
        .shows(list_under("snapshot_access_list", snapshot_rule()))
}

pub(in crate::api) fn allow_to_snapshot() -> Contract {
    let clients = AccessType::ALL.iter().filter(|client| **client != AccessType::Cephx);
    let body = fields(
        &["access_type", "access_to"],
        [
            ("access_type", one_of(clients.map(|client| client.as_str()))),
            ("access_to", text().not_empty()),
        ],
    );
    Contract::new("Let a client mount a snapshot")
        .takes(body)
        .answers(202, Some(under("snapshot_access", snapshot_rule())))
}

pub(in crate::api) fn deny_to_snapshot() -> Contract {
    Contract::new("No longer let a client mount a snapshot")
        .takes(fields(&["access_id"], [("access_id", text().not_empty())]))
        .accepted()
}
