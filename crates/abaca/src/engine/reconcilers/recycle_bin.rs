//! Deletes the shares whose time in the recycle bin is over, as their tenants could have: by an
//! operation. Several workers may look at once; the share's row is locked, and whoever comes second
//! finds it being deleted.

use std::ops::RangeInclusive;
use std::time::Duration;

use abaca_model::{OperationKind, Share, ShareId, ShareInstance, ShareStatus, Timestamp};
use abaca_store::operations::{self, NewOperation};
use abaca_store::{Error, Tx, retry_conflicts, share_instances, shares, snapshots};
use uuid::Uuid;

use crate::engine::failure::chain;
use crate::engine::{Engine, arguments};
use crate::telemetry::metrics;

const NAME: &str = "recycle_bin";

/// How long a deletion that failed is left alone: the longer, the longer it has been failing, as its
/// tenant is told of each.
const PAUSE: RangeInclusive<Duration> =
    Duration::from_secs(60 * 60)..=Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(engine: &Engine) {
    let result = empty(engine).await;
    match &result {
        Ok(0) => {}
        Ok(count) => {
            tracing::info!(count, "deleting shares whose time in the recycle bin is over");
            engine.queue.notify_one();
        }
        Err(error) => tracing::warn!(error = chain(error), "the recycle bin could not be emptied"),
    }
    metrics::reconciler_run(NAME, result.is_ok());
}

/// How many shares are being deleted now.
async fn empty(engine: &Engine) -> Result<u64, Error> {
    let now = Timestamp::now();
    let mut tx = engine.db.read().await?;
    let due = shares::expired(&mut tx, now, PAUSE).await?;
    drop(tx);
    let mut count = 0;
    for id in due {
        count += u64::from(retry_conflicts(|| begin(engine, id, now)).await?);
    }
    Ok(count)
}

/// One transaction, as that of a tenant who deletes the share; `false`: it is not to be deleted
/// after all.
async fn begin(engine: &Engine, id: ShareId, now: Timestamp) -> Result<bool, Error> {
    let mut tx = engine.db.write().await?;
    let Some(share) = shares::get_locked(&mut tx, id).await? else { return Ok(false) };
    let instances = share_instances::of_share_locked(&mut tx, id).await?;
    let is_due = share.scheduled_to_be_deleted_at.is_some_and(|end| end <= now);
    if !is_due || !instances.iter().all(is_settled) {
        return Ok(false);
    }
    let count = snapshots::count_of_share(&mut tx, id).await?;
    if count > 0 {
        tracing::warn!(share_id = %id, count, "a share in the recycle bin has snapshots; it stays");
        return Ok(false);
    }
    for instance in &instances {
        enqueue(&mut tx, &share, instance, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Nothing works on the instance.
fn is_settled(instance: &ShareInstance) -> bool {
    matches!(
        instance.status,
        ShareStatus::Available
            | ShareStatus::Error
            | ShareStatus::Inactive
            | ShareStatus::ErrorDeleting
    )
}

async fn enqueue(
    tx: &mut Tx,
    share: &Share,
    instance: &ShareInstance,
    now: Timestamp,
) -> Result<(), Error> {
    let fence = share_instances::take_over(tx, instance, ShareStatus::Deleting, now).await?;
    // Nobody asked for it just now; an id of its own leads from the operation to the log.
    let request_id = format!("req-{}", Uuid::new_v4());
    tracing::info!(share_id = %share.id, request_id, "the share's time in the recycle bin is over");
    let operation = NewOperation {
        kind: OperationKind::DeleteShare,
        resource_id: instance.id.uuid(),
        resource_fence: fence,
        service: instance.host.as_deref().map(operations::service_of),
        arguments: arguments::to_json(&arguments::Delete::default()),
        project_id: &share.project_id,
        user_id: &share.user_id,
        request_id: &request_id,
        now,
    };
    operations::enqueue(tx, &operation).await.map(drop)
}
