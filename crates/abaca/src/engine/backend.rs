//! A backend of this worker: its driver and what the config says of it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use abaca_drivers::{BuildError, Driver};

use super::watched::Watched;
use crate::config::BackendConfig;

/// A configured backend. Its storage may be out of reach.
pub struct Backend {
    /// `host@backend`.
    pub service: String,
    /// Its name in the config.
    pub name: String,
    /// The zone of its shares.
    pub availability_zone: String,
    /// The driver makes a share server for each share network.
    pub driver_handles_share_servers: bool,
    /// Backends of one domain can hold replicas of each other's shares.
    pub replication_domain: Option<String>,
    /// Which shares it takes.
    pub filter_function: Option<String>,
    /// How good a place it is.
    pub goodness_function: Option<String>,
    /// What does the work.
    pub driver: Arc<dyn Driver>,
    /// The same.
    watched: Arc<Watched>,
    /// Whether the first look at it succeeded; unset before.
    pub(super) first_look: OnceLock<bool>,
}

/// A backend could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("backend {name:?} can't be opened")]
pub struct BackendError {
    name: String,
    #[source]
    pub(super) source: BuildError,
}

impl Backend {
    pub(super) fn new(host: &str, config: &BackendConfig, deadline: Duration) -> Self {
        let service = format!("{host}@{}", config.name);
        let watched = Arc::new(Watched::new(&service, config, deadline));
        Self {
            service,
            name: config.name.clone(),
            availability_zone: config.availability_zone.clone(),
            driver_handles_share_servers: config.driver_handles_share_servers,
            replication_domain: config.replication_domain.clone(),
            filter_function: config.filter_function.clone(),
            goodness_function: config.goodness_function.clone(),
            driver: Arc::clone(&watched) as Arc<dyn Driver>,
            watched,
            first_look: OnceLock::new(),
        }
    }

    /// Opens its storage within `limit`. Where that fails, each look at it tries again.
    pub(super) async fn open(&self, limit: Duration) -> Result<(), BackendError> {
        let opened = self.watched.open(limit).await;
        opened.map(drop).map_err(|source| BackendError { name: self.name.clone(), source })
    }

    /// Whether work can be begun there.
    pub(super) fn is_up(&self) -> bool {
        self.watched.is_up()
    }
}
