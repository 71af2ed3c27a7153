//! The export locations of a share.

use abaca_model::Share;
use abaca_store::Tx;
use abaca_store::export_locations::{self, OfShare};

use super::view;
use crate::api::{ApiError, Call, Reply, V, shares as share_api};

/// `GET /shares/{id}/export_locations`
pub(crate) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = visible_share(&call, &mut tx).await?;
    let wanted = OfShare { with_admin_only: call.caller.is_admin, ..of(&call, &share) };
    let locations = export_locations::of_share(&mut tx, wanted).await?;
    drop(tx);
    if !share.is_public {
        call.authorise("share_export_location:index", &share_api::target(&share)).await?;
    }
    view::list(&call, &locations)
}

/// `GET /shares/{id}/export_locations/{export_location_id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = visible_share(&call, &mut tx).await?;
    let id = call.path("export_location_id");
    let unknown = || ApiError::not_found(format!("Export location '{id}' not found."));
    let id = id.parse().map_err(|_| unknown())?;
    let location = export_locations::get_of_share(&mut tx, of(&call, &share), id).await?;
    drop(tx);
    let location = location.ok_or_else(unknown)?;
    if !share.is_public {
        call.authorise("share_export_location:show", &share_api::target(&share)).await?;
    }
    if location.is_admin_only && !call.caller.is_admin {
        return Err(ApiError::access_denied());
    }
    view::detail(&call, &location)
}

async fn visible_share(call: &Call, tx: &mut Tx) -> Result<Share, ApiError> {
    let id = call.path("id");
    let share = share_api::find(call, tx, id).await?;
    share.ok_or_else(|| ApiError::not_found(format!("Share '{id}' not found.")))
}

/// Since 2.47 replicas beside the active one show theirs elsewhere.
fn of(call: &Call, share: &Share) -> OfShare {
    OfShare {
        share_id: share.id,
        with_admin_only: true,
        with_secondary_replicas: !call.since(V(2, 47)),
    }
}
