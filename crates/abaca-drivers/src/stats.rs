//! What a pool can do and hold, in the words of the API's pool capabilities.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Capacity and capabilities of one pool. Serialises to the `capabilities` object of
/// `GET /scheduler-stats/pools/detail`; the caller adds what only it knows: `share_backend_name`,
/// `driver_handles_share_servers`, `replication_domain` and `timestamp`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolStats {
    /// Name of the pool, the part after `#` in `host@backend#pool`.
    pub pool_name: String,
    /// Size in GiB.
    #[serde(rename = "total_capacity_gb")]
    pub total_gb: f64,
    /// Free space in GiB.
    #[serde(rename = "free_capacity_gb")]
    pub free_gb: f64,
    /// Space promised to shares in GiB, if the backend keeps count; the service's rows know better.
    #[serde(rename = "allocated_capacity_gb", skip_serializing_if = "Option::is_none")]
    pub allocated_gb: Option<f64>,
    /// Percent of the capacity that new shares must leave free.
    pub reserved_percentage: u32,
    /// The same for shares created from snapshots.
    pub reserved_snapshot_percentage: u32,
    /// The same for extending shares.
    pub reserved_share_extend_percentage: u32,
    /// How many times the capacity may be promised when thin provisioning is on.
    pub max_over_subscription_ratio: f64,
    /// Shares take space only as they are filled.
    pub thin_provisioning: bool,
    /// Snapshots can be taken.
    pub snapshot_support: bool,
    /// Shares can be created from snapshots.
    pub create_share_from_snapshot_support: bool,
    /// Shares can be reverted to a snapshot.
    pub revert_to_snapshot_support: bool,
    /// Snapshots can be mounted.
    pub mount_snapshot_support: bool,
    /// Tenants can choose the name by which a share is mounted.
    pub mount_point_name_support: bool,
    /// Equal blocks are stored once.
    pub dedupe: bool,
    /// Data are compressed.
    pub compression: bool,
    /// `readable`, `writable` or `dr` where shares can be replicated.
    pub replication_type: Option<String>,
    /// Protocols joined by underscores, such as `NFS_CIFS`.
    pub storage_protocol: String,
    /// Who makes the backend.
    pub vendor_name: String,
    /// Version of the driver.
    pub driver_version: String,
    /// Shares can be exported over IPv4.
    pub ipv4_support: bool,
    /// Shares can be exported over IPv6.
    pub ipv6_support: bool,
    /// Further capabilities, matched by scoped extra specs. A key never repeats one of the above.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}
