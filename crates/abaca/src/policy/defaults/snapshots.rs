//! Snapshots, snapshot instances and their export locations.

use super::{ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "share_snapshot:get_snapshot",
        ADMIN_OR_READER,
        "Show a snapshot.",
        &["GET /snapshots/{snapshot_id}"],
    ),
    rule(
        "share_snapshot:get_all_snapshots",
        ADMIN_OR_READER,
        "List snapshots.",
        &["GET /snapshots?{query}", "GET /snapshots/detail?{query}"],
    ),
    rule(
        "share_snapshot:list_all_projects",
        ADMIN,
        "List the snapshots of all projects.",
        &["GET /snapshots?all_tenants=1", "GET /snapshots/detail?all_tenants=1"],
    ),
    rule(
        "share_snapshot:list_snapshots_in_deferred_deletion_states",
        ADMIN,
        "See snapshots whose deletion the backend has put off.",
        &["GET /snapshots", "GET /snapshots/{snapshot_id}"],
    ),
    rule(
        "share_snapshot:force_delete",
        ADMIN,
        "Delete a snapshot whatever its status.",
        &["POST /snapshots/{snapshot_id}/action"],
    ),
    rule(
        "share_snapshot:manage_snapshot",
        ADMIN,
        "Take a snapshot into use that a backend holds already.",
        &["POST /snapshots/manage"],
    ),
    rule(
        "share_snapshot:unmanage_snapshot",
        ADMIN,
        "Forget a snapshot, whose bytes stay where they are.",
        &["POST /snapshots/{snapshot_id}/action"],
    ),
    rule(
        "share_snapshot:reset_status",
        ADMIN,
        "Set a snapshot's status by hand.",
        &["POST /snapshots/{snapshot_id}/action"],
    ),
    rule(
        "share_snapshot:get_metadata",
        ADMIN_OR_READER,
        "Show a snapshot's metadata.",
        &["GET /snapshots/{snapshot_id}/metadata", "GET /snapshots/{snapshot_id}/metadata/{key}"],
    ),
    rule(
        "share_snapshot:update_metadata",
        ADMIN_OR_MEMBER,
        "Set a snapshot's metadata.",
        &[
            "PUT /snapshots/{snapshot_id}/metadata",
            "POST /snapshots/{snapshot_id}/metadata/{key}",
            "POST /snapshots/{snapshot_id}/metadata",
        ],
    ),
    rule(
        "share_snapshot:delete_metadata",
        ADMIN_OR_MEMBER,
        "Remove a pair of a snapshot's metadata.",
        &["DELETE /snapshots/{snapshot_id}/metadata/{key}"],
    ),
    rule(
        "share_snapshot_export_location:index",
        ADMIN_OR_READER,
        "List where a snapshot is exported.",
        &["GET /snapshots/{snapshot_id}/export-locations"],
    ),
    rule(
        "share_snapshot_export_location:show",
        ADMIN_OR_READER,
        "Show one export location of a snapshot.",
        &["GET /snapshots/{snapshot_id}/export-locations/{export_location_id}"],
    ),
    rule(
        "share_snapshot_instance:index",
        ADMIN,
        "List snapshot instances.",
        &["GET /snapshot-instances?{query}"],
    ),
    rule(
        "share_snapshot_instance:detail",
        ADMIN,
        "List snapshot instances with all their fields.",
        &["GET /snapshot-instances/detail?{query}"],
    ),
    rule(
        "share_snapshot_instance:show",
        ADMIN,
        "Show a snapshot instance.",
        &["GET /snapshot-instances/{snapshot_instance_id}"],
    ),
    rule(
        "share_snapshot_instance:reset_status",
        ADMIN,
        "Set a snapshot instance's status by hand.",
        &["POST /snapshot-instances/{snapshot_instance_id}/action"],
    ),
    rule(
        "share_snapshot_instance_export_location:index",
        ADMIN,
        "List where a snapshot instance is exported.",
        &["GET /snapshot-instances/{snapshot_instance_id}/export-locations"],
    ),
    rule(
        "share_snapshot_instance_export_location:show",
        ADMIN,
        "Show one export location of a snapshot instance.",
        &["GET /snapshot-instances/{snapshot_instance_id}/export-locations/{export_location_id}"],
    ),
];
