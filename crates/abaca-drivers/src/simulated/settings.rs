//! The keys of the simulated backend.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::faults::{Fault, METHODS};
use crate::settings::{nearest, read};
use crate::{SettingKey, SettingKind, Settings, SettingsError};

const fn key(
    name: &'static str,
    kind: SettingKind,
    default: &'static str,
    help: &'static str,
) -> SettingKey {
    SettingKey { name, kind, required: false, default: Some(default), help, keys: &[] }
}

const fn optional(name: &'static str, kind: SettingKind, help: &'static str) -> SettingKey {
    SettingKey { name, kind, required: false, default: None, help, keys: &[] }
}

const POOL_KEYS: &[SettingKey] = &[
    SettingKey {
        name: "name",
        kind: SettingKind::Text,
        required: true,
        default: None,
        help: "Name of the pool.",
        keys: &[],
    },
    key("total_capacity_gb", SettingKind::Number, "1000", "Size in GiB."),
    optional(
        "free_capacity_gb",
        SettingKind::Number,
        "Free space in GiB to report. By default the size less the shares (all of it when thin).",
    ),
    key("reserved_percentage", SettingKind::Integer, "0", "Percent that new shares leave free."),
    optional(
        "reserved_snapshot_percentage",
        SettingKind::Integer,
        "The same for shares from snapshots. By default reserved_percentage.",
    ),
    optional(
        "reserved_share_extend_percentage",
        SettingKind::Integer,
        "The same for extending shares. By default reserved_percentage.",
    ),
    key(
        "max_over_subscription_ratio",
        SettingKind::Number,
        "20.0",
        "How many times the size may be promised when thin.",
    ),
    key("thin_provisioning", SettingKind::Boolean, "true", "Shares take no space until filled."),
    key("snapshot_support", SettingKind::Boolean, "true", "Snapshots can be taken."),
    key(
        "create_share_from_snapshot_support",
        SettingKind::Boolean,
        "true",
        "Shares can be created from snapshots.",
    ),
    key(
        "revert_to_snapshot_support",
        SettingKind::Boolean,
        "true",
        "Shares can be reverted to snapshots.",
    ),
    key("mount_snapshot_support", SettingKind::Boolean, "true", "Reported to the scheduler."),
    key(
        "mount_point_name_support",
        SettingKind::Boolean,
        "true",
        "Shares can be given names to mount them by.",
    ),
    key("dedupe", SettingKind::Boolean, "false", "Reported to the scheduler."),
    key("compression", SettingKind::Boolean, "false", "Reported to the scheduler."),
    optional(
        "replication_type",
        SettingKind::Text,
        "readable, writable or dr: shares can have replicas. By default they can't.",
    ),
    key("storage_protocol", SettingKind::Text, "\"NFS_CIFS\"", "Protocols joined by underscores."),
    key("vendor_name", SettingKind::Text, "\"Abaca\"", "Reported to the scheduler."),
    key("driver_version", SettingKind::Text, "\"1.0\"", "Reported to the scheduler."),
    key("ipv4_support", SettingKind::Boolean, "true", "Reported to the scheduler."),
    key("ipv6_support", SettingKind::Boolean, "false", "Reported to the scheduler."),
    optional("extra", SettingKind::Table, "Any further capabilities, reported to the scheduler."),
];

const FAULT_KEYS: &[SettingKey] = &[
    SettingKey {
        name: "method",
        kind: SettingKind::Text,
        required: true,
        default: None,
        help: "The driver call that it strikes, such as create_snapshot, or \"*\" for all.",
        keys: &[],
    },
    optional("object", SettingKind::Text, "Strike only calls for the object with this id."),
    optional(
        "fail",
        SettingKind::Text,
        "transient, failed, not_found, no_space, unsupported, shrink_below_data, hang (the call \
         waits until the fault is removed, then goes on), block (the call keeps a thread until the \
         process ends), or refuse (the access rules of \
         `access_to`, while the call succeeds).",
    ),
    optional("times", SettingKind::Integer, "Strike that many calls. By default until removed."),
    key("after_effect", SettingKind::Boolean, "false", "Do the thing first, then strike."),
    optional("access_to", SettingKind::Text, "The client whose access rules are refused."),
    key("delay_ms", SettingKind::Integer, "0", "Wait that long first, in milliseconds."),
];

pub(crate) const KEYS: &[SettingKey] = &[
    optional(
        "state_file",
        SettingKind::Path,
        "Keeps the objects in this file (JSON) across restarts. By default they live in memory.",
    ),
    optional(
        "fault_file",
        SettingKind::Path,
        "A TOML file of [[fault]] tables with the keys of `fault`; read again when it changes.",
    ),
    key("latency_ms", SettingKind::Integer, "0", "How long each call takes, in milliseconds."),
    SettingKey {
        name: "pools",
        kind: SettingKind::Tables,
        required: false,
        default: None,
        help: "The pools and their capabilities. By default one pool named simulated.",
        keys: POOL_KEYS,
    },
    SettingKey {
        name: "fault",
        kind: SettingKind::Tables,
        required: false,
        default: None,
        help: "Failures on demand.",
        keys: FAULT_KEYS,
    },
];

