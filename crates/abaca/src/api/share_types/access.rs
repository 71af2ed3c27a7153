//! Which projects may use a share type that is not public.

use abaca_model::ShareType;
use abaca_store::{Error, Tx, retry_conflicts, share_types};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{load, load_or_404, not_found};
use crate::api::{ApiError, Call, Fields, Reply};
use crate::identity::Identity;

/// Lists the projects.
pub(in crate::api) async fn list_project_access(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share_type = load(&call, &mut tx)
        .await?
        .ok_or_else(|| ApiError::not_found(format!("Share type {} not found.", call.path("id"))))?;
    if share_type.is_public {
        return Err(ApiError::not_found("Access list not available for public share types."));
    }
    let projects: Vec<Value> = share_types::projects(&mut tx, share_type.id)
        .await?
        .into_iter()
        .map(|project| json!({ "share_type_id": share_type.id, "project_id": project }))
        .collect();
    Reply::ok(&json!({ "share_type_access": projects }))
}

/// Lets a project use a share type.
pub(in crate::api) async fn add_project_access(call: Call) -> Result<Reply, ApiError> {
    let project = project(&call)?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share_type = private(&call, &mut tx).await?;
        share_types::grant(&mut tx, share_type.id, project).await.map_err(|error| match error {
            Error::Unique(_) => ApiError::conflict(format!(
                "Share type access for {} / {project} combination already exists.",
                share_type.id
            )),
            Error::ForeignKey(_) => not_found(&call),
            other => other.into(),
        })?;
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}

/// No longer lets a project use a share type. The shares it has stay.
pub(in crate::api) async fn remove_project_access(call: Call) -> Result<Reply, ApiError> {
    let project = project(&call)?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share_type = private(&call, &mut tx).await?;
        if !share_types::revoke(&mut tx, share_type.id, project).await? {
            return Err(ApiError::not_found(format!(
                "Share type access not found for {} / {project} combination.",
                share_type.id
            )));
        }
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}

async fn private(call: &Call, tx: &mut Tx) -> Result<ShareType, ApiError> {
    let share_type = load_or_404(call, tx).await?;
    if share_type.is_public {
        return Err(ApiError::conflict(
            "Type access modification is not applicable to public share type.",
        ));
    }
    Ok(share_type)
}

/// The project of the request. Keystone's are UUIDs; noauth's are any text.
pub(in crate::api) fn project(call: &Call) -> Result<&str, ApiError> {
    let body = call.action_value().as_object().map(Fields).ok_or_else(ApiError::malformed)?;
    let given = body.value("project").and_then(Value::as_str);
    let is_id = |text: &&str| match call.app.identity {
        Identity::NoAuth => (1..=255).contains(&text.len()),
        Identity::Keystone(_) => false,
    } || Uuid::try_parse(text).is_ok();
    given.filter(is_id).ok_or_else(|| {
        let shown = given.map_or_else(|| call.action_value()["project"].to_string(), str::to_owned);
        ApiError::bad_request(format!(
            "Bad project format: project is not in proper format ({shown})"
        ))
    })
}
