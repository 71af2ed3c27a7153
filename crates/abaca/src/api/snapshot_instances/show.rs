//! One snapshot instance.

use abaca_model::SnapshotInstanceId;
use abaca_store::snapshot_instances;

use super::{target, view};
use crate::api::{ApiError, Call, Reply};

/// `GET /snapshot-instances/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let unknown =
        || ApiError::not_found(format!("Snapshot instance {} not found.", call.path("id")));
    let id = call.id::<SnapshotInstanceId>().ok_or_else(unknown)?;
    let mut tx = call.app.db.read().await?;
    let (instance, owner) =
        snapshot_instances::get_with_owner(&mut tx, id).await?.ok_or_else(unknown)?;
    drop(tx);
    call.authorise("share_snapshot_instance:show", &target::of(&owner)).await?;
    view::show(&instance).map(Reply::ready_json).map_err(ApiError::internal)
}
