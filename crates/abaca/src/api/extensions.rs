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

/// What these routes show.
pub(super) mod contract {
    use crate::api::openapi::Contract;
    use crate::api::openapi::schema::{list_under, object};

    pub(in crate::api) fn list() -> Contract {
        Contract::new("List extensions; there are none").shows(list_under("extensions", object([])))
    }

    pub(in crate::api) fn show() -> Contract {
        Contract::new("Show an extension; there is none")
    }
}
