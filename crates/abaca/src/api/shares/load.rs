//! Finding the share of a request, if the caller may see it.

use abaca_model::{Share, ShareId};
use abaca_store::{Tx, shares};
use serde_json::json;

use crate::api::{ApiError, Call};
use crate::app::Target;

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
    Ok(visible.then_some(share))
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
