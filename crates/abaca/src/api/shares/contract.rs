//! What these routes take and show.

use abaca_model::{AccessRulesStatus, ShareStatus, TaskState};

use super::create::PROTOCOLS;
use super::query::SORT_KEYS;
use crate::api::V;
use crate::api::metadata::contract::given;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, any_case_of, any_of, anything, boolean, boolean_word, fields, integer, lenient_boolean,
    lenient_integer, links, list_of, null, object, one_of, page_of, pairs, text, time, under, uuid,
};
use crate::api::share_instances::contract::wanted_status;

/// The status of a share or of one of its instances.
pub(in crate::api) fn status() -> Schema {
    one_of(ShareStatus::ALL.iter().map(|status| status.as_str())).named("ShareStatus")
}

/// Before 2.28 rules that are being changed are `out_of_sync`.
fn access_rules_status() -> Schema {
    let statuses = AccessRulesStatus::ALL.iter().map(|status| status.as_str());
    one_of(statuses.chain(["out_of_sync"])).named("AccessRulesStatus")
}

fn task_state() -> Schema {
    one_of(TaskState::ALL.iter().map(|state| state.as_str())).or_null()
}

fn summary() -> Schema {
    object([("id", uuid()), ("name", text().or_null()), ("links", links())]).named("ShareSummary")
}

fn share() -> Schema {
    object([
        ("id", uuid()),
        ("size", integer().or_null().about("GiB; null until a share that is managed is in use.")),
        ("created_at", time()),
        ("name", text().or_null()),
        ("description", text().or_null()),
        ("project_id", text()),
        ("snapshot_id", uuid().or_null().about("What the share was made from.")),
        ("share_network_id", null()),
        ("share_proto", text()),
        ("share_type", text().about("The id of the share type; before 2.6 its name.")),
        ("volume_type", text().about("The name of the share type.")),
        ("links", links()),
        ("is_public", boolean()),
        ("status", status()),
        ("availability_zone", text().or_null()),
        ("metadata", pairs()),
        ("export_location", text().or_null().until(V(2, 8))),
        ("export_locations", list_of(text()).until(V(2, 8))),
        ("snapshot_support", boolean().since(V(2, 2))),
        ("task_state", task_state().since(V(2, 5))),
        ("share_type_name", text().since(V(2, 6))),
        ("access_rules_status", access_rules_status().since(V(2, 10))),
        ("replication_type", text().or_null().since(V(2, 11))),
        ("has_replicas", boolean().since(V(2, 11))),
        ("user_id", text().since(V(2, 16))),
        ("create_share_from_snapshot_support", boolean().since(V(2, 24))),
        ("revert_to_snapshot_support", boolean().since(V(2, 27))),
        ("share_group_id", null().since(V(2, 31))),
        ("source_share_group_snapshot_member_id", null().since(V(2, 31))),
        ("mount_snapshot_support", boolean().since(V(2, 32))),
        ("progress", text().or_null().since(V(2, 54))),
        ("is_soft_deleted", boolean().since(V(2, 69))),
        ("scheduled_to_be_deleted_at", time().or_null().since(V(2, 69))),
        ("source_backup_id", null().since(V(2, 80))),
        ("encryption_key_ref", null().since(V(2, 90))),
        ("snapshot_inherit_share_access_support", boolean().since(V(2, 99))),
        ("share_server_id", null().for_administrators()),
        ("host", text().for_administrators()),
    ])
    .named("Share")
}

pub(in crate::api) fn index() -> Contract {
    list("List shares", boolean_word().since(V(2, 42)), summary())
}

pub(in crate::api) fn detail() -> Contract {
    list("List shares with details", boolean_word(), share())
}

/// Nothing behind the `=` is a yes.
pub(in crate::api) fn all_tenants() -> Schema {
    any_of([boolean_word(), text().exactly("")])
}

