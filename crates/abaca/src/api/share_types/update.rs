//! Changing and deleting a share type.

use abaca_model::Timestamp;
use abaca_store::{Error, retry_conflicts, share_types};

use super::{body, load_or_404, name_taken, not_found, view};
use crate::api::{ApiError, Call, Fields, Reply};

/// What a request wants changed.
struct Change<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
    is_public: Option<bool>,
}

/// Changes the name, the description or whether a share type is public (2.50).
pub(in crate::api) async fn update(call: Call) -> Result<Reply, ApiError> {
    let change = change(Fields(body(&call)?))?;
    let share_type = retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let mut share_type = load_or_404(&call, &mut tx).await?;
        if let Some(name) = change.name {
            name.clone_into(&mut share_type.name);
        }
        if let Some(description) = change.description {
            share_type.description = Some(description.to_owned()).filter(|text| !text.is_empty());
        }
        share_type.is_public = change.is_public.unwrap_or(share_type.is_public);
        share_type.updated_at = Some(Timestamp::now());
        let updated = share_types::update(&mut tx, &share_type).await;
        updated.map_err(|error| match error {
            Error::Unique(_) => name_taken(&share_type.name),
            other => other.into(),
        })?;
        tx.commit().await?;
        Ok::<_, ApiError>(share_type)
    })
    .await?;
    view::one(&call, &share_type, None)
}

fn change(body: Fields<'_>) -> Result<Change<'_>, ApiError> {
    let too_long = |text: &str| text.chars().count() > 255;
    let name = body.text("name")?;
    if name.is_some_and(|name| name.trim().is_empty()) {
        return Err(ApiError::bad_request("Share type name cannot be empty."));
    }
    for (key, text) in [("name", name), ("description", body.text("description")?)] {
        if text.is_some_and(too_long) {
            return Err(ApiError::bad_request(format!(
                "Share type {key} cannot be greater than 255 characters in length."
            )));
        }
    }
    let description = body.text("description")?;
    let is_public = body.boolean("share_type_access:is_public")?;
    if name.is_none() && description.is_none() && is_public.is_none() {
        return Err(ApiError::bad_request(
            "Specify share type name, description, share_type_access:is_public or several of them.",
        ));
    }
    Ok(Change { name, description, is_public })
}

/// Deletes a share type that no share is of.
pub(in crate::api) async fn delete(call: Call) -> Result<Reply, ApiError> {
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share_type = load_or_404(&call, &mut tx).await?;
        let deleted = share_types::delete(&mut tx, share_type.id).await;
        let deleted = deleted.map_err(|error| match error {
            Error::ForeignKey(_) => ApiError::bad_request("Target share type is still in use."),
            other => other.into(),
        })?;
        if !deleted {
            return Err(not_found(&call));
        }
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}
