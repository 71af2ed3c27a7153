//! The paths under which a snapshot can be mounted: those of its instances.

use abaca_model::ExportLocationId;
use abaca_store::snapshot_export_locations::{self as locations, SnapshotExportLocation};

use super::load::{self, target};
use crate::api::snapshot_instances::{list_reply, show_reply};
use crate::api::{ApiError, Call, Reply};

/// `GET /snapshots/{id}/export-locations`
pub(crate) async fn export_locations(call: Call) -> Result<Reply, ApiError> {
    let all = of_visible(&call, "index").await?;
    list_reply(&call, &all)
}

/// `GET /snapshots/{id}/export-locations/{export_location_id}`
pub(crate) async fn export_location(call: Call) -> Result<Reply, ApiError> {
    let all = of_visible(&call, "show").await?;
    let id: Option<ExportLocationId> = call.path("export_location_id").parse().ok();
    let location = all.iter().find(|location| Some(location.id) == id);
    show_reply(&call, location)?
        .ok_or_else(|| ApiError::not_found("NotFound: Resource could not be found."))
}

/// The locations of the snapshot in the path, if the caller may see the snapshot and them.
async fn of_visible(call: &Call, operation: &str) -> Result<Vec<SnapshotExportLocation>, ApiError> {
    let mut tx = call.app.db.read().await?;
    let snapshot = load::visible(call, &mut tx).await?.snapshot;
    let rule = format!("share_snapshot_export_location:{operation}");
    call.authorise(&rule, &target(&snapshot)).await?;
    Ok(locations::all_of_snapshot(&mut tx, snapshot.id).await?)
}
