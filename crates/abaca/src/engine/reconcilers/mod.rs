//! What runs on a timer, or at once when nudged. Each takes no input, may run at any time and any
//! number of times, and reports what it found.

mod housekeeping;
mod objects;
mod recycle_bin;
mod replicas;
pub(super) mod report;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Engine;

/// Runs the reconcilers until `shutdown`.
pub(super) async fn run(engine: Arc<Engine>, shutdown: CancellationToken) {
    let reports = async {
        loop {
            tokio::time::sleep(engine.settings.stats_interval).await;
            report::run(&engine).await;
        }
    };
    let reconcilers = async {
        loop {
            objects::run(&engine).await;
            recycle_bin::run(&engine).await;
            housekeeping::run(&engine).await;
            let interval = engine.settings.reconcile_interval;
            // Woken or timed out, it is time.
            let _ = tokio::time::timeout(interval, engine.reconcile.notified()).await;
        }
    };
    let updates = async {
        loop {
            tokio::time::sleep(engine.settings.replica_update_interval).await;
            replicas::run(&engine).await;
        }
    };
    let all = async { tokio::join!(reports, reconcilers, updates) };
    // The token is the one way to end.
    let _: Option<((), (), ())> = shutdown.run_until_cancelled(all).await;
}
