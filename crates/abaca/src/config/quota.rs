//! `[quota]`: the limits of a project that has none of its own.

use std::collections::BTreeMap;

use abaca_model::quota::{Limit, Resource};
use serde_json::Value;

use super::section::Section;
use super::setting::Setting;

/// Reads a key for each resource.
pub(super) fn read(section: &mut Section<'_>) -> BTreeMap<Resource, Limit> {
    let limit = |resource: &Resource| {
        let value = section.value(resource.as_str(), resource.default_limit(), help(*resource));
        (*resource, value)
    };
    Resource::ALL.iter().map(limit).collect()
}

const fn help(resource: Resource) -> &'static str {
    match resource {
        Resource::Shares => "Shares.",
        Resource::Gigabytes => "Size of all shares together, in GiB.",
        Resource::Snapshots => "Snapshots.",
        Resource::SnapshotGigabytes => "Size of all snapshots together, in GiB.",
        Resource::PerShareGigabytes => "Size of one share, in GiB.",
        Resource::ShareNetworks => "Share networks.",
        Resource::ShareGroups => "Share groups.",
        Resource::ShareGroupSnapshots => "Share group snapshots.",
        Resource::ShareReplicas => "Share replicas.",
        Resource::ReplicaGigabytes => "Size of all share replicas together, in GiB.",
        Resource::Backups => "Share backups.",
        Resource::BackupGigabytes => "Size of all share backups together, in GiB.",
        Resource::EncryptionKeys => "Keys that shares are encrypted with.",
    }
}

impl Setting for Limit {
    const EXPECTED: &'static str = "a whole number of 0 or more, or -1 for no limit";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().and_then(checked)
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_i64().and_then(checked)
    }

    fn to_json(&self) -> Value {
        Value::from(i64::from(*self))
    }
}

fn checked(number: i64) -> Option<Limit> {
    Limit::try_from(number).ok().filter(|_| number <= Limit::MAX)
}
