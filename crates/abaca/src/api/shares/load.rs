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

/// What a rule about a share can compare the caller with.
pub(in crate::api) fn target(share: &Share) -> Target {
    Target::from_iter([
        ("id".to_owned(), json!(share.id)),
        ("project_id".to_owned(), json!(share.project_id)),
        ("user_id".to_owned(), json!(share.user_id)),
        ("is_public".to_owned(), json!(share.is_public)),
    ])
}
