//! The running service: its wiring, and what a request handler needs of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use abaca_model::quota::{Limit, Resource};
use abaca_store::Db;
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{ApiConfig, Config, DOWN_AFTER};
use crate::default_share_type;
use crate::engine::{BackendError, Engine};
use crate::identity::{Caller, Identity, IdentityError};
use crate::listen::{ListenError, Listeners};
use crate::policy::{self, PolicyError, Watcher};
use crate::telemetry::TelemetryError;
use crate::telemetry::metrics::Metrics;

/// Which part of the service runs in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// The API alone
    Api,
    /// The workers alone: they carry operations out
    Worker,
    /// Both
    All,
}

/// Where the service listens, port 0 resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The API, unless only the workers run.
    pub api: Option<SocketAddr>,
    /// `GET /metrics`, if anyone answers it.
    pub metrics: Option<SocketAddr>,
}

/// Why the service could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configured identity can't be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The policy files are not in order.
    #[error("the policy can't be loaded")]
    Policy(#[from] PolicyError),
    /// The database can't be opened, migrated or written to.
    #[error("the database can't be used")]
    Database(#[from] abaca_store::Error),
    /// A backend can't be opened.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// An address can't be listened on, or a listener failed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Metrics can't be recorded.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
}

/// Runs the service until `shutdown` is cancelled, then ends cleanly. `ready` is called once, when
/// the listeners are bound and before the first request is answered.
///
/// # Errors
/// When it can't start: a listener, the database or a backend can't be had.
pub async fn serve(
    config: Config,
    role: Role,
    shutdown: CancellationToken,
    ready: impl FnOnce(Addresses) + Send,
) -> Result<(), AppError> {
    let identity = Identity::from_config(&config.identity)?;
    let policy = policy::Policy::load(&config.policy)?;
    let metrics = Metrics::install()?;
    let db = Db::open(config.database.url.reveal(), config.database.pool_size as usize)?;
    db.migrate().await?;
    default_share_type::ensure(&db, &config.api.default_share_type).await?;
    let queue = Arc::new(Notify::new());
    let engine = match role {
        Role::Api => None,
        Role::Worker | Role::All => {
            let worker = config.worker.clone();
            Some(Engine::open(db.clone(), worker, &config.backends, Arc::clone(&queue)).await?)
        }
    };
    let listeners = Listeners::bind(&config, role).await?;
    ready(listeners.addresses());

    let tasks = TaskTracker::new();
    tasks.spawn(stop_with(Watcher::new(policy.clone()).run(), shutdown.clone()));
    tasks.spawn(stop_with(fold(metrics.clone()), shutdown.clone()));
    let first_log_in = identity.clone();
    tasks.spawn(stop_with(async move { first_log_in.log_in().await }, shutdown.clone()));
    let shared = listeners.api_answers_metrics().then(|| metrics.clone());
    let app = App {
        settings: ApiSettings::from(&config.api),
        quota: config.quota,
        db,
        queue,
        identity,
        policy: Arc::new(policy),
        metrics: shared,
    };
    let served = listeners.serve(Arc::new(app), metrics, shutdown.clone());
    let engine = async {
        match engine {
            Some(engine) => Arc::new(engine).run(shutdown.clone()).await,
            None => shutdown.cancelled().await,
        }
    };
    let (served, ()) = tokio::join!(
        async {
            // A listener that fails takes the process along, cleanly.
            let served = served.await;
            shutdown.cancel();
            served
        },
        engine
    );
    tasks.close();
    tasks.wait().await;
    Ok(served?)
}

async fn stop_with(work: impl Future<Output = ()>, shutdown: CancellationToken) {
    // Whether it ended or was stopped makes no difference.
    let _: Option<()> = shutdown.run_until_cancelled(work).await;
}

async fn fold(metrics: Metrics) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        metrics.fold();
    }
}

/// The running service as the API sees it.
pub struct App {
    /// Limits and names the API answers by.
    pub settings: ApiSettings,
    /// The default quota of a project.
    pub quota: BTreeMap<Resource, Limit>,
    /// The database.
    pub db: Db,
    /// Wakes the runner of this process.
    pub queue: Arc<Notify>,
    /// Served as `/metrics` by the API's own listener; `None` when there is another for it, or none.
    pub metrics: Option<Metrics>,
    /// Says who is calling.
    pub identity: Identity,
    /// Says who may do what.
    pub policy: Arc<dyn Policy>,
}

impl App {
    /// Tells the runner of this process, if there is one, that an operation was committed. Runners
    /// elsewhere find it when they next look.
    pub fn nudge(&self) {
        self.queue.notify_one();
    }
}

/// The part of the configuration that request handlers read.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// What links begin with, up to `/v2`; none: `http://` and the host that the request names.
    pub public_url: Option<String>,
    /// The largest request body accepted, in bytes.
    pub max_body_bytes: usize,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// The largest page of a list.
    pub max_limit: u64,
    /// The name of the share type that stands in when a tenant names none.
    pub default_share_type: String,
    /// The name of the default share group type.
    pub default_share_group_type: Option<String>,
    /// How long a share stays in the recycle bin.
    pub soft_deleted_share_retention: Duration,
    /// The prefix of mount point names, unless the share type has another.
    pub default_mount_point_prefix: String,
    /// Names in the metadata of shares that only administrators may set.
    pub admin_only_metadata: Vec<String>,
    /// The same for export locations.
    pub admin_only_export_location_metadata: Vec<String>,
    /// A service whose last heartbeat is older is down.
    pub service_down_after: Duration,
    /// A tenant's deletion frees its quota at once, whatever becomes of it.
    pub deferred_deletion: bool,
}

impl From<&ApiConfig> for ApiSettings {
    fn from(config: &ApiConfig) -> Self {
        Self {
            public_url: config.public_url.as_ref().map(|url| url.as_str().to_owned()),
            max_body_bytes: usize::try_from(config.max_body_bytes).unwrap_or(usize::MAX),
            request_timeout: config.request_timeout,
            max_limit: config.max_limit.into(),
            default_share_type: config.default_share_type.clone(),
            default_share_group_type: config.default_share_group_type.clone(),
            deferred_deletion: config.deferred_deletion,
            soft_deleted_share_retention: config.soft_deleted_share_retention,
            default_mount_point_prefix: config.default_mount_point_prefix.clone(),
            admin_only_metadata: config.admin_only_metadata.clone(),
            admin_only_export_location_metadata: config.admin_only_export_location_metadata.clone(),
            service_down_after: DOWN_AFTER,
        }
    }
}

/// The attributes of a resource that a policy rule may compare with the caller.
pub type Target = serde_json::Map<String, serde_json::Value>;

/// Decides whether a caller may do something to a target.
#[async_trait]
pub trait Policy: Send + Sync {
    /// Whether `rule` lets `caller` act on `target`; without one, on the caller's own project. An
    /// unknown rule lets nobody.
    async fn allows(&self, rule: &str, caller: &Caller, target: Option<&Target>) -> bool;
}
