//! Shares, share instances and their export locations.

use super::{ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule("share:create", ADMIN_OR_MEMBER, "Create a share.", &["POST /shares"]),
    rule(
        "share:create_public_share",
        ADMIN,
        "Create a share that every project sees.",
        &["POST /shares"],
    ),
    rule("share:get", ADMIN_OR_READER, "Show a share.", &["GET /shares/{share_id}"]),
    rule(
        "share:get_all",
        ADMIN_OR_READER,
        "List shares.",
        &["GET /shares?{query}", "GET /shares/detail?{query}"],
    ),
    rule(
        "share:update",
        ADMIN_OR_MEMBER,
        "Change a share's name, description or visibility.",
        &["PUT /shares/{share_id}"],
    ),
    rule(
        "share:set_public_share",
        ADMIN,
        "Make a share visible to every project.",
        &["PUT /shares/{share_id}"],
    ),
    rule("share:delete", ADMIN_OR_MEMBER, "Delete a share.", &["DELETE /shares/{share_id}"]),
    rule(
        "share:force_delete",
        ADMIN,
        "Delete a share whatever its status.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:list_by_host",
        ADMIN,
        "List the shares of a host.",
        &["GET /shares?host={host}", "GET /shares/detail?host={host}"],
    ),
    rule(
        "share:list_by_share_server_id",
        ADMIN,
        "List the shares of a share server.",
        &[
            "GET /shares?share_server_id={share_server_id}",
            "GET /shares/detail?share_server_id={share_server_id}",
        ],
    ),
    rule(
        "share:list_all_projects",
        ADMIN,
        "List the shares of all projects.",
        &["GET /shares?all_tenants=1", "GET /shares/detail?all_tenants=1"],
    ),
    rule(
        "share:list_shares_in_deferred_deletion_states",
        ADMIN,
        "See shares whose deletion the backend has put off.",
        &["GET /shares", "GET /shares/{share_id}"],
    ),
    rule(
        "share:extend",
        ADMIN_OR_MEMBER,
        "Make a share larger.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:force_extend",
        ADMIN,
        "Make a share larger without asking the scheduler.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:extend_beyond_max_share_size_spec",
        ADMIN,
        "Make a share larger than its share type's greatest size.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:shrink",
        ADMIN_OR_MEMBER,
        "Make a share smaller.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:reset_status",
        ADMIN,
        "Set a share's status by hand.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:create_snapshot",
        ADMIN_OR_MEMBER,
        "Take a snapshot of a share.",
        &["POST /snapshots"],
    ),
    rule(
        "share:delete_snapshot",
        ADMIN_OR_MEMBER,
        "Delete a snapshot.",
        &["DELETE /snapshots/{snapshot_id}"],
    ),
    rule(
        "share:snapshot_update",
        ADMIN_OR_MEMBER,
        "Change a snapshot's name or description.",
        &["PUT /snapshots/{snapshot_id}"],
    ),
    rule(
        "share_export_location:index",
        ADMIN_OR_READER,
        "List where a share is exported.",
        &["GET /shares/{share_id}/export_locations"],
    ),
    rule(
        "share_export_location:show",
        ADMIN_OR_READER,
        "Show one export location of a share.",
        &["GET /shares/{share_id}/export_locations/{export_location_id}"],
    ),
    rule(
        "share_instance:index",
        ADMIN,
        "List share instances, all or those of a share.",
        &["GET /share_instances?{query}", "GET /shares/{share_id}/instances"],
    ),
    rule(
        "share_instance:show",
        ADMIN,
        "Show a share instance.",
        &["GET /share_instances/{share_instance_id}"],
    ),
    rule(
        "share_instance:reset_status",
        ADMIN,
        "Set a share instance's status by hand.",
        &["POST /share_instances/{share_instance_id}/action"],
    ),
    rule(
        "share_instance:force_delete",
        ADMIN,
        "Delete a share instance whatever its status.",
        &["POST /share_instances/{share_instance_id}/action"],
    ),
    rule(
        "share_instance_export_location:index",
        ADMIN,
        "List where a share instance is exported.",
        &["GET /share_instances/{share_instance_id}/export_locations"],
    ),
    rule(
        "share_instance_export_location:show",
        ADMIN,
        "Show one export location of a share instance.",
        &["GET /share_instances/{share_instance_id}/export_locations/{export_location_id}"],
    ),
];
