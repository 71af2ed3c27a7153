//! Shares that other projects see.

use crate::api::{ApiError, Call, Fields};
use crate::app::Target;

/// Reads `is_public`.
///
/// # Errors
/// 400 for what is neither yes nor no, null included.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<bool>, ApiError> {
    let is_public = fields.boolean("is_public")?;
    if is_public.is_none() && fields.has("is_public") {
        return Err(ApiError::bad_request("Invalid value for is_public. Expecting a boolean."));
    }
    Ok(is_public)
}

/// Showing a share to other projects has a rule of its own; hiding it has none.
///
/// # Errors
/// 403.
pub(super) async fn authorise(
    call: &Call,
    is_public: Option<bool>,
    rule: &str,
    target: impl Into<Option<&Target>>,
) -> Result<(), ApiError> {
    if is_public == Some(true) && !call.allows(rule, target.into()).await {
        let message = "User is not authorized to set 'is_public' to True in the request.";
        return Err(ApiError::Forbidden(message.to_owned()));
    }
    Ok(())
}
