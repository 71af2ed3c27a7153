//! The export locations of a share instance.

use abaca_model::ShareInstanceId;
use abaca_store::{Tx, export_locations};

use super::view;
use crate::api::{ApiError, Call, Reply, share_instances as instance_api};

/// `GET /share_instances/{id}/export_locations`
pub(crate) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let id = visible_instance(&call, &mut tx, "share_instance_export_location:index").await?;
    let locations = export_locations::of_instance(&mut tx, id).await?;
    view::list(&call, &locations)
}

/// `GET /share_instances/{id}/export_locations/{export_location_id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let instance = visible_instance(&call, &mut tx, "share_instance_export_location:show").await?;
    let id = call.path("export_location_id");
    let unknown = || ApiError::not_found(format!("Export location {id} could not be found."));
    let id = id.parse().map_err(|_| unknown())?;
    let location = export_locations::get_of_instance(&mut tx, instance, id).await?;
    view::detail(&call, &location.ok_or_else(unknown)?)
}

/// The instance in the path, if the caller may see it and act by `rule` on it.
async fn visible_instance(
    call: &Call,
    tx: &mut Tx,
    rule: &str,
) -> Result<ShareInstanceId, ApiError> {
    let unknown =
        || ApiError::not_found(format!("Share instance '{}' not found.", call.path("id")));
    let (instance, share) = instance_api::find(call, tx).await?.ok_or_else(unknown)?;
    let target = instance_api::target(&share);
    call.authorise(rule, &target).await?;
    if !share.is_public {
        call.authorise("share_instance:show", &target).await?;
    }
    Ok(instance.id)
}
