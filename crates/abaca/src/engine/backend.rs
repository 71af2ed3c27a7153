//! A backend of this worker: its driver and what the config says of it.

use std::sync::Arc;

use abaca_drivers::{BuildError, Driver};

use crate::config::BackendConfig;

/// A configured backend, opened.
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
}

/// A backend could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("backend {name:?} can't be opened")]
pub struct BackendError {
    name: String,
    #[source]
    source: BuildError,
}

impl Backend {
    pub(super) async fn open(host: &str, config: &BackendConfig) -> Result<Self, BackendError> {
        let driver = abaca_drivers::build(&config.driver, &config.settings)
            .await
            .map_err(|source| BackendError { name: config.name.clone(), source })?;
        Ok(Self {
            service: format!("{host}@{}", config.name),
            name: config.name.clone(),
            availability_zone: config.availability_zone.clone(),
            driver_handles_share_servers: config.driver_handles_share_servers,
            replication_domain: config.replication_domain.clone(),
            filter_function: config.filter_function.clone(),
            goodness_function: config.goodness_function.clone(),
            driver,
        })
    }
}
