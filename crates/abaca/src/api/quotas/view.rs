//! The bodies, by microversion.

use abaca_model::quota::Resource;
use serde_json::{Map, Value, json};

use crate::api::V;

/// The first version whose quota sets have the resource.
pub(super) const fn since(resource: Resource) -> V {
    match resource {
        Resource::Gigabytes
        | Resource::Shares
        | Resource::SnapshotGigabytes
        | Resource::Snapshots
        | Resource::ShareNetworks => V(2, 0),
        Resource::ShareGroups | Resource::ShareGroupSnapshots => V(2, 40),
        Resource::ShareReplicas | Resource::ReplicaGigabytes => V(2, 53),
        Resource::PerShareGigabytes => V(2, 62),
        Resource::Backups | Resource::BackupGigabytes => V(2, 80),
        Resource::EncryptionKeys => V(2, 90),
    }
}

/// Whether what there is of the resource is of some share type.
pub(super) const fn has_share_type(resource: Resource) -> bool {
    !matches!(
        resource,
        Resource::ShareNetworks | Resource::ShareGroups | Resource::ShareGroupSnapshots
    )
}

/// The body under `key`: a value for each resource that `version` has and `shown` wants.
pub(super) fn set(
    key: &str,
    version: V,
    id: Option<&str>,
    shown: impl Fn(Resource) -> bool,
    value: impl Fn(Resource) -> Value,
) -> Value {
    let mut body: Map<String, Value> = Resource::ALL
        .iter()
        .filter(|resource| since(**resource) <= version && shown(**resource))
        .map(|resource| (resource.as_str().to_owned(), value(*resource)))
        .collect();
    if let Some(id) = id {
        body.insert("id".to_owned(), json!(id));
    }
    json!({ key: body })
}
