//! What a request handler needs of the running process.

use std::sync::Arc;
use std::time::Duration;

use abaca_store::Db;
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::config::QuotaConfig;
use crate::identity::{Caller, Identity};

/// The running service as the API sees it.
pub struct App {
    /// Limits and names the API answers by.
    pub settings: ApiSettings,
    /// The default quota of a project.
    pub quota: QuotaConfig,
    /// The rows.
    pub db: Db,
    /// Wakes the runner of this process.
    pub queue: Arc<Notify>,
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
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 114_688,
            request_timeout: Duration::from_secs(60),
            max_limit: 1_000,
            default_share_type: None,
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
