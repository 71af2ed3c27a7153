//! The export locations of a replica.

use abaca_store::export_locations;

use super::view;
use crate::api::{ApiError, Call, Reply, share_replicas, shares};

/// `GET /share-replicas/{id}/export-locations`
pub(crate) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = share_replicas::find(&call, &mut tx).await?;
    let mut locations = export_locations::of_instance(&mut tx, found.replica.id).await?;
    drop(tx);
    call.authorise("share_replica_export_location:index", &shares::target(&found.share)).await?;
    locations.retain(|location| call.caller.is_admin || !location.is_admin_only);
    view::list_of_replica(&call, &found.replica, &locations)
}

/// `GET /share-replicas/{id}/export-locations/{export_location_id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = share_replicas::find(&call, &mut tx).await?;
    let id = call.path("export_location_id");
    let unknown = || ApiError::not_found(format!("Export location {id} could not be found."));
    let id = id.parse().map_err(|_| unknown())?;
    let location = export_locations::get_of_instance(&mut tx, found.replica.id, id).await?;
    drop(tx);
    call.authorise("share_replica_export_location:show", &shares::target(&found.share)).await?;
    let location = location.filter(|found| call.caller.is_admin || !found.is_admin_only);
    view::detail_of_replica(&call, &found.replica, &location.ok_or_else(unknown)?)
}
