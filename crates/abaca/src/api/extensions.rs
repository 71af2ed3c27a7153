//! `/extensions`. Microversions took the place of extensions, and the reference has none left.

use serde_json::json;

use super::{ApiError, Call, Reply};

/// `GET /extensions`
pub(super) async fn list(_: Call) -> Result<Reply, ApiError> {
    Reply::ok(&json!({ "extensions": [] }))
}

/// `GET /extensions/{alias}`
pub(super) async fn show(_: Call) -> Result<Reply, ApiError> {
    Err(ApiError::no_route())
}
