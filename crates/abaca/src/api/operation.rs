//! Asking the engine to work on a share instance or a snapshot instance.

use abaca_model::{OperationKind, Timestamp};
use abaca_store::Tx;
use abaca_store::operations::{self, NewOperation};
use abaca_store::services::{self, SHARE_BINARY};
use serde::Serialize;
use uuid::Uuid;

use super::Call;
use crate::engine::arguments;

/// What is to be done.
pub(super) struct Work<'a> {
    /// What.
    pub(super) kind: OperationKind,
    /// To which instance.
    pub(super) resource_id: Uuid,
    /// The fence that instance has after this transaction.
    pub(super) fence: i64,
    /// Where it is or will be; `None`: any worker may do it.
    pub(super) host: Option<&'a str>,
}

/// Puts `work` into the queue of the service at its host; `arguments` is one of
/// [`crate::engine::arguments`].
///
/// # Errors
/// What the database says.
pub(super) async fn enqueue(
    tx: &mut Tx,
    call: &Call,
    work: &Work<'_>,
    arguments: &impl Serialize,
) -> Result<(), abaca_store::Error> {
    let request_id = call.request_id.to_string();
    let operation = asked_for(call, &request_id, work, arguments::to_json(arguments));
    operations::enqueue(tx, &operation).await.map(drop)
}

/// The host whose service is to do what an administrator forces: `None`, so that any worker does it
/// without the backend, when that service gives no sign of life.
///
/// # Errors
/// What the database says.
pub(super) async fn host_if_up<'a>(
    tx: &mut Tx,
    call: &Call,
    host: Option<&'a str>,
) -> Result<Option<&'a str>, abaca_store::Error> {
    let Some(host) = host else { return Ok(None) };
    let found = services::find(tx, operations::service_of(host), SHARE_BINARY).await?;
    let is_up = found.is_some_and(|service| {
        Timestamp::now().since(service.heartbeat_at) <= call.app.settings.service_down_after
    });
    Ok(is_up.then_some(host))
}

/// As [`enqueue`], for up to some hundred of the same.
///
/// # Errors
/// What the database says.
pub(super) async fn enqueue_all(
    tx: &mut Tx,
    call: &Call,
    work: &[Work<'_>],
    arguments: &impl Serialize,
) -> Result<(), abaca_store::Error> {
    let (request_id, arguments) = (call.request_id.to_string(), arguments::to_json(arguments));
    let new = work.iter().map(|work| asked_for(call, &request_id, work, arguments.clone()));
    operations::enqueue_all(tx, &new.collect::<Vec<_>>()).await
}

fn asked_for<'a>(
    call: &'a Call,
    request_id: &'a str,
    work: &Work<'a>,
    arguments: String,
) -> NewOperation<'a> {
    NewOperation {
        kind: work.kind,
        resource_id: work.resource_id,
        resource_fence: work.fence,
        service: work.host.map(operations::service_of),
        arguments,
        project_id: call.caller.project_id.as_deref().unwrap_or_default(),
        user_id: &call.caller.user_id,
        request_id,
        now: Timestamp::now(),
    }
}
