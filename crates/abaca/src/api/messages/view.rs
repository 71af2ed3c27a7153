//! Messages in JSON.

use abaca_model::{MessageId, Timestamp};
use abaca_store::messages::Message;
use serde::Serialize;
use serde_json::Value;

use crate::api::Links;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) message: Shown<'a>,
}

#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: MessageId,
    project_id: &'a str,
    action_id: &'a str,
    detail_id: &'a str,
    message_level: &'a str,
    created_at: Timestamp,
    expires_at: Timestamp,
    request_id: &'a str,
    links: Value,
    resource_type: &'a str,
    resource_id: &'a str,
    user_message: String,
}

pub(super) fn shown<'a>(message: &'a Message, links: &Links) -> Shown<'a> {
    Shown {
        id: message.id,
        project_id: &message.project_id,
        action_id: &message.action_id,
        detail_id: &message.detail_id,
        message_level: &message.level,
        created_at: message.created_at,
        expires_at: message.expires_at,
        request_id: &message.request_id,
        links: links.resource("messages", &message.id.to_string()),
        resource_type: &message.resource_type,
        resource_id: &message.resource_id,
        user_message: format!("{}: {}", message.action, message.detail),
    }
}
