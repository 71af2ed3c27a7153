//! Finding the message of a request, if the caller may see it.

use abaca_model::MessageId;
use abaca_store::messages::{self, Message};
use serde_json::json;

use crate::api::{ApiError, Call};
use crate::app::Target;

/// The message in the path. Who may not see it is told what he is told of one that is not there.
///
/// # Errors
/// 404.
pub(super) async fn visible(call: &Call) -> Result<Message, ApiError> {
    let id = call.id::<MessageId>().ok_or_else(|| unknown(call))?;
    let mut tx = call.app.db.read().await?;
    let message = messages::get(&mut tx, id).await?.ok_or_else(|| unknown(call))?;
    drop(tx);
    let own = call.caller.project_id.as_deref() == Some(message.project_id.as_str());
    let sees = own || call.caller.is_admin;
    if sees && call.allows("message:get", Some(&target(&message))).await {
        return Ok(message);
    }
    Err(unknown(call))
}

pub(super) fn unknown(call: &Call) -> ApiError {
    ApiError::not_found(format!("Message {} could not be found.", call.path("id")))
}

/// What a rule about a message can compare the caller with.
pub(super) fn target(message: &Message) -> Target {
    Target::from_iter([
        ("id".to_owned(), json!(message.id)),
        ("project_id".to_owned(), json!(message.project_id)),
    ])
}