/// The settings, read.
#[derive(Debug)]
pub(crate) struct SimulatedSettings {
    pub(crate) state_file: Option<PathBuf>,
    pub(crate) fault_file: Option<PathBuf>,
    pub(crate) latency_ms: u64,
    pub(crate) pools: Vec<PoolSettings>,
    pub(crate) faults: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Top {
    state_file: Option<PathBuf>,
    fault_file: Option<PathBuf>,
    #[serde(default)]
    latency_ms: u64,
    #[serde(default)]
    pools: Vec<Settings>,
    #[serde(default)]
    fault: Vec<Settings>,
}

/// One pool's size and capabilities.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct PoolSettings {
    pub(crate) name: String,
    pub(crate) total_capacity_gb: f64,
    pub(crate) free_capacity_gb: Option<f64>,
    pub(crate) reserved_percentage: u32,
    pub(crate) reserved_snapshot_percentage: Option<u32>,
    pub(crate) reserved_share_extend_percentage: Option<u32>,
    pub(crate) max_over_subscription_ratio: f64,
    pub(crate) thin_provisioning: bool,
    pub(crate) snapshot_support: bool,
    pub(crate) create_share_from_snapshot_support: bool,
    pub(crate) revert_to_snapshot_support: bool,
    pub(crate) mount_snapshot_support: bool,
    pub(crate) mount_point_name_support: bool,
    pub(crate) dedupe: bool,
    pub(crate) compression: bool,
    pub(crate) replication_type: Option<String>,
    pub(crate) storage_protocol: String,
    pub(crate) vendor_name: String,
    pub(crate) driver_version: String,
    pub(crate) ipv4_support: bool,
    pub(crate) ipv6_support: bool,
    pub(crate) extra: BTreeMap<String, Value>,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            name: "simulated".into(),
            total_capacity_gb: 1000.0,
            free_capacity_gb: None,
            reserved_percentage: 0,
            reserved_snapshot_percentage: None,
            reserved_share_extend_percentage: None,
            max_over_subscription_ratio: 20.0,
            thin_provisioning: true,
            snapshot_support: true,
            create_share_from_snapshot_support: true,
            revert_to_snapshot_support: true,
            mount_snapshot_support: true,
            mount_point_name_support: true,
            dedupe: false,
            compression: false,
            replication_type: None,
            storage_protocol: "NFS_CIFS".into(),
            vendor_name: "Abaca".into(),
            driver_version: "1.0".into(),
            ipv4_support: true,
            ipv6_support: false,
            extra: BTreeMap::new(),
        }
    }
}

pub(crate) fn parse(settings: &Settings) -> Result<SimulatedSettings, SettingsError> {
    let top: Top = read(super::NAME, "", KEYS, settings)?;
    let mut pools = Vec::new();
    for (index, table) in top.pools.iter().enumerate() {
        pools.push(parse_pool(&format!("pools[{index}]."), table, &pools)?);
    }
    if pools.is_empty() {
        pools.push(PoolSettings::default());
    }
    let faults = parse_faults(&top.fault)?;
    Ok(SimulatedSettings {
        state_file: top.state_file,
        fault_file: top.fault_file,
        latency_ms: top.latency_ms,
        pools,
        faults,
    })
}

fn parse_pool(
    prefix: &str,
    table: &Settings,
    others: &[PoolSettings],
) -> Result<PoolSettings, SettingsError> {
    let pool: PoolSettings = read(super::NAME, prefix, POOL_KEYS, table)?;
    let bad = |key: &str, problem: String| {
        Err(SettingsError::bad_value(format!("{prefix}{key}"), problem))
    };
    if pool.name.is_empty() || pool.name.contains(['#', '@']) {
        return bad("name", format!("expected a name without '#' and '@', got {:?}", pool.name));
    }
    if others.iter().any(|other| other.name == pool.name) {
        return bad("name", format!("there are two pools named {:?}", pool.name));
    }
    if !pool.total_capacity_gb.is_finite() || pool.total_capacity_gb < 0.0 {
        return bad("total_capacity_gb", "expected a number of zero or more".into());
    }
    if let Some(kind) = &pool.replication_type
        && !["readable", "writable", "dr"].contains(&kind.as_str())
    {
        return bad("replication_type", format!("expected readable, writable or dr, got {kind:?}"));
    }
    Ok(pool)
}

pub(crate) fn parse_faults(tables: &[Settings]) -> Result<Vec<Fault>, SettingsError> {
    let mut faults = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let prefix = format!("fault[{index}].");
        let fault: Fault = read(super::NAME, &prefix, FAULT_KEYS, table)?;
        if fault.method != "*" && !METHODS.contains(&fault.method.as_str()) {
            let guess = nearest(&fault.method, METHODS)
                .map(|name| format!(" (did you mean {name:?}?)"))
                .unwrap_or_default();
            let problem = format!("there is no driver call named {:?}{guess}", fault.method);
            return Err(SettingsError::bad_value(format!("{prefix}method"), problem));
        }
        faults.push(fault);
    }
    Ok(faults)
}
