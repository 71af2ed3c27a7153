//! The message that a failed operation leaves for its tenant.

use abaca_model::{MessageAction, MessageDetail, MessageResource, Timestamp};
use abaca_store::messages::{self, NewMessage};
use abaca_store::{Result, Tx};

use crate::engine::run::Run;

/// What failed, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// What was being done.
    pub(super) action: MessageAction,
    /// What came of it.
    pub(super) detail: MessageDetail,
    /// Why, in a sentence for the tenant; may be empty.
    pub(super) reason: &'a str,
}

/// Leaves a message with `project_id` about one of its shares or snapshots.
pub(super) async fn leave(
    run: &Run<'_>,
    tx: &mut Tx,
    project_id: &str,
    (resource, resource_id): (MessageResource, String),
    Told { action, detail, reason }: Told<'_>,
) -> Result<()> {
    let message = NewMessage {
        project_id,
        request_id: &run.operation.request_id,
        resource,
        resource_id: &resource_id,
        action,
        detail,
        reason,
    };
    let kept = run.engine.settings.message_ttl;
    messages::insert(tx, &message, Timestamp::now(), kept).await.map(drop)
}
