//! A tenant's metadata of a share's rule.

use abaca_store::access_rules::{self, Of};
use abaca_store::{Tx, retry_conflicts};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::load;
use crate::api::shares::target;
use crate::api::{ApiError, Call, Fields, Reply, metadata};

/// `PUT /share-access-rules/{id}/metadata`: what is not given stays.
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    call.body("metadata")?;
    let body = call.json().and_then(Value::as_object).ok_or_else(ApiError::malformed)?;
    let given = metadata::read(&Fields(body))?;
    let rule = authorised(&call, "share_access_metadata:update").await?;
    retry_conflicts(|| async {
        let mut tx = locked(&call, rule).await?;
        access_rules::set_metadata(&mut tx, rule, &given).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    Reply::ok(&json!({ "metadata": given }))
}

/// `DELETE /share-access-rules/{id}/metadata/{key}`
pub(crate) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let rule = authorised(&call, "share_access_metadata:delete").await?;
    retry_conflicts(|| async {
        let mut tx = locked(&call, rule).await?;
        if !access_rules::delete_metadata(&mut tx, rule, call.path("key")).await? {
            return Err(ApiError::not_found("Share access rule metadata does not exist."));
        }
        Ok(tx.commit().await?)
    })
    .await?;
    Ok(Reply::empty(StatusCode::OK))
}

async fn authorised(call: &Call, operation: &str) -> Result<abaca_model::AccessRuleId, ApiError> {
    let mut tx = call.app.db.read().await?;
    let (rule, share) = load::rule(call, &mut tx).await?;
    call.authorise(operation, &target(&share)).await?;
    Ok(rule.id)
}

async fn locked(call: &Call, rule: abaca_model::AccessRuleId) -> Result<Tx, ApiError> {
    let mut tx = call.app.db.write().await?;
    if access_rules::lock(&mut tx, Of::Shares, rule).await? {
        return Ok(tx);
    }
    Err(load::not_found(&rule.to_string()))
}
