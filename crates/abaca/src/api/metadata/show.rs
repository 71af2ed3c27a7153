//! Reading metadata.

use abaca_store::metadata;
use serde_json::json;

use super::resource::{Access, Resource};
use crate::api::{ApiError, Call, Reply};

/// `GET .../metadata`
pub(crate) async fn index(call: Call, resource: Resource) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = resource.find(&call, &mut tx, Access::Read).await?;
    let pairs = metadata::all(&mut tx, found.owner).await?;
    Reply::ok(&json!({ "metadata": pairs }))
}

/// `GET .../metadata/{key}`
pub(crate) async fn show(call: Call, resource: Resource) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = resource.find(&call, &mut tx, Access::Read).await?;
    let key = call.path("key");
    let value = metadata::get(&mut tx, found.owner, key).await?.ok_or_else(no_such_item)?;
    Reply::ok(&json!({ "meta": { key: value } }))
}

/// 404 for a name that the resource has no pair of.
pub(super) fn no_such_item() -> ApiError {
    ApiError::not_found("Metadata item is not found.")
}
