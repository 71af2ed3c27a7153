//! The whole route table of the API.
//!
//! A row: method, path behind `/v2` or `/v2/{project_id}`, the versions that have it, the policy rule
//! that allows it, the handler. Rows of one path may differ by version. A path that is here, but not
//! in the version a request speaks, answers 404, as a path that is nowhere.

use super::route::{action, get, put};
use super::{Route, V, snapshot_instances, snapshots};

/// Every route of the API, the version documents, `/healthcheck` and `/metrics` apart.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        get("/snapshots", V(2, 0).., "share_snapshot:get_all_snapshots", snapshots::index).checked_by_handler(),
        get("/snapshots/detail", V(2, 0).., "share_snapshot:get_all_snapshots", snapshots::detail).checked_by_handler(),
        get("/snapshots/{id}", V(2, 0).., "share_snapshot:get_snapshot", snapshots::show).checked_by_handler(),
        put("/snapshots/{id}", V(2, 0).., "share:snapshot_update", snapshots::update).checked_by_handler(),
        action("/snapshots/{id}/action", "os-reset_status", V(2, 0)..=V(2, 6), "share_snapshot:reset_status", snapshots::reset_status),
        action("/snapshots/{id}/action", "reset_status", V(2, 7).., "share_snapshot:reset_status", snapshots::reset_status),

        get("/snapshot-instances", V(2, 19).., "share_snapshot_instance:index", snapshot_instances::index),
        get("/snapshot-instances/detail", V(2, 19).., "share_snapshot_instance:detail", snapshot_instances::detail),
        get("/snapshot-instances/{id}", V(2, 19).., "share_snapshot_instance:show", snapshot_instances::show),
        action("/snapshot-instances/{id}/action", "reset_status", V(2, 19).., "share_snapshot_instance:reset_status", snapshot_instances::reset_status),
        get("/snapshot-instances/{id}/export-locations", V(2, 32).., "share_snapshot_instance_export_location:index", snapshot_instances::export_locations),
        get("/snapshot-instances/{id}/export-locations/{export_location_id}", V(2, 32).., "share_snapshot_instance_export_location:show", snapshot_instances::export_location),
    ]
}
