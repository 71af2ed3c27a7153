//! Finding the snapshot of a request, if the caller may see it.

use abaca_model::{Snapshot, SnapshotId};
use abaca_store::Tx;
use abaca_store::snapshots::{self, SnapshotWithStatus};
use serde_json::json;

use crate::api::{ApiError, Call};
use crate::app::Target;

/// Who may see snapshots whose deletion has been deferred.
pub(super) const SEES_DEFERRED: &str = "share_snapshot:list_snapshots_in_deferred_deletion_states";

/// The snapshot in the path. Whoever may not see it is told what he is told of one that is not
/// there.
///
/// # Errors
/// 404.
pub(in crate::api) async fn visible(
    call: &Call,
    tx: &mut Tx,
) -> Result<SnapshotWithStatus, ApiError> {
    find(call, tx, call.path("id")).await?.ok_or_else(ApiError::no_route)
}

/// The snapshot with this id, `None` also when the caller may not see it.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn find(
    call: &Call,
    tx: &mut Tx,
    id: &str,
) -> Result<Option<SnapshotWithStatus>, ApiError> {
    let Ok(id) = id.parse::<SnapshotId>() else { return Ok(None) };
    let Some(found) = snapshots::get(tx, id).await? else { return Ok(None) };
    let target = target(&found.snapshot);
    let visible = call.allows("share_snapshot:get_snapshot", Some(&target)).await;
    // What its tenant has deleted is shown to those only who may see what is left of it.
    let hidden = found.status.is_deferred() && !call.allows(SEES_DEFERRED, Some(&target)).await;
    Ok((visible && !hidden).then_some(found))
}

/// What a rule can compare the caller with.
pub(in crate::api) fn target(snapshot: &Snapshot) -> Target {
    Target::from_iter([
        ("id".to_owned(), json!(snapshot.id)),
        ("project_id".to_owned(), json!(snapshot.project_id)),
        ("user_id".to_owned(), json!(snapshot.user_id)),
        ("share_id".to_owned(), json!(snapshot.share_id)),
    ])
}
