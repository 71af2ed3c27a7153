//! Share replicas.

use super::{ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, DefaultRule, Scope, rule};

const ACTION: &str = "POST /share-replicas/{share_replica_id}/action";

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "share_replica:create",
        ADMIN_OR_MEMBER,
        "Create a share replica.",
        &["POST /share-replicas"],
    ),
    rule(
        "share_replica:get_all",
        ADMIN_OR_READER,
        "List share replicas, with and without details.",
        &[
            "GET /share-replicas",
            "GET /share-replicas/detail",
            "GET /share-replicas/detail?share_id={share_id}",
        ],
    ),
    rule(
        "share_replica:show",
        ADMIN_OR_READER,
        "Show a share replica.",
        &["GET /share-replicas/{share_replica_id}"],
    ),
    rule(
        "share_replica:delete",
        ADMIN_OR_MEMBER,
        "Delete a share replica.",
        &["DELETE /share-replicas/{share_replica_id}"],
    ),
    rule(
        "share_replica:force_delete",
        ADMIN,
        "Delete a share replica whatever its status.",
        &[ACTION],
    ),
    rule(
        "share_replica:promote",
        ADMIN_OR_MEMBER,
        "Make a share replica the active one.",
        &[ACTION],
    ),
    rule(
        "share_replica:resync",
        ADMIN,
        "Bring a share replica up to date with the active one.",
        &[ACTION],
    ),
    rule(
        "share_replica:reset_replica_state",
        ADMIN,
        "Set the replica state of a share replica by hand.",
        &[ACTION],
    ),
    rule(
        "share_replica:reset_status",
        ADMIN,
        "Set the status of a share replica by hand.",
        &[ACTION],
    ),
    metadata(
        "share_replica:update_metadata",
        "Add to the metadata of a share replica, or replace it.",
        &[
            "PUT /share-replicas/{share_replica_id}/metadata",
            "POST /share-replicas/{share_replica_id}/metadata/{key}",
            "POST /share-replicas/{share_replica_id}/metadata",
        ],
    ),
    metadata(
        "share_replica:delete_metadata",
        "Delete metadata of a share replica.",
        &["DELETE /share-replicas/{share_replica_id}/metadata/{key}"],
    ),
    metadata(
        "share_replica:get_metadata",
        "Read the metadata of a share replica.",
        &[
            "GET /share-replicas/{share_replica_id}/metadata",
            "GET /share-replicas/{share_replica_id}/metadata/{key}",
        ],
    ),
    rule(
        "share_replica_export_location:index",
        ADMIN_OR_READER,
        "List the export locations of a share replica.",
        &["GET /share-replicas/{share_replica_id}/export-locations"],
    ),
    rule(
        "share_replica_export_location:show",
        ADMIN_OR_READER,
        "Show an export location of a share replica.",
        &["GET /share-replicas/{share_replica_id}/export-locations/{export_location_id}"],
    ),
];

const fn metadata(
    name: &'static str,
    description: &'static str,
    operations: &'static [&'static str],
) -> DefaultRule {
    let scopes = &[Scope::System, Scope::Project];
    DefaultRule { name, check: ADMIN_OR_MEMBER, description, operations, scopes }
}
