//! Quota sets: the limits of a project, a user or a share type, and what is used of them.

use abaca_store::quota::{self, DEFAULT_CLASS};
use abaca_store::retry_conflicts;
use serde_json::json;

use super::read::{self, Asked};
use super::{of_class, view};
use crate::api::{ApiError, Call, Reply};

/// `GET /quota-sets/{project_id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let asked = Asked::read(&call, &mut tx, "quota_set:show").await?;
    let limits = asked.limits(&call, &mut tx).await?;
    Reply::ok(&asked.body(&call, Some(&asked.project_id), &limits, None))
}

/// `GET /quota-sets/{project_id}/detail`
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let asked = Asked::read(&call, &mut tx, "quota_set:show").await?;
    let limits = asked.limits(&call, &mut tx).await?;
    let usage = quota::of_all(&mut tx, &asked.project_id, asked.subject()).await?;
    Reply::ok(&asked.body(&call, Some(&asked.project_id), &limits, Some(&usage)))
}

/// `GET /quota-sets/{project_id}/defaults`: the same for whichever project.
pub(crate) async fn defaults(call: Call) -> Result<Reply, ApiError> {
    let id = read::name("project id", call.path("project_id"))?;
    let mut tx = call.app.db.read().await?;
    let limits = of_class(&call, &mut tx, DEFAULT_CLASS).await?;
    let value = |resource| json!(limits.get(&resource));
    Reply::ok(&view::set("quota_set", call.version, Some(&id), |_| true, value))
}

/// `DELETE /quota-sets/{project_id}`: back to the defaults.
pub(crate) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let asked = Asked::read(&call, &mut tx, "quota_set:delete").await?;
    drop(tx);
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        quota::clear(&mut tx, &asked.project_id, asked.subject()).await?;
        tx.commit().await
    })
    .await?;
    Ok(Reply::accepted())
}
