//! Keeps replicas up to date: asks for an update of each that follows an active one, unless one is
//! pending already. Several workers may look at once; the instance's row is locked.

use std::time::Duration;

use abaca_model::{OperationKind, ShareInstanceId, Timestamp};
use abaca_store::operations::{self, NewOperation};
use abaca_store::{Error, replicas, retry_conflicts, share_instances, share_work};
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::failure::chain;
use crate::telemetry::metrics;

const NAME: &str = "replicas";

/// How long an update that succeeded is kept, once the next one is asked for: each replica has hundreds a
/// day, of which nobody wants to know later.
const UPDATES_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(engine: &Engine) {
    let result = ask(engine).await;
    match &result {
        Ok(0) => {}
        Ok(count) => {
            tracing::debug!(count, "bringing replicas up to date");
            engine.queue.notify_one();
        }
        Err(error) => tracing::warn!(error = chain(error), "replicas could not be looked at"),
    }
    metrics::reconciler_run(NAME, result.is_ok());
}

/// How many updates were asked for.
async fn ask(engine: &Engine) -> Result<u64, Error> {
    let mut count = 0;
    for service in engine.backends.keys() {
        let due = replicas::followers_of_service(&mut engine.db.read().await?, service).await?;
        for id in due {
            count += u64::from(retry_conflicts(|| begin(engine, id)).await?);
        }
    }
    Ok(count)
}

async fn begin(engine: &Engine, id: ShareInstanceId) -> Result<bool, Error> {
    let now = Timestamp::now();
    let kind = OperationKind::UpdateReplica;
    let mut tx = engine.db.write().await?;
    let Some(replica) = share_instances::get_locked(&mut tx, id).await? else { return Ok(false) };
    if !replicas::follows(&replica) || operations::is_pending(&mut tx, kind, id.uuid()).await? {
        return Ok(false);
    }
    let Some(work) = share_work::load(&mut tx, id).await? else { return Ok(false) };
    let operation = NewOperation {
        kind,
        resource_id: id.uuid(),
        resource_fence: replica.fence,
        service: replica.host.as_deref().map(operations::service_of),
        arguments: "{}".to_owned(),
        project_id: &work.project_id,
        user_id: "",
        // Nobody asked for it; an id of its own leads from the operation to the log.
        request_id: &format!("req-{}", Uuid::new_v4()),
        now,
    };
    operations::enqueue(&mut tx, &operation).await?;
    operations::delete_succeeded(&mut tx, kind, id.uuid(), now.before(UPDATES_KEPT)).await?;
    tx.commit().await?;
    Ok(true)
}
