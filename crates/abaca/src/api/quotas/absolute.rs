//! `/limits`: what the caller's project may have, and has.

use abaca_model::quota::{Resource, Scope};
use abaca_store::quota::{self, Subject};
use serde_json::{Map, json};

use super::of_project;
use crate::api::{ApiError, Call, Reply, V};

/// Of each resource: the first version that shows it, the names of its limit and of its usage.
pub(super) const NAMES: [(Resource, V, &str, &str); 11] = [
    (Resource::Shares, V(2, 0), "maxTotalShares", "totalSharesUsed"),
    (Resource::Gigabytes, V(2, 0), "maxTotalShareGigabytes", "totalShareGigabytesUsed"),
    (Resource::Snapshots, V(2, 0), "maxTotalShareSnapshots", "totalShareSnapshotsUsed"),
    (
        Resource::SnapshotGigabytes,
        V(2, 0),
        "maxTotalSnapshotGigabytes",
        "totalSnapshotGigabytesUsed",
    ),
    (Resource::ShareNetworks, V(2, 0), "maxTotalShareNetworks", "totalShareNetworksUsed"),
    (Resource::ShareReplicas, V(2, 53), "maxTotalShareReplicas", "totalShareReplicasUsed"),
    (Resource::ReplicaGigabytes, V(2, 53), "maxTotalReplicaGigabytes", "totalReplicaGigabytesUsed"),
    (Resource::ShareGroups, V(2, 58), "maxTotalShareGroups", "totalShareGroupsUsed"),
    (
        Resource::ShareGroupSnapshots,
        V(2, 58),
        "maxTotalShareGroupSnapshots",
        "totalShareGroupSnapshotsUsed",
    ),
    (Resource::Backups, V(2, 80), "maxTotalShareBackups", "totalShareBackupsUsed"),
    (Resource::BackupGigabytes, V(2, 80), "maxTotalBackupGigabytes", "totalBackupGigabytesUsed"),
];

/// `GET /limits`. There are no rate limits.
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    let project_id = call.project()?;
    let mut tx = call.app.db.read().await?;
    let limits = of_project(&call, &mut tx, project_id, &[Subject::Project]).await?;
    let usage = quota::of_all(&mut tx, project_id, Subject::Project).await?;
    let mut absolute = Map::new();
    for (resource, since, limit, used) in NAMES {
        if call.since(since) {
            let in_use = usage.get(&resource).copied().unwrap_or_default().in_use;
            absolute.insert(limit.to_owned(), json!(limits.of(Scope::Project, resource)));
            absolute.insert(used.to_owned(), json!(in_use));
        }
    }
    Reply::ok(&json!({ "limits": { "rate": [], "absolute": absolute } }))
}
