//! The keys of the drivers whose objects lie in a directory.

use std::path::PathBuf;

use serde::Deserialize;

use crate::settings::read;
use crate::{SettingKey, SettingKind, Settings, SettingsError};

const fn key(
    name: &'static str,
    kind: SettingKind,
    default: &'static str,
    help: &'static str,
) -> SettingKey {
    SettingKey { name, kind, required: false, default: Some(default), help, keys: &[] }
}

/// The keys, for a driver of that default `pool` and with that `root`.
pub(crate) const fn keys(pool: &'static str, root: &'static str) -> [SettingKey; 9] {
    [
        SettingKey {
            name: "root",
            kind: SettingKind::Path,
            required: true,
            default: None,
            help: root,
            keys: &[],
        },
        key(
            "must_be_mount_point",
            SettingKind::Boolean,
            "false",
            "Refuse to start unless `root` is a mount point, so that a file system that is not \
         mounted is not mistaken for a new one.",
        ),
        key("pool", SettingKind::Text, pool, "Name of the one pool."),
        key(
            "max_concurrent_operations",
            SettingKind::Integer,
            "4",
            "How many copies run at a time, and beside them how many removals and other changes.",
        ),
        key(
            "reserved_percentage",
            SettingKind::Integer,
            "0",
            "Percent of the capacity that new shares must leave free.",
        ),
        SettingKey {
            name: "reserved_snapshot_percentage",
            kind: SettingKind::Integer,
            required: false,
            default: None,
            help: "The same for shares created from snapshots. By default reserved_percentage.",
            keys: &[],
        },
        SettingKey {
            name: "reserved_share_extend_percentage",
            kind: SettingKind::Integer,
            required: false,
            default: None,
            help: "The same for extending shares. By default reserved_percentage.",
            keys: &[],
        },
        key(
            "max_over_subscription_ratio",
            SettingKind::Number,
            "20.0",
            "How many times the capacity may be promised to shares.",
        ),
        SettingKey {
            name: "replication_type",
            kind: SettingKind::Text,
            required: false,
            default: None,
            help: "readable or dr: this backend holds replicas, and its shares may have some. The \
                   other directories of its replication domain must be reachable by the paths of \
                   their roots. By default none.",
            keys: &[],
        },
    ]
}

pub(super) const KEYS: &[SettingKey] = &keys(
    "\"directory\"",
    "The directory that holds shares and snapshots. It is taken into use when it is absent or \
     empty, and refused when it holds anything else without this driver's mark.",
);

/// The settings, read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DirectorySettings {
    pub(crate) root: PathBuf,
    #[serde(default)]
    pub(crate) must_be_mount_point: bool,
    /// Without one it is called as the driver.
    #[serde(default)]
    pub(crate) pool: String,
    #[serde(default = "default_operations")]
    pub(crate) max_concurrent_operations: usize,
    #[serde(default)]
    pub(crate) reserved_percentage: u32,
    pub(crate) reserved_snapshot_percentage: Option<u32>,
    pub(crate) reserved_share_extend_percentage: Option<u32>,
    #[serde(default = "default_ratio")]
    pub(crate) max_over_subscription_ratio: f64,
    pub(crate) replication_type: Option<String>,
}

fn default_operations() -> usize {
    4
}

fn default_ratio() -> f64 {
    20.0
}

/// Reads the settings of a driver that has these keys.
pub(crate) fn parse(
    driver: &'static str,
    keys: &[SettingKey],
    settings: &Settings,
) -> Result<DirectorySettings, SettingsError> {
    let mut parsed: DirectorySettings = read(driver, "", keys, settings)?;
    if !settings.contains_key("pool") {
        driver.clone_into(&mut parsed.pool);
    }
    let percentages = [
        ("reserved_percentage", Some(parsed.reserved_percentage)),
        ("reserved_snapshot_percentage", parsed.reserved_snapshot_percentage),
        ("reserved_share_extend_percentage", parsed.reserved_share_extend_percentage),
    ];
    for (key, percentage) in percentages {
        if let Some(percentage) = percentage.filter(|percentage| *percentage > 100) {
            let problem = format!("expected a percentage of at most 100, got {percentage}");
            return Err(SettingsError::bad_value(key, problem));
        }
    }
    if parsed.pool.is_empty() || parsed.pool.contains(['#', '@']) {
        let problem = format!("expected a name without '#' and '@', got {:?}", parsed.pool);
        return Err(SettingsError::bad_value("pool", problem));
    }
    if !(1..=64).contains(&parsed.max_concurrent_operations) {
        let got = parsed.max_concurrent_operations;
        let problem = format!("expected a number from 1 to 64, got {got}");
        return Err(SettingsError::bad_value("max_concurrent_operations", problem));
    }
    let ratio = parsed.max_over_subscription_ratio;
    if !ratio.is_finite() || ratio < 1.0 {
        let problem = format!("expected a number of 1 or more, got {ratio}");
        return Err(SettingsError::bad_value("max_over_subscription_ratio", problem));
    }
    if let Some(kind) = &parsed.replication_type
        && !["readable", "dr"].contains(&kind.as_str())
    {
        let problem = format!("expected readable or dr, got {kind:?}");
        return Err(SettingsError::bad_value("replication_type", problem));
    }
    Ok(parsed)
}
