//! The engine: carries out what the API promised.
//!
//! The row is the queue ([`abaca_store::operations`]). A runner claims an operation by lease,
//! works through its steps and writes each result in one transaction that is guarded twice: by the
//! fence of the claim (has another runner taken over?) and by the fence of the resource (has an
//! administrator, or a later operation?). Every step may be run again at any time, so a killed
//! runner's operation is resumed, not failed. Reconcilers compare rows and backends on a timer.
//!
//! Absent on purpose: message queues, a DAG of steps, any state that is not in the database.

pub mod arguments;
mod backend;
mod failure;
mod kill_point;
mod ops;
mod reconcilers;
mod run;
mod runner;

use std::collections::BTreeMap;
use std::sync::Arc;

use abaca_store::Db;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use backend::{Backend, BackendError};

use crate::config::{BackendConfig, WorkerConfig};

/// One worker: the backends it serves and the settings it works by.
pub struct Engine {
    db: Db,
    settings: WorkerConfig,
    /// `worker/process`: the worker's name survives a restart, the process does not.
    owner: String,
    /// By service, `host@backend`.
    backends: BTreeMap<String, Backend>,
    /// Woken when an operation was committed in this process.
    queue: Arc<Notify>,
    /// Woken when the reconcilers should look at once.
    reconcile: Notify,
}

impl Engine {
    /// Opens the backends of this worker.
    ///
    /// # Errors
    /// The first backend that can't be opened.
    pub async fn open(
        db: Db,
        settings: WorkerConfig,
        backends: &[BackendConfig],
        queue: Arc<Notify>,
    ) -> Result<Self, BackendError> {
        let mut opened = BTreeMap::new();
        for config in backends {
            let backend = Backend::open(&settings.host, config).await?;
            opened.insert(backend.service.clone(), backend);
        }
        let owner = format!("{}/{}", settings.host, Uuid::new_v4());
        Ok(Self { db, settings, owner, backends: opened, queue, reconcile: Notify::new() })
    }

    /// Says what the backends hold, resumes what the worker's last process left, and works until
    /// `shutdown`. Then it claims nothing more, gives what runs `worker.lease` to end, and releases
    /// the rest for the next worker.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        reconcilers::report::run(&self).await;
        self.resume_own().await;
        let tasks = TaskTracker::new();
        tasks.spawn(reconcilers::run(Arc::clone(&self), shutdown.clone()));
        tasks.spawn(runner::run(Arc::clone(&self), shutdown));
        tasks.close();
        tasks.wait().await;
    }

    /// Makes the reconcilers look at once.
    pub fn reconcile(&self) {
        self.reconcile.notify_one();
    }

    /// Ends the leases that an earlier process of this worker still holds.
    async fn resume_own(&self) {
        let released = abaca_store::retry_conflicts(|| async {
            let mut tx = self.db.write().await?;
            let worker = &self.settings.host;
            let released = abaca_store::operations::release_leases_of(&mut tx, worker).await?;
            tx.commit().await?;
            Ok::<_, abaca_store::Error>(released)
        });
        match released.await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "resuming what the last process left unfinished"),
            // They are taken over when their leases end.
            Err(error) => tracing::warn!(%error, "could not release the last process's leases"),
        }
    }

    fn services(&self) -> Vec<String> {
        self.backends.keys().cloned().collect()
    }
}
