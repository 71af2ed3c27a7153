//! Asking the engine to work on a snapshot instance.

use abaca_model::{OperationKind, SnapshotInstance, Timestamp};
use abaca_store::Tx;
use abaca_store::operations::{self, NewOperation};

use crate::api::Call;

/// `host@backend` of a `host@backend#pool`.
pub(super) fn service_of(host: &str) -> &str {
    host.split('#').next().unwrap_or(host)
}

/// Puts an operation on `instance`, under the fence it has, into the queue of `service`.
///
/// # Errors
/// What the database says.
pub(super) async fn enqueue(
    tx: &mut Tx,
    call: &Call,
    kind: OperationKind,
    instance: &SnapshotInstance,
    service: Option<&str>,
    arguments: String,
) -> Result<(), abaca_store::Error> {
    let request_id = call.request_id.to_string();
    let operation = NewOperation {
        kind,
        resource_id: instance.id.uuid(),
        resource_fence: instance.fence,
        service,
        arguments,
        project_id: call.caller.project_id.as_deref().unwrap_or_default(),
        user_id: &call.caller.user_id,
        request_id: &request_id,
        now: Timestamp::now(),
    };
    operations::enqueue(tx, &operation).await.map(drop)
}
