//! The specs of a share group type, one by one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use abaca_store::{Error, retry_conflicts, share_group_types};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{load, not_found};
use crate::api::share_types::specs;
use crate::api::{ApiError, Call, Reply};

/// Lists all of them.
pub(in crate::api) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let group_type = load(&call, &mut tx).await?;
    Reply::ok(&json!({ "group_specs": group_type.group_specs }))
}

/// Shows one.
pub(in crate::api) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let group_type = load(&call, &mut tx).await?;
    let key = call.path("key");
    let value = group_type.group_specs.get(key).ok_or_else(|| no_such(&call))?;
    Reply::ok(&json!({ key: value }))
}

/// Sets several and leaves the others.
pub(in crate::api) async fn create(call: Call) -> Result<Reply, ApiError> {
    let given = call.body("group_specs")?.0;
    let checked = checked(given, 1..=255)?;
    specs::check_names(given.keys())?;
    set(&call, &checked).await?;
    Reply::ok(&json!({ "group_specs": given }))
}

/// Sets the one the path names.
pub(in crate::api) async fn update(call: Call) -> Result<Reply, ApiError> {
    let given = specs::one_of_path(&call)?;
    set(&call, &checked(given, 1..=255)?).await?;
    Reply::ok(given)
}

/// Removes one.
pub(in crate::api) async fn delete(call: Call) -> Result<Reply, ApiError> {
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let group_type = load(&call, &mut tx).await?;
        let key = call.path("key");
        if !share_group_types::delete_spec(&mut tx, group_type.id, key).await? {
            return Err(no_such(&call));
        }
        tx.commit().await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    })
    .await
}

fn no_such(call: &Call) -> ApiError {
    let (id, key) = (call.path("id"), call.path("key"));
    ApiError::not_found(format!("Share group type {id} has no group specs with key {key}."))
}

async fn set(call: &Call, specs: &BTreeMap<String, String>) -> Result<(), ApiError> {
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let id = load(call, &mut tx).await?.id;
        let set = share_group_types::set_specs(&mut tx, id, specs).await;
        set.map_err(|error| match error {
            Error::ForeignKey(_) => not_found(call),
            other => other.into(),
        })?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Keys of 1 to 255 characters; values that are texts of so many as said, or booleans.
pub(super) fn checked(
    given: &Map<String, Value>,
    lengths: RangeInclusive<usize>,
) -> Result<BTreeMap<String, String>, ApiError> {
    given
        .iter()
        .map(|(key, value)| {
            let text = match value {
                Value::String(_) | Value::Bool(_) => specs::text(value),
                _ => None,
            };
            let fits = |text: &String| lengths.contains(&text.chars().count());
            match text.filter(fits) {
                Some(text) if (1..=255).contains(&key.chars().count()) => Ok((key.clone(), text)),
                _ => Err(ApiError::bad_request(format!(
                    "Invalid group_specs: {key}: {value}. Expecting texts of at most 255 characters."
                ))),
            }
        })
        .collect()
}
