//! What runs on a timer, or at once when nudged. Each takes no input, may run at any time and any
//! number of times, and reports what it found. What asks a backend has a task for each backend, so that
//! one that hangs keeps nothing else from running.

mod housekeeping;
mod objects;
mod recycle_bin;
mod replicas;
mod report;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Backend, Engine};

/// Runs the reconcilers until `shutdown`.
pub(super) async fn run(engine: Arc<Engine>, shutdown: CancellationToken) {
    let mut tasks = JoinSet::new();
    for backend in engine.backends.values() {
        tasks.spawn(reports(Arc::clone(&engine), Arc::clone(backend)));
        tasks.spawn(comparisons(Arc::clone(&engine), Arc::clone(backend)));
    }
    tasks.spawn(heartbeats(Arc::clone(&engine)));
    tasks.spawn(rows(Arc::clone(&engine)));
    tasks.spawn(updates(engine));
    shutdown.cancelled().await;
    tasks.shutdown().await;
}

async fn reports(engine: Arc<Engine>, backend: Arc<Backend>) {
    loop {
        report::backend(&engine, &backend).await;
        tokio::time::sleep(engine.settings.stats_interval).await;
    }
}

async fn heartbeats(engine: Arc<Engine>) {
    loop {
        report::process(&engine).await;
        tokio::time::sleep(engine.settings.stats_interval).await;
    }
}

async fn comparisons(engine: Arc<Engine>, backend: Arc<Backend>) {
    let mut nudged = engine.reconcile.subscribe();
    loop {
        if !backend.is_up() {
            tokio::time::sleep(engine.settings.stats_interval).await;
            continue;
        }
        objects::run(&engine, &backend).await;
        // Woken or timed out, it is time.
        let _ = tokio::time::timeout(engine.settings.reconcile_interval, nudged.changed()).await;
    }
}

async fn rows(engine: Arc<Engine>) {
    let mut nudged = engine.reconcile.subscribe();
    loop {
        recycle_bin::run(&engine).await;
        housekeeping::run(&engine).await;
        // Woken or timed out, it is time.
        let _ = tokio::time::timeout(engine.settings.reconcile_interval, nudged.changed()).await;
    }
}

async fn updates(engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(engine.settings.replica_update_interval).await;
        replicas::run(&engine).await;
    }
}
