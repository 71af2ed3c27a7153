//! Creating a share type.

use std::collections::BTreeMap;

use abaca_model::{ShareType, ShareTypeId, Timestamp};
use abaca_store::{Error, retry_conflicts, share_types};
use serde_json::{Map, Value, json};

use super::{body, name_taken, specs, view};
use crate::api::{ApiError, Call, Fields, Reply, V};

/// Creates a share type.
pub(in crate::api) async fn create(call: Call) -> Result<Reply, ApiError> {
    let body = Fields(body(&call)?);
    let description = body.value("description");
    if description.is_some_and(|text| *text != json!("")) && !call.since(V(2, 41)) {
        return Err(ApiError::bad_request("'description' can be given from microversion 2.41 on."));
    }
    let (name, description) = names(body)?;
    let given = given_specs(&call, body)?;
    let share_type = ShareType {
        id: ShareTypeId::random(),
        name,
        description,
        is_public: is_public(body)?,
        extra_specs: checked(&given)?,
        created_at: Timestamp::now(),
        updated_at: None,
    };
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        share_types::insert(&mut tx, &share_type).await.map_err(|error| match error {
            Error::Unique(_) => name_taken(&share_type.name),
            other => other.into(),
        })?;
        tx.commit().await?;
        Ok::<_, ApiError>(())
    })
    .await?;
    view::one(&call, &share_type, given.get(specs::DRIVER_HANDLES_SHARE_SERVERS))
}

fn names(body: Fields<'_>) -> Result<(String, Option<String>), ApiError> {
    let bad = || ApiError::bad_request("Type name or description is not valid.");
    let fits = |text: &str| text.chars().count() <= 255;
    let name = body.text("name").ok().flatten().filter(|name| !name.is_empty() && fits(name));
    let description = body.text("description").map_err(|_| bad())?;
    if description.is_some_and(|text| !fits(text)) {
        return Err(bad());
    }
    Ok((name.ok_or_else(bad)?.to_owned(), description.map(str::to_owned)))
}

fn is_public(body: Fields<'_>) -> Result<bool, ApiError> {
    let old = body.boolean("os-share-type-access:is_public")?;
    let new = body.boolean("share_type_access:is_public")?;
    Ok(old.or(new).unwrap_or(true))
}

/// Before 2.24 a type had snapshot support unless it said otherwise.
fn given_specs(call: &Call, body: Fields<'_>) -> Result<Map<String, Value>, ApiError> {
    let mut given = body.object("extra_specs")?.cloned().unwrap_or_default();
    if !call.since(V(2, 24)) {
        given.entry(specs::SNAPSHOT_SUPPORT).or_insert(json!(true));
    }
    Ok(given)
}

fn checked(given: &Map<String, Value>) -> Result<BTreeMap<String, String>, ApiError> {
    if !given.contains_key(specs::DRIVER_HANDLES_SHARE_SERVERS) {
        return Err(ApiError::bad_request(format!(
            "Invalid extra_spec: Required extra specs '{}' not specified.",
            specs::DRIVER_HANDLES_SHARE_SERVERS
        )));
    }
    given
        .iter()
        .map(|(key, value)| {
            let length = |text: &str| text.chars().count();
            let text = specs::text(value).filter(|text| length(text) <= 255).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "Invalid extra_spec: Value of {key} is not a string of at most 255 characters."
                ))
            })?;
            if !(1..=255).contains(&length(key)) {
                return Err(ApiError::bad_request(
                    "Invalid extra_spec: A key must have 1 to 255 characters.",
                ));
            }
            if let Some(expected) = specs::problem(key, &text) {
                return Err(ApiError::bad_request(format!(
                    "Invalid extra_spec: Value of {key} is not valid. Expecting {expected}."
                )));
            }
            Ok((key.clone(), specs::normal(key, text)))
        })
        .collect()
}
