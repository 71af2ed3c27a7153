//! The message that a failed operation leaves for its tenant.

use std::time::Duration;

use abaca_model::{MessageId, Timestamp};
use abaca_store::messages::{self, Message};
use abaca_store::{Result, Tx};

use crate::engine::run::Run;

/// How long a message is kept: thirty days, as the reference does.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Leaves `detail` with `project_id` about one of its shares or snapshots.
pub(super) async fn leave(
    run: &Run<'_>,
    tx: &mut Tx,
    project_id: &str,
    (resource_type, resource_id): (&str, String),
    detail: &str,
) -> Result<()> {
    let now = Timestamp::now();
    let message = Message {
        id: MessageId::random(),
        project_id: project_id.to_owned(),
        request_id: run.operation.request_id.clone(),
        resource_type: resource_type.to_owned(),
        resource_id,
        action: run.operation.kind.to_string(),
        detail: detail.to_owned(),
        created_at: now,
        expires_at: now.after(KEPT),
    };
    messages::insert(tx, &message).await
}
