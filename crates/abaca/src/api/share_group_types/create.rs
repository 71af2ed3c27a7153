//! Creating and deleting a share group type.

use std::collections::BTreeSet;

use abaca_model::{ShareGroupType, ShareGroupTypeId, ShareTypeId, Timestamp};
use abaca_store::{Error, Tx, retry_conflicts, share_group_types, share_types};
use serde_json::Value;

use super::{group_specs, load, not_found, view};
use crate::api::share_types::visible;
use crate::api::{ApiError, Call, Fields, Reply};

/// Creates a share group type.
pub(in crate::api) async fn create(call: Call) -> Result<Reply, ApiError> {
    let body = call.body("share_group_type")?;
    let names = share_types_of(body)?;
    let requested = requested(body)?;
    let group_type = retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let mut group_type = requested.clone();
        for name in &names {
            group_type.share_types.insert(share_type(&call, &mut tx, name).await?);
        }
        share_group_types::insert(&mut tx, &group_type).await.map_err(|error| match error {
            Error::Unique(_) => {
                ApiError::conflict(format!("Share group type {} already exists.", group_type.name))
            }
            Error::ForeignKey(_) => ApiError::not_found("A share type of the group type is gone."),
            other => other.into(),
        })?;
        tx.commit().await?;
        Ok::<_, ApiError>(group_type)
    })
    .await?;
    view::one(&call, &group_type)
}

/// What the request says, without the share types.
fn requested(body: Fields<'_>) -> Result<ShareGroupType, ApiError> {
    let length = |name: &str| name.chars().count();
    let name = body.text("name")?.filter(|name| (1..=255).contains(&length(name)));
    let name = name.ok_or_else(|| {
        ApiError::bad_request("Share group type name is not valid: 1 to 255 characters expected.")
    })?;
    let specs = match body.object("group_specs")? {
        Some(given) => group_specs::checked(given, 0..=255)?,
        None => Default::default(),
    };
    Ok(ShareGroupType {
        id: ShareGroupTypeId::random(),
        name: name.to_owned(),
        is_public: body.boolean("is_public")?.unwrap_or(true),
        group_specs: specs,
        share_types: BTreeSet::new(),
        created_at: Timestamp::now(),
    })
}

/// The names or ids of share types in the request: a list, or one alone.
fn share_types_of(body: Fields<'_>) -> Result<Vec<&str>, ApiError> {
    let names = match body.value("share_types") {
        Some(Value::String(name)) => Some(vec![name.as_str()]),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let are_names = |names: &Vec<&str>| !names.is_empty() && !names.contains(&"");
    names.filter(are_names).ok_or_else(|| {
        ApiError::bad_request(
            "Supported share types must be provided: a list of names or ids in 'share_types'.",
        )
    })
}

async fn share_type(call: &Call, tx: &mut Tx, name: &str) -> Result<ShareTypeId, ApiError> {
    let found = share_types::by_name_or_id(tx, visible(call), name).await?;
    found
        .map(|share_type| share_type.id)
        .ok_or_else(|| ApiError::not_found(format!("Share type {name} could not be found.")))
}

/// Deletes a share group type.
pub(in crate::api) async fn delete(call: Call) -> Result<Reply, ApiError> {
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let group_type = load(&call, &mut tx).await?;
        if !share_group_types::delete(&mut tx, group_type.id).await? {
            return Err(not_found(&call));
        }
        tx.commit().await?;
        Ok(Reply::empty(axum::http::StatusCode::NO_CONTENT))
    })
    .await
}
