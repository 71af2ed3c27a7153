//! Which projects may use a share group type that is not public.

use abaca_model::ShareGroupType;
use abaca_store::{Error, Tx, retry_conflicts, share_group_types};
use serde_json::{Value, json};

use super::{load, not_found};
use crate::api::share_types::project;
use crate::api::{ApiError, Call, Reply};

/// Lists the projects.
pub(in crate::api) async fn list_project_access(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let group_type = load(&call, &mut tx).await?;
    if group_type.is_public {
        return Err(ApiError::not_found("Access list not available for public share group types."));
    }
    let projects: Vec<Value> = share_group_types::projects(&mut tx, group_type.id)
        .await?
        .into_iter()
        .map(|project| json!({ "share_group_type_id": group_type.id, "project_id": project }))
        .collect();
    Reply::ok(&json!({ "share_group_type_access": projects }))
}

/// Lets a project use a share group type.
pub(in crate::api) async fn add_project_access(call: Call) -> Result<Reply, ApiError> {
    let project = project(&call)?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let id = private(&call, &mut tx).await?.id;
        share_group_types::grant(&mut tx, id, project).await.map_err(|error| match error {
            Error::Unique(_) => ApiError::conflict(format!(
                "Share group type access for {id} / {project} combination already exists."
            )),
            Error::ForeignKey(_) => not_found(&call),
            other => other.into(),
        })?;
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}

/// No longer lets a project use a share group type.
pub(in crate::api) async fn remove_project_access(call: Call) -> Result<Reply, ApiError> {
    let project = project(&call)?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let id = private(&call, &mut tx).await?.id;
        if !share_group_types::revoke(&mut tx, id, project).await? {
            return Err(ApiError::not_found(format!(
                "Share group type access not found for {id} / {project} combination."
            )));
        }
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}

async fn private(call: &Call, tx: &mut Tx) -> Result<ShareGroupType, ApiError> {
    let group_type = load(call, tx).await?;
    if group_type.is_public {
        return Err(ApiError::conflict(
            "Type access modification is not applicable to public share group type.",
        ));
    }
    Ok(group_type)
}
