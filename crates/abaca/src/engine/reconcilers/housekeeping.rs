//! Forgets what is old, and counts what is pending for the metrics.

use std::time::Duration;

use abaca_model::Timestamp;
use abaca_store::{Error, messages, operations, retry_conflicts};

use crate::engine::Engine;
use crate::engine::failure::chain;
use crate::telemetry::metrics;

const NAME: &str = "housekeeping";

/// How long an ended operation is kept: for operators who ask what happened, and for
/// `objects.rs`, which deletes an orphan only when an operation tells of it.
const OPERATIONS_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

pub(super) async fn run(engine: &Engine) {
    let result = forget(engine).await.and(count(engine).await);
    if let Err(error) = &result {
        tracing::warn!(error = chain(error), "housekeeping failed");
    }
    metrics::reconciler_run(NAME, result.is_ok());
}

async fn forget(engine: &Engine) -> Result<(), Error> {
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = engine.db.write().await?;
        operations::delete_finished(&mut tx, now.before(OPERATIONS_KEPT)).await?;
        messages::delete_expired(&mut tx, now).await?;
        tx.commit().await
    })
    .await
}

async fn count(engine: &Engine) -> Result<(), Error> {
    let pending = operations::pending(&mut engine.db.read().await?).await?;
    let counts: Vec<_> = pending
        .iter()
        .map(|count| (count.kind, count.state, u64::try_from(count.count).unwrap_or_default()))
        .collect();
    metrics::operations(&counts);
    let now = Timestamp::now();
    let ages: Vec<_> = pending.iter().map(|count| (count.kind, now.since(count.oldest))).collect();
    metrics::oldest_operations(&ages);
    Ok(())
}
