//! `/messages`: what the service tells a project of its failed operations.

pub(super) mod contract;
mod list;
mod load;
mod view;

use abaca_store::{messages, retry_conflicts};

use super::{ApiError, Call, Reply};

pub(super) use list::index;

/// `GET /messages/{id}`
pub(super) async fn show(call: Call) -> Result<Reply, ApiError> {
    let message = load::visible(&call).await?;
    Reply::ok(&view::Body { message: view::shown(&message, &call.links) })
}

/// `DELETE /messages/{id}`
pub(super) async fn delete(call: Call) -> Result<Reply, ApiError> {
    let message = load::visible(&call).await?;
    call.authorise("message:delete", &load::target(&message)).await?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        if !messages::delete(&mut tx, message.id).await? {
            return Err(load::unknown(&call));
        }
        Ok(tx.commit().await?)
    })
    .await?;
    Ok(Reply::empty(axum::http::StatusCode::NO_CONTENT))
}
