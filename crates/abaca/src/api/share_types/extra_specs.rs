//! The extra specs of a share type, one by one.

use std::collections::BTreeMap;

use abaca_model::ShareTypeId;
use abaca_store::{Error, retry_conflicts, share_types};
use serde_json::{Map, Value, json};

use super::{load_or_404, not_found, specs};
use crate::api::{ApiError, Call, Reply, V};

/// Lists all of them.
pub(in crate::api) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share_type = load_or_404(&call, &mut tx).await?;
    Reply::ok(&json!({ "extra_specs": share_type.extra_specs }))
}

/// Shows one.
pub(in crate::api) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share_type = load_or_404(&call, &mut tx).await?;
    let key = call.path("key");
    let value = share_type.extra_specs.get(key).ok_or_else(|| no_such(&call))?;
    Reply::ok(&json!({ key: value }))
}

/// Sets several and leaves the others.
pub(in crate::api) async fn create(call: Call) -> Result<Reply, ApiError> {
    let given = call.body("extra_specs")?.0;
    let checked = checked(given)?;
    specs::check_names(given.keys())?;
    set(&call, &checked).await?;
    Reply::ok(&json!({ "extra_specs": echo(given, &checked) }))
}

/// Sets the one the path names.
pub(in crate::api) async fn update(call: Call) -> Result<Reply, ApiError> {
    let body = specs::one_of_path(&call)?;
    let checked = checked(body)?;
    set(&call, &checked).await?;
    Reply::ok(&echo(body, &checked))
}

/// Removes one; the required one stays, and before 2.24 so does `snapshot_support`.
pub(in crate::api) async fn delete(call: Call) -> Result<Reply, ApiError> {
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share_type = load_or_404(&call, &mut tx).await?;
        let key = call.path("key");
        let stays = key == specs::DRIVER_HANDLES_SHARE_SERVERS
            || key == specs::SNAPSHOT_SUPPORT && !call.since(V(2, 24));
        if stays {
            return Err(ApiError::Forbidden(format!("Extra spec '{key}' can't be deleted.")));
        }
        if !share_types::delete_extra_spec(&mut tx, share_type.id, key).await? {
            return Err(no_such(&call));
        }
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}

fn no_such(call: &Call) -> ApiError {
    let (id, key) = (call.path("id"), call.path("key"));
    ApiError::not_found(format!("Share Type {id} has no extra specs with key {key}."))
}

async fn set(call: &Call, specs: &BTreeMap<String, String>) -> Result<(), ApiError> {
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let id: ShareTypeId = load_or_404(call, &mut tx).await?.id;
        let set = share_types::set_extra_specs(&mut tx, id, specs).await;
        set.map_err(|error| match error {
            Error::ForeignKey(_) => not_found(call),
            other => other.into(),
        })?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Keys of 1 to 255 characters, values of as many or booleans.
fn checked(given: &Map<String, Value>) -> Result<BTreeMap<String, String>, ApiError> {
    let fits = |text: &str| (1..=255).contains(&text.chars().count());
    given
        .iter()
        .map(|(key, value)| {
            let invalid = || ApiError::bad_request(format!("Invalid extra_spec: {key}: {value}"));
            let text = match value {
                Value::String(_) | Value::Bool(_) => specs::text(value),
                _ => None,
            };
            let text = text.filter(|text| fits(text) && fits(key)).ok_or_else(invalid)?;
            match specs::problem(key, &text) {
                None => Ok((key.clone(), specs::normal(key, text))),
                Some(expected) => Err(ApiError::bad_request(format!(
                    "Invalid extra_spec: {key}: {text}. Expecting {expected}."
                ))),
            }
        })
        .collect()
}

/// What was set: booleans as the request had them, texts as they are kept.
fn echo(given: &Map<String, Value>, kept: &BTreeMap<String, String>) -> Map<String, Value> {
    given
        .iter()
        .map(|(key, value)| {
            let kept = kept.get(key).filter(|_| value.is_string());
            (key.clone(), kept.map_or_else(|| value.clone(), |text| json!(text)))
        })
        .collect()
}
