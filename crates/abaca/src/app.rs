//! The running service: its wiring, and what a request handler needs of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use abaca_store::Db;
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::{ApiConfig, Config, QuotaConfig};
use crate::identity::{Caller, Identity, IdentityError};
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
    /// The parts are not joined yet.
    #[error("this build does not serve yet")]
    NotWired,
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
    Identity::from_config(&config.identity)?;
    drop((role, shutdown, ready));
    Err(AppError::NotWired)
}

/// The running service as the API sees it.
pub struct App {
    /// Limits and names the API answers by.
    pub settings: ApiSettings,
    /// The default quota of a project.
    pub quota: QuotaConfig,
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
    /// The largest request body accepted, in bytes.
    pub max_body_bytes: usize,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// The largest page of a list.
    pub max_limit: u64,
    /// The name of the share type that stands in when a tenant names none.
    pub default_share_type: Option<String>,
    /// A service whose last heartbeat is older is down.
    pub service_down_after: Duration,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 114_688,
            request_timeout: Duration::from_secs(60),
            max_limit: 1_000,
            default_share_type: None,
            service_down_after: Duration::from_secs(60),
        }
    }
}

impl From<&ApiConfig> for ApiSettings {
    fn from(config: &ApiConfig) -> Self {
        Self {
            max_body_bytes: usize::try_from(config.max_body_bytes).unwrap_or(usize::MAX),
            request_timeout: config.request_timeout,
            max_limit: config.max_limit.into(),
            default_share_type: Some(config.default_share_type.clone()),
            ..Self::default()
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
