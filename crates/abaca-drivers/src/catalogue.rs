//! The drivers that exist, and how the config builds them.

use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

use crate::btrfs;
use crate::directory::{self, Directory};
use crate::settings::nearest;
use crate::simulated::{self, Simulated};
use crate::{Driver, DriverError, SettingKey, Settings, SettingsError};

/// A driver that the config can choose.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct DriverInfo {
    /// Its name, the value of `driver` in the config.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// The keys of its own that a `[[backend]]` table may hold.
    pub keys: &'static [SettingKey],
}

/// Why a backend could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The settings are wrong; only a change of the config helps.
    #[error("the settings of the backend are wrong")]
    Settings(#[from] SettingsError),
    /// The storage could not be opened.
    #[error("the storage of the backend could not be opened")]
    Open(#[from] DriverError),
}

const DRIVERS: &[DriverInfo] = &[directory::INFO, btrfs::INFO, simulated::INFO];

/// Every driver and its keys.
pub fn drivers() -> &'static [DriverInfo] {
    DRIVERS
}

/// Checks a backend's settings without touching its storage.
pub fn check(driver: &str, settings: &Settings) -> Result<(), SettingsError> {
    match driver {
        directory::NAME => Directory::check(settings),
        btrfs::NAME => btrfs::check(settings),
        simulated::NAME => Simulated::check(settings),
        _ => Err(unknown_driver(driver)),
    }
}

/// Builds a backend: reads its settings and opens its storage.
pub async fn build(driver: &str, settings: &Settings) -> Result<Arc<dyn Driver>, BuildError> {
    match driver {
        directory::NAME => Ok(Arc::new(Directory::open(settings).await?)),
        btrfs::NAME => Ok(Arc::new(btrfs::open(settings).await?)),
        simulated::NAME => Ok(Arc::new(Simulated::new(settings)?)),
        _ => Err(unknown_driver(driver).into()),
    }
}

fn unknown_driver(name: &str) -> SettingsError {
    let known: Vec<_> = DRIVERS.iter().map(|driver| driver.name).collect();
    SettingsError::UnknownDriver { name: name.to_owned(), nearest: nearest(name, &known), known }
}