fn list(summary: &'static str, with_count: Schema, item: Schema) -> Contract {
    let dictionary = || text().about("A dictionary, as {'key': 'value'}.");
    Contract::new(summary)
        .query([
            ("all_tenants", all_tenants()),
            ("is_public", boolean_word().about("With the public shares of all projects.")),
            ("name", text()),
            ("display_name", text()),
            ("display_description", text()),
            ("status", text()),
            ("snapshot_id", text()),
            ("share_type_id", text()),
            ("host", text()),
            ("project_id", text()),
            ("mount_point_name", text()),
            ("metadata", dictionary()),
            ("extra_specs", dictionary()),
            ("share_network_id", text()),
            ("share_group_id", text()),
            ("share_server_id", text()),
            ("with_count", with_count),
        ])
        .query([
            ("export_location_id", text().since(V(2, 35))),
            ("export_location_path", text().since(V(2, 35))),
            ("description", text().since(V(2, 36))),
            ("name~", text().since(V(2, 36))),
            ("display_name~", text().since(V(2, 36))),
            ("description~", text().since(V(2, 36))),
            ("display_description~", text().since(V(2, 36))),
            ("is_soft_deleted", boolean_word().since(V(2, 69))),
            ("encryption_key_ref", text().since(V(2, 90)).for_administrators()),
            ("availability_zone", text().since(V(2, 97))),
        ])
        .sorted_by(SORT_KEYS.iter().map(|(key, _)| *key))
        .pages()
        .shows(page_of("shares", "shares_links", item))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a share").shows(under("share", share()))
}

pub(in crate::api) fn create() -> Contract {
    let name = || text().up_to(255).or_null();
    let optional = || text().or_null();
    let hints = fields(
        &[],
        [
            ("same_host", optional().about("Ids of shares, separated by commas.")),
            ("different_host", optional().about("Ids of shares, separated by commas.")),
            ("only_host", optional().since(V(2, 67)).about("host@backend#pool")),
        ],
    );
    let wanted = fields(
        &["share_proto"],
        [
            ("share_proto", any_case_of(PROTOCOLS)),
            (
                "size",
                lenient_integer().or_null().about("GiB; that of the snapshot if it is absent."),
            ),
            ("name", name()),
            ("display_name", name()),
            ("description", name()),
            ("display_description", name()),
            ("share_type", optional().about("Its name or id.")),
            ("volume_type", optional().about("The share type.")),
            ("snapshot_id", optional()),
            ("is_public", lenient_boolean()),
            ("metadata", given().or_null()),
            ("availability_zone", optional()),
            ("share_network_id", optional()),
            ("share_group_id", optional().since(V(2, 31))),
            ("scheduler_hints", hints.or_null().since(V(2, 65))),
            ("mount_point_name", optional().since(V(2, 84))),
            ("encryption_key_ref", optional().since(V(2, 90))),
        ],
    );
    Contract::new("Ask for a share")
        .takes(fields(&["share"], [("share", wanted)]))
        .shows(under("share", share()))
        .fault(409)
        .fault(422)
}

/// What a backend may want to know. Only the size is read.
pub(in crate::api) fn driver_options() -> Schema {
    fields(&[], [("size", lenient_integer().about("GiB."))]).or_null()
}

pub(in crate::api) fn manage() -> Contract {
    let name = || text().up_to(255).or_null();
    let optional = || text().or_null();
    let path = any_of([text().not_empty(), fields(&["path"], [("path", text().not_empty())])]);
    let wanted = fields(
        &["export_path", "service_host", "protocol"],
        [
            ("export_path", path),
            ("service_host", text().not_empty().about("host@backend#pool")),
            ("protocol", text().not_empty()),
            ("share_type", optional().about("Its name or id.")),
            ("name", name()),
            ("display_name", name()),
            ("description", name()),
            ("display_description", name()),
            ("driver_options", driver_options()),
            ("is_public", lenient_boolean().since(V(2, 8))),
            ("share_server_id", optional().since(V(2, 49))),
            ("mount_point_name", optional().since(V(2, 92))),
        ],
    );
    Contract::new("Take a share into use that a backend holds already")
        .takes(fields(&["share"], [("share", wanted)]))
        .shows(under("share", share()))
        .fault(409)
        .fault(422)
}

