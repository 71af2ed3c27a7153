//! Replicas in JSON.

use abaca_store::metadata::Pairs;
use abaca_store::share_instances::ListedInstance;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::api::{Call, V};

/// How much of a replica is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Summary,
    Detail,
    /// With what only administrators see, of this version.
    AdminDetail(V),
}

impl View {
    /// All that the caller sees of a replica.
    pub(super) fn detail(call: &Call) -> Self {
        if call.caller.is_admin { Self::AdminDetail(call.version) } else { Self::Detail }
    }
}

/// A replica to be shown.
pub(super) struct Shown<'a> {
    pub(super) row: &'a ListedInstance<'a>,
    pub(super) view: View,
    /// Shown since 2.95, in details.
    pub(super) metadata: Option<&'a Pairs>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", row.id)?;
        map.serialize_entry("share_id", row.share_id)?;
        map.serialize_entry("status", row.status.as_str())?;
        map.serialize_entry("replica_state", &row.replica_state)?;
        if self.view != View::Summary {
            map.serialize_entry("availability_zone", &row.availability_zone)?;
            map.serialize_entry("created_at", &row.created_at)?;
            map.serialize_entry("updated_at", &row.updated_at)?;
            map.serialize_entry("share_network_id", &None::<&str>)?;
        }
        if let View::AdminDetail(version) = self.view {
            map.serialize_entry("share_server_id", &None::<&str>)?;
            map.serialize_entry("host", row.host.unwrap_or_default())?;
            if version >= V(2, 30) {
                map.serialize_entry("cast_rules_to_readonly", &row.cast_rules_to_readonly)?;
            }
        }
        if let Some(metadata) = self.metadata {
            map.serialize_entry("metadata", metadata)?;
        }
        map.end()
    }
}
