//! Finding the share of a request, if the caller may see it.

use abaca_model::{Share, ShareId};
use abaca_store::{Tx, share_instances, shares};
use serde_json::json;

use crate::api::{ApiError, Call};
use crate::app::Target;

/// Who may see shares whose deletion has been deferred.
pub(super) const SEES_DEFERRED: &str = "share:list_shares_in_deferred_deletion_states";

/// The share in the path. Whoever may not see it is told what he is told of one that is not there.
///
/// # Errors
/// 404.
pub(in crate::api) async fn visible(call: &Call, tx: &mut Tx) -> Result<Share, ApiError> {
    find(call, tx, call.path("id")).await?.ok_or_else(ApiError::no_route)
}

/// The share with this id, `None` also when the caller may not see it.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn find(
    call: &Call,
    tx: &mut Tx,
    id: &str,
) -> Result<Option<Share>, ApiError> {
    let Ok(id) = id.parse::<ShareId>() else { return Ok(None) };
    let Some(share) = shares::get(tx, id).await? else { return Ok(None) };
    let visible = share.is_public || call.allows("share:get", Some(&target(&share))).await;
    if !visible || is_hidden(call, tx, &share).await? {
        return Ok(None);
    }
    Ok(Some(share))
}

/// What its tenant has deleted is shown to those only who may see what is left of it.
async fn is_hidden(call: &Call, tx: &mut Tx, share: &Share) -> Result<bool, ApiError> {
    if call.allows(SEES_DEFERRED, Some(&target(share))).await {
        return Ok(false);
    }
    let instances = share_instances::of_share(tx, share.id).await?;
    Ok(instances.iter().any(|instance| instance.status.is_deferred()))
}

/// Refuses what can't be done with a share in the recycle bin; `what` begins the sentence on it.
///
/// # Errors
/// 403
pub(in crate::api) fn not_soft_deleted(share: &Share, what: &str) -> Result<(), ApiError> {
    if share.is_soft_deleted() {
        let message = format!("{what} share '{}' since it has been soft deleted.", share.id);
        return Err(ApiError::Forbidden(message));
    }
    Ok(())
}

/// What is wrong with a share that a migration is at work on.
pub(in crate::api) fn busy(share: &Share) -> Option<String> {
    let state = share.task_state.filter(|state| state.is_busy())?;
    Some(format!(
        "Share is busy with an active task: Share {} is busy as part of an active task: {state}.",
        share.id
    ))
}

/// Refuses what can't be done with a share while a migration is at work on it.
///
/// # Errors
/// 400
pub(in crate::api) fn not_busy(share: &Share) -> Result<(), ApiError> {
    busy(share).map_or(Ok(()), |message| Err(ApiError::bad_request(message)))
}

/// What a rule about a share can compare the caller with.
pub(in crate::api) fn target(share: &Share) -> Target {
    Target::from_iter([
        ("id".to_owned(), json!(share.id)),
        ("project_id".to_owned(), json!(share.project_id)),
        ("user_id".to_owned(), json!(share.user_id)),
        ("is_public".to_owned(), json!(share.is_public)),
    ])
}
