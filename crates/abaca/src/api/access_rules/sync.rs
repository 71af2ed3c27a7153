//! Asking the engine to make the backends agree with rules that were changed.

use abaca_model::{OperationKind, ShareInstance, Timestamp};
use abaca_store::access_rules::Of;
use abaca_store::{Tx, access_work, operations};
use serde_json::json;
use uuid::Uuid;

use crate::api::Call;
use crate::api::operation::{self, Work};

/// Every instance, which must be locked, shall agree with the rules as they are in this transaction.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn share_instances(
    call: &Call,
    tx: &mut Tx,
    instances: &[ShareInstance],
    now: Timestamp,
) -> Result<(), abaca_store::Error> {
    for instance in instances {
        ask(call, tx, Of::Shares, instance.id.uuid(), instance.host.as_deref(), now).await?;
    }
    Ok(())
}

/// As [`share_instances`], for one instance of either kind, whose share is at `host`. One operation
/// is enough, however many changes it finds.
///
/// # Errors
/// What the database says.
pub(super) async fn ask(
    call: &Call,
    tx: &mut Tx,
    of: Of,
    instance_id: Uuid,
    host: Option<&str>,
    now: Timestamp,
) -> Result<(), abaca_store::Error> {
    let kind = match of {
        Of::Shares => OperationKind::UpdateAccessRules,
        Of::Snapshots => OperationKind::UpdateSnapshotAccessRules,
    };
    let fence = access_work::request(tx, of, instance_id, now).await?;
    if operations::hasten(tx, kind, instance_id, now).await? {
        return Ok(());
    }
    let work = Work { kind, resource_id: instance_id, fence, host };
    operation::enqueue(tx, call, &work, &json!({})).await
}
