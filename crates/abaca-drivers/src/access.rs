//! The access rules that go into and come out of a driver.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::SnapshotRef;

/// What access rules open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessTarget {
    /// The share of that share instance.
    Share(Uuid),
    /// A snapshot. Clients can only read it, whatever its rules say.
    Snapshot {
        /// Id of the snapshot instance.
        id: Uuid,
        /// Id of the share instance it was taken of.
        share_instance_id: Uuid,
    },
}

impl AccessTarget {
    /// Id of the instance that is opened.
    pub fn id(self) -> Uuid {
        match self {
            Self::Share(id) | Self::Snapshot { id, .. } => id,
        }
    }
}

impl From<&SnapshotRef> for AccessTarget {
    fn from(snapshot: &SnapshotRef) -> Self {
        Self::Snapshot { id: snapshot.id, share_instance_id: snapshot.share_instance_id }
    }
}

/// What kind of name a client is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessType {
    /// An address or network.
    Ip,
    /// A user or group.
    User,
    /// The common name of a certificate.
    Cert,
    /// A Ceph id.
    Cephx,
}

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessLevel {
    /// Read and write.
    #[serde(rename = "rw")]
    ReadWrite,
    /// Read.
    #[serde(rename = "ro")]
    ReadOnly,
}

/// Lets one client in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRule {
    /// Id of the rule.
    pub id: Uuid,
    /// What kind of name `to` is.
    #[serde(rename = "type")]
    pub access_type: AccessType,
    /// The client.
    #[serde(rename = "to")]
    pub access_to: String,
    /// What it may do.
    #[serde(rename = "level")]
    pub access_level: AccessLevel,
}

/// All rules of a share or snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessList {
    /// Of two lists of one object, the one that was made later has the higher number. Zero is that
    /// of an object that nobody gave a list.
    pub generation: i64,
    /// Whoever is named by none of them is kept out.
    pub rules: Vec<AccessRule>,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOutcome {
    /// It is in force.
    Applied {
        /// The secret that the client needs, if this kind of client needs one. The same each time.
        access_key: Option<String>,
    },
    /// The backend can't do what it says. The client is kept out.
    Refused {
        /// Why, for the tenant. It does not name the client, whom a lock may hide from him.
        reason: String,
    },
}

/// What became of each rule of a list, by its id.
pub type RuleOutcomes = BTreeMap<Uuid, RuleOutcome>;