pub(in crate::api) fn unmanage() -> Contract {
    unmanage_before_2_7().takes(anything())
}

pub(in crate::api) fn unmanage_before_2_7() -> Contract {
    Contract::new("Forget a share, whose bytes stay where they are").accepted().fault(409)
}

pub(in crate::api) fn update() -> Contract {
    let name = || text().up_to(255).or_null();
    let wanted = fields(
        &[],
        [
            ("display_name", name()),
            ("display_description", name()),
            ("is_public", lenient_boolean()),
        ],
    );
    Contract::new("Rename a share, or show it to other projects")
        .takes(fields(&["share"], [("share", wanted)]))
        .shows(under("share", share()))
        .fault(422)
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Delete a share").accepted().fault(409)
}

pub(in crate::api) fn force_delete() -> Contract {
    Contract::new("Delete a share whatever its status").takes(anything()).accepted().fault(409)
}

pub(in crate::api) fn extend() -> Contract {
    let size = lenient_integer().about("GiB.");
    let force = lenient_boolean().or_null().since(V(2, 64));
    Contract::new("Grow a share")
        .takes(fields(&["new_size"], [("new_size", size), ("force", force)]))
        .accepted()
}

pub(in crate::api) fn shrink() -> Contract {
    let size = lenient_integer().about("GiB.");
    Contract::new("Shrink a share").takes(fields(&["new_size"], [("new_size", size)])).accepted()
}

pub(in crate::api) fn revert() -> Contract {
    Contract::new("Give a share the bytes of its latest snapshot")
        .takes(fields(&["snapshot_id"], [("snapshot_id", text())]))
        .accepted()
        .fault(409)
}

pub(in crate::api) fn reset_status() -> Contract {
    Contract::new("Set the status of a share by hand").takes(wanted_status()).accepted()
}

pub(in crate::api) fn reset_task_state() -> Contract {
    Contract::new("Set by hand where the migration of a share stands")
        .takes(fields(&["task_state"], [("task_state", task_state())]))
        .accepted()
}

pub(in crate::api) fn start_migration() -> Contract {
    let id = || text().or_null();
    let wanted = [
        ("host", text().up_to(255).about("host@backend#pool.")),
        ("writable", lenient_boolean()),
        ("nondisruptive", lenient_boolean()),
        ("preserve_metadata", lenient_boolean()),
        ("preserve_snapshots", lenient_boolean()),
        ("force_host_assisted_migration", lenient_boolean().or_null()),
        ("new_share_network_id", id()),
        ("new_share_type_id", id()),
    ];
    let needed = ["host", "writable", "nondisruptive", "preserve_metadata", "preserve_snapshots"];
    Contract::new("Move a share to another pool")
        .takes(fields(&needed, wanted))
        .accepted()
        .answers(200, None)
        .fault(409)
        .fault(413)
}

pub(in crate::api) fn complete_migration() -> Contract {
    Contract::new("Complete the migration of a share").takes(anything()).accepted()
}

pub(in crate::api) fn cancel_migration() -> Contract {
    Contract::new("Cancel the migration of a share").takes(anything()).accepted()
}

pub(in crate::api) fn migration_progress_by_action() -> Contract {
    migration_progress().takes(anything())
}

pub(in crate::api) fn migration_progress() -> Contract {
    let bytes = || integer().optional();
    let details =
        object([("total_bytes", bytes()), ("copied_bytes", bytes()), ("compared_bytes", bytes())]);
    let shown = object([
        ("total_progress", integer().about("Percent.")),
        ("task_state", task_state()),
        ("details", details.since(V(2, 59))),
    ]);
    Contract::new("See how far the migration of a share is").shows(shown)
}

pub(in crate::api) fn soft_delete() -> Contract {
    Contract::new("Put a share into the recycle bin").takes(anything()).accepted().fault(409)
}

pub(in crate::api) fn restore() -> Contract {
    Contract::new("Take a share out of the recycle bin")
        .takes(anything())
        .accepted()
        .answers(200, None)
}
