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
mod places;
mod reconcilers;
mod run;
mod runner;
mod watched;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use abaca_drivers::{BuildError, DriverError};
use abaca_model::Timestamp;
use abaca_store::Db;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use backend::{Backend, BackendError};

use crate::config::{BackendConfig, WorkerConfig};

/// How long the start waits for storage that does not answer; it is opened later then.
const OPENING: Duration = Duration::from_secs(10);
/// How long the first placing of shares waits for backends that do not answer, when another has.
const FIRST_LOOKS: Duration = Duration::from_secs(5);

/// One worker: the backends it serves and the settings it works by.
pub struct Engine {
    db: Db,
    settings: WorkerConfig,
    /// `worker/process`: the worker's name survives a restart, the process does not.
    owner: String,
    /// By service, `host@backend`.
    backends: BTreeMap<String, Arc<Backend>>,
    /// Woken when an operation was committed in this process.
    queue: Arc<Notify>,
    /// Changes when the reconcilers should look at once.
    reconcile: watch::Sender<()>,
    /// Held while a service of this worker is registered: at the same time, two would take one number.
    registering: Mutex<()>,
    started_at: Timestamp,
}

impl Engine {
    /// Opens the backends of this worker, those that can be opened now: the others are tried again by
    /// each look at them, and are down until then.
    ///
    /// # Errors
    /// A backend whose settings are wrong; or, when none could be opened, one whose storage is not
    /// what the settings say.
    pub async fn open(
        db: Db,
        settings: WorkerConfig,
        backends: &[BackendConfig],
        queue: Arc<Notify>,
    ) -> Result<Self, BackendError> {
        let mut opening = JoinSet::new();
        let mut opened = BTreeMap::new();
        for config in backends {
            let backend = Backend::new(&settings.host, config, settings.driver_call_deadline);
            let backend = Arc::new(backend);
            opened.insert(backend.service.clone(), Arc::clone(&backend));
            opening.spawn(async move { backend.open(OPENING).await });
        }
        let mut refused = None;
        for error in opening.join_all().await.into_iter().filter_map(Result::err) {
            match &error.source {
                BuildError::Settings(_) => return Err(error),
                BuildError::Open(DriverError::InvalidInput { .. }) => refused = Some(error),
                // The first look at it tells of it.
                BuildError::Open(_) => {}
            }
        }
        if let Some(error) = refused
            && !opened.values().any(|backend| backend.is_up())
        {
            return Err(error);
        }
        Ok(Self {
            db,
            owner: format!("{}/{}", settings.host, Uuid::new_v4()),
            settings,
            backends: opened,
            queue,
            reconcile: watch::Sender::new(()),
            registering: Mutex::default(),
            started_at: Timestamp::now(),
        })
    }

    /// Resumes what the worker's last process left, says what the backends hold, and works until
    /// `shutdown`. Then it claims nothing more, gives what runs `worker.lease` to end, and releases
    /// the rest for the next worker.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        self.resume_own().await;
        let tasks = TaskTracker::new();
        tasks.spawn(reconcilers::run(Arc::clone(&self), shutdown.clone()));
        tasks.spawn(runner::run(Arc::clone(&self), shutdown));
        tasks.close();
        tasks.wait().await;
    }

    /// Makes the reconcilers look at once.
    pub fn reconcile(&self) {
        self.reconcile.send_replace(());
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

    /// The services whose operations can be begun now; `None` stands for what any worker may do.
    fn services(&self) -> Vec<Option<&str>> {
        let up = self.backends.values().filter(|backend| backend.is_up());
        let mut services: Vec<_> = up.map(|backend| Some(backend.service.as_str())).collect();
        if self.can_place() {
            services.push(None);
        }
        services
    }

    /// Whether the backends of this worker have said what they can hold, or had their time for it:
    /// before that no pool may be known to hold a new share.
    fn can_place(&self) -> bool {
        let mut looks = self.backends.values().map(|backend| backend.first_look.get());
        looks.clone().all(|look| look.is_some())
            || (looks.any(|look| look == Some(&true))
                && Timestamp::now().since(self.started_at) > FIRST_LOOKS)
    }
}
