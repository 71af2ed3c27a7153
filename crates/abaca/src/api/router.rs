//! The whole route table of the API.
//!
//! A row: method, path behind `/v2` or `/v2/{project_id}`, the versions that have it, the policy rule
//! that allows it, the handler. Rows of one path may differ by version. A path that is here, but not
//! in the version a request speaks, answers 404, as a path that is nowhere.

use super::metadata::Resource;
use super::route::{action, delete, get, post, put};
use super::{
    Route, V, access_rules, availability_zones, export_locations, extensions, messages, metadata,
    quotas, scheduler_stats, services, share_instances, share_replicas, share_types, shares,
    snapshot_instances, snapshots,
};

/// Every route of the API, the version documents, `/healthcheck` and `/metrics` apart.
#[must_use]
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table, to be read as a whole")]
pub fn routes() -> Vec<Route> {
    vec![
        get("/shares", V(2, 0).., "share:get_all", shares::index),
        post("/shares", V(2, 0).., "share:create", shares::create),
        get("/shares/detail", V(2, 0).., "share:get_all", shares::detail),
        get("/shares/{id}", V(2, 0).., "share:get", shares::show),
        put("/shares/{id}", V(2, 0).., "share:update", shares::update),
        delete("/shares/{id}", V(2, 0).., "share:delete", shares::delete),
        get("/shares/{id}/instances", V(2, 3).., "share_instance:index", share_instances::of_share),
        get("/shares/{id}/export_locations", V(2, 9).., "share_export_location:index", export_locations::list_of_share),
        get("/shares/{id}/export_locations/{export_location_id}", V(2, 9).., "share_export_location:show", export_locations::show_of_share),
        get("/shares/{id}/export_locations/{export_location_id}/metadata", V(2, 87).., "share_export_location:get_metadata", |call| metadata::index(call, Resource::ExportLocation)),
        post("/shares/{id}/export_locations/{export_location_id}/metadata", V(2, 87).., "share_export_location:update_metadata", |call| metadata::merge(call, Resource::ExportLocation)),
        put("/shares/{id}/export_locations/{export_location_id}/metadata", V(2, 87).., "share_export_location:update_metadata", |call| metadata::replace(call, Resource::ExportLocation)),
        get("/shares/{id}/export_locations/{export_location_id}/metadata/{key}", V(2, 87).., "share_export_location:get_metadata", |call| metadata::show(call, Resource::ExportLocation)),
        post("/shares/{id}/export_locations/{export_location_id}/metadata/{key}", V(2, 87).., "share_export_location:update_metadata", |call| metadata::set(call, Resource::ExportLocation)),
        delete("/shares/{id}/export_locations/{export_location_id}/metadata/{key}", V(2, 87).., "share_export_location:delete_metadata", |call| metadata::remove(call, Resource::ExportLocation)),
        get("/shares/{id}/metadata", V(2, 0).., "share:get_share_metadata", |call| metadata::index(call, Resource::Share)),
        post("/shares/{id}/metadata", V(2, 0).., "share:update_share_metadata", |call| metadata::merge(call, Resource::Share)),
        put("/shares/{id}/metadata", V(2, 0).., "share:update_share_metadata", |call| metadata::replace(call, Resource::Share)),
        get("/shares/{id}/metadata/{key}", V(2, 0).., "share:get_share_metadata", |call| metadata::show(call, Resource::Share)),
        post("/shares/{id}/metadata/{key}", V(2, 0).., "share:update_share_metadata", |call| metadata::set(call, Resource::Share)),
        delete("/shares/{id}/metadata/{key}", V(2, 0).., "share:delete_share_metadata", |call| metadata::remove(call, Resource::Share)),
        action("/shares/{id}/action", "os-extend", V(2, 0)..=V(2, 6), "share:extend", shares::extend),
        action("/shares/{id}/action", "extend", V(2, 7).., "share:extend", shares::extend),
        action("/shares/{id}/action", "os-shrink", V(2, 0)..=V(2, 6), "share:shrink", shares::shrink),
        action("/shares/{id}/action", "shrink", V(2, 7).., "share:shrink", shares::shrink),
        action("/shares/{id}/action", "revert", V(2, 27).., "share:revert_to_snapshot", shares::revert),
        action("/shares/{id}/action", "os-reset_status", V(2, 0)..=V(2, 6), "share:reset_status", shares::reset_status),
        action("/shares/{id}/action", "reset_status", V(2, 7).., "share:reset_status", shares::reset_status),
        action("/shares/{id}/action", "reset_task_state", V(2, 22)..=V(2, 95), "share:reset_task_state", shares::reset_task_state).experimental(),
        action("/shares/{id}/action", "reset_task_state", V(2, 96).., "share:reset_task_state", shares::reset_task_state),
        action("/shares/{id}/action", "soft_delete", V(2, 69).., "share:soft_delete", shares::soft_delete),
        action("/shares/{id}/action", "restore", V(2, 69).., "share:restore", shares::restore),
        action("/shares/{id}/action", "os-force_delete", V(2, 0)..=V(2, 6), "share:force_delete", shares::force_delete),
        action("/shares/{id}/action", "force_delete", V(2, 7).., "share:force_delete", shares::force_delete),
        action("/shares/{id}/action", "os-allow_access", V(2, 0)..=V(2, 6), "share:allow_access", access_rules::allow),
        action("/shares/{id}/action", "allow_access", V(2, 7).., "share:allow_access", access_rules::allow),
        action("/shares/{id}/action", "os-deny_access", V(2, 0)..=V(2, 6), "share:deny_access", access_rules::deny),
        action("/shares/{id}/action", "deny_access", V(2, 7).., "share:deny_access", access_rules::deny),
        action("/shares/{id}/action", "os-access_list", V(2, 0)..=V(2, 6), "share:access_get_all", access_rules::list_of_share),
        action("/shares/{id}/action", "access_list", V(2, 7)..=V(2, 44), "share:access_get_all", access_rules::list_of_share),

        get("/share-access-rules", V(2, 45).., "share_access_rule:index", access_rules::index),
        get("/share-access-rules/{id}", V(2, 45).., "share_access_rule:get", access_rules::show),
        put("/share-access-rules/{id}", V(2, 88).., "share_access_rule:update", access_rules::update),
        put("/share-access-rules/{id}/metadata", V(2, 45).., "share_access_metadata:update", access_rules::update_metadata),
        delete("/share-access-rules/{id}/metadata/{key}", V(2, 45).., "share_access_metadata:delete", access_rules::delete_metadata),

        get("/share_instances", V(2, 3).., "share_instance:index", share_instances::index),
        get("/share_instances/{id}", V(2, 3).., "share_instance:show", share_instances::show),
        get("/share_instances/{id}/export_locations", V(2, 9).., "share_instance_export_location:index", export_locations::list_of_instance),
        get("/share_instances/{id}/export_locations/{export_location_id}", V(2, 9).., "share_instance_export_location:show", export_locations::show_of_instance),
        action("/share_instances/{id}/action", "os-reset_status", V(2, 3)..=V(2, 6), "share_instance:reset_status", share_instances::reset_status),
        action("/share_instances/{id}/action", "reset_status", V(2, 7).., "share_instance:reset_status", share_instances::reset_status),
        action("/share_instances/{id}/action", "os-force_delete", V(2, 3)..=V(2, 6), "share_instance:force_delete", share_instances::force_delete),
        action("/share_instances/{id}/action", "force_delete", V(2, 7).., "share_instance:force_delete", share_instances::force_delete),

        get("/snapshots", V(2, 0).., "share_snapshot:get_all_snapshots", snapshots::index).checked_by_handler(),
        post("/snapshots", V(2, 0).., "share:create_snapshot", snapshots::create).checked_by_handler(),
        get("/snapshots/detail", V(2, 0).., "share_snapshot:get_all_snapshots", snapshots::detail).checked_by_handler(),
        get("/snapshots/{id}", V(2, 0).., "share_snapshot:get_snapshot", snapshots::show).checked_by_handler(),
        put("/snapshots/{id}", V(2, 0).., "share:snapshot_update", snapshots::update).checked_by_handler(),
        delete("/snapshots/{id}", V(2, 0).., "share:delete_snapshot", snapshots::delete).checked_by_handler(),
        get("/snapshots/{id}/export-locations", V(2, 32).., "share_snapshot_export_location:index", snapshots::export_locations),
        get("/snapshots/{id}/export-locations/{export_location_id}", V(2, 32).., "share_snapshot_export_location:show", snapshots::export_location),
        get("/snapshots/{id}/metadata", V(2, 73).., "share_snapshot:get_metadata", |call| metadata::index(call, Resource::Snapshot)),
        post("/snapshots/{id}/metadata", V(2, 73).., "share_snapshot:update_metadata", |call| metadata::merge(call, Resource::Snapshot)),
        put("/snapshots/{id}/metadata", V(2, 73).., "share_snapshot:update_metadata", |call| metadata::replace(call, Resource::Snapshot)),
        get("/snapshots/{id}/metadata/{key}", V(2, 73).., "share_snapshot:get_metadata", |call| metadata::show(call, Resource::Snapshot)),
        post("/snapshots/{id}/metadata/{key}", V(2, 73).., "share_snapshot:update_metadata", |call| metadata::set(call, Resource::Snapshot)),
        delete("/snapshots/{id}/metadata/{key}", V(2, 73).., "share_snapshot:delete_metadata", |call| metadata::remove(call, Resource::Snapshot)),
        action("/snapshots/{id}/action", "os-reset_status", V(2, 0)..=V(2, 6), "share_snapshot:reset_status", snapshots::reset_status),
        action("/snapshots/{id}/action", "reset_status", V(2, 7).., "share_snapshot:reset_status", snapshots::reset_status),
        action("/snapshots/{id}/action", "os-force_delete", V(2, 0)..=V(2, 6), "share_snapshot:force_delete", snapshots::force_delete),
        action("/snapshots/{id}/action", "force_delete", V(2, 7).., "share_snapshot:force_delete", snapshots::force_delete),
        action("/snapshots/{id}/action", "allow_access", V(2, 32).., "share_snapshot:allow_access", access_rules::allow_to_snapshot),
        action("/snapshots/{id}/action", "deny_access", V(2, 32).., "share_snapshot:deny_access", access_rules::deny_to_snapshot),
        get("/snapshots/{id}/access-list", V(2, 32).., "share_snapshot:access_list", access_rules::list_of_snapshot),

        get("/snapshot-instances", V(2, 19).., "share_snapshot_instance:index", snapshot_instances::index),
        get("/snapshot-instances/detail", V(2, 19).., "share_snapshot_instance:detail", snapshot_instances::detail),
        get("/snapshot-instances/{id}", V(2, 19).., "share_snapshot_instance:show", snapshot_instances::show),
        action("/snapshot-instances/{id}/action", "reset_status", V(2, 19).., "share_snapshot_instance:reset_status", snapshot_instances::reset_status),
        get("/snapshot-instances/{id}/export-locations", V(2, 32).., "share_snapshot_instance_export_location:index", snapshot_instances::export_locations),
        get("/snapshot-instances/{id}/export-locations/{export_location_id}", V(2, 32).., "share_snapshot_instance_export_location:show", snapshot_instances::export_location),

        get("/extensions", V(2, 0).., "default", extensions::list),
        get("/extensions/{id}", V(2, 0).., "default", extensions::show),

        get("/share-replicas", V(2, 11)..=V(2, 55), "share_replica:get_all", share_replicas::index).experimental(),
        get("/share-replicas", V(2, 56).., "share_replica:get_all", share_replicas::index),
        get("/share-replicas/detail", V(2, 11)..=V(2, 55), "share_replica:get_all", share_replicas::detail).experimental(),
        get("/share-replicas/detail", V(2, 56).., "share_replica:get_all", share_replicas::detail),

        get("/messages", V(2, 37).., "message:get_all", messages::index),
        get("/messages/{id}", V(2, 37).., "message:get", messages::show),
        delete("/messages/{id}", V(2, 37).., "message:delete", messages::delete),

        get("/os-availability-zone", V(2, 0)..=V(2, 6), "availability_zone:index", availability_zones::list),
        get("/availability-zones", V(2, 7).., "availability_zone:index", availability_zones::list),

        get("/os-services", V(2, 0)..=V(2, 6), "service:index", services::list),
        put("/os-services/enable", V(2, 0)..=V(2, 6), "service:update", services::enable),
        put("/os-services/disable", V(2, 0)..=V(2, 6), "service:update", services::disable),
        get("/services", V(2, 7).., "service:index", services::list),
        put("/services/enable", V(2, 7).., "service:update", services::enable),
        put("/services/disable", V(2, 7).., "service:update", services::disable),

        post("/services/ensure-shares", V(2, 86).., "service:ensure_shares", services::ensure_shares),

        get("/scheduler-stats/pools", V(2, 0).., "scheduler_stats:pools:index", scheduler_stats::pools),
        get("/scheduler-stats/pools/detail", V(2, 0).., "scheduler_stats:pools:detail", scheduler_stats::pools_detail),

        get("/os-quota-sets/{id}", V(2, 0)..=V(2, 6), "quota_set:show", quotas::show),
        put("/os-quota-sets/{id}", V(2, 0)..=V(2, 6), "quota_set:update", quotas::update),
        delete("/os-quota-sets/{id}", V(2, 0)..=V(2, 6), "quota_set:delete", quotas::delete),
        get("/os-quota-sets/{id}/defaults", V(2, 0)..=V(2, 6), "quota_set:show", quotas::defaults),
        get("/quota-sets/{id}", V(2, 7).., "quota_set:show", quotas::show),
        put("/quota-sets/{id}", V(2, 7).., "quota_set:update", quotas::update),
        delete("/quota-sets/{id}", V(2, 7).., "quota_set:delete", quotas::delete),
        get("/quota-sets/{id}/defaults", V(2, 7).., "quota_set:show", quotas::defaults),
        get("/quota-sets/{id}/detail", V(2, 25).., "quota_set:show", quotas::detail),
        get("/os-quota-class-sets/{id}", V(2, 0)..=V(2, 6), "quota_class_set:show", quotas::show_class),
        put("/os-quota-class-sets/{id}", V(2, 0)..=V(2, 6), "quota_class_set:update", quotas::update_class),
        get("/quota-class-sets/{id}", V(2, 7).., "quota_class_set:show", quotas::show_class),
        put("/quota-class-sets/{id}", V(2, 7).., "quota_class_set:update", quotas::update_class),
        get("/limits", V(2, 0).., "", quotas::limits).without_rule(),

        get("/types", V(2, 0).., "share_type:index", share_types::list),
        post("/types", V(2, 0).., "share_type:create", share_types::create),
        get("/types/default", V(2, 0).., "share_type:default", share_types::default),
        get("/types/{id}", V(2, 0).., "share_type:show", share_types::show),
        put("/types/{id}", V(2, 50).., "share_type:update", share_types::update),
        delete("/types/{id}", V(2, 0).., "share_type:delete", share_types::delete),
        get("/types/{id}/extra_specs", V(2, 0).., "share_types_extra_spec:index", share_types::list_extra_specs),
        post("/types/{id}/extra_specs", V(2, 0).., "share_types_extra_spec:create", share_types::create_extra_specs),
        get("/types/{id}/extra_specs/{key}", V(2, 0).., "share_types_extra_spec:show", share_types::show_extra_spec),
        put("/types/{id}/extra_specs/{key}", V(2, 0).., "share_types_extra_spec:update", share_types::update_extra_spec),
        delete("/types/{id}/extra_specs/{key}", V(2, 0).., "share_types_extra_spec:delete", share_types::delete_extra_spec),
        get("/types/{id}/share_type_access", V(2, 0).., "share_type:list_project_access", share_types::list_project_access),
        get("/types/{id}/os-share-type-access", V(2, 0).., "share_type:list_project_access", share_types::list_project_access),
        action("/types/{id}/action", "addProjectAccess", V(2, 0).., "share_type:add_project_access", share_types::add_project_access),
        action("/types/{id}/action", "removeProjectAccess", V(2, 0).., "share_type:remove_project_access", share_types::remove_project_access),
    ]
}
