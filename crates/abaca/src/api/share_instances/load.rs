//! Finding the share instance of a request.

use abaca_model::ShareInstance;
use abaca_store::Tx;
use abaca_store::share_instances::{self, OfShare};
use serde_json::json;

use crate::api::{ApiError, Call};
use crate::app::Target;

/// The instance in the path, with what it has of its share.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn find(
    call: &Call,
    tx: &mut Tx,
) -> Result<Option<(ShareInstance, OfShare)>, ApiError> {
    match call.id() {
        Some(id) => Ok(share_instances::get_with_share(tx, id).await?),
        None => Ok(None),
    }
}

/// What a rule about an instance can compare the caller with: its share's project and user.
pub(in crate::api) fn target(share: &OfShare) -> Target {
    Target::from_iter([
        ("project_id".to_owned(), json!(share.project_id)),
        ("user_id".to_owned(), json!(share.user_id)),
        ("is_public".to_owned(), json!(share.is_public)),
    ])
}
