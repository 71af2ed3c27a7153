//! The paths under which a snapshot instance can be mounted.

use abaca_model::{ExportLocationId, SnapshotInstanceId};
use abaca_store::snapshot_export_locations::{self as locations, SnapshotExportLocation};
use abaca_store::{Tx, snapshot_instances};
use serde_json::{Value, json};

use super::target;
use crate::api::{ApiError, Call, Reply};

/// `GET /snapshot-instances/{id}/export-locations`
pub(crate) async fn export_locations(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let id = visible_instance(&call, &mut tx, "index").await?;
    let all = locations::all(&mut tx, id).await?;
    drop(tx);
    list_reply(&call, &all)
}

/// `GET /snapshot-instances/{id}/export-locations/{export_location_id}`
pub(crate) async fn export_location(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let instance = visible_instance(&call, &mut tx, "show").await?;
    let unknown = || ApiError::not_found("NotFound: Resource could not be found.");
    let id: ExportLocationId = call.path("export_location_id").parse().map_err(|_| unknown())?;
    let location = locations::get(&mut tx, instance, id).await?;
    drop(tx);
    show_reply(&call, location.as_ref())?.ok_or_else(unknown)
}

/// The list of what the caller may see of these.
pub(in crate::api) fn list_reply(
    call: &Call,
    all: &[SnapshotExportLocation],
) -> Result<Reply, ApiError> {
    let shown: Vec<_> = all
        .iter()
        .filter(|location| is_shown(call, location))
        .map(|location| summary(call, location))
        .collect();
    Reply::ok(&json!({ "share_snapshot_export_locations": shown }))
}

/// One location, if there is one and the caller may see it.
pub(in crate::api) fn show_reply(
    call: &Call,
    location: Option<&SnapshotExportLocation>,
) -> Result<Option<Reply>, ApiError> {
    let Some(location) = location.filter(|location| is_shown(call, location)) else {
        return Ok(None);
    };
    let mut body = summary(call, location);
    body["created_at"] = json!(location.created_at);
    body["updated_at"] = json!(location.updated_at);
    Reply::ok(&json!({ "share_snapshot_export_location": body })).map(Some)
}

fn is_shown(call: &Call, location: &SnapshotExportLocation) -> bool {
    call.caller.is_admin || !location.is_admin_only
}

/// The instance in the path, if the caller may see its export locations.
async fn visible_instance(
    call: &Call,
    tx: &mut Tx,
    operation: &str,
) -> Result<SnapshotInstanceId, ApiError> {
    let unknown =
        || ApiError::not_found(format!("Snapshot instance '{}' not found.", call.path("id")));
    let id = call.id::<SnapshotInstanceId>().ok_or_else(unknown)?;
    let (_, owner) = snapshot_instances::get_with_owner(tx, id).await?.ok_or_else(unknown)?;
    let rule = format!("share_snapshot_instance_export_location:{operation}");
    call.authorise(&rule, &target::of(&owner)).await?;
    Ok(id)
}

fn summary(call: &Call, location: &SnapshotExportLocation) -> Value {
    let id = location.id.to_string();
    let mut body = json!({
        "id": id,
        "path": location.path,
        "links": call.links.resource("share_snapshot_export_locations", &id),
    });
    if call.caller.is_admin {
        body["share_snapshot_instance_id"] = json!(location.snapshot_instance_id);
        body["is_admin_only"] = json!(location.is_admin_only);
    }
    body
}
