//! Quota arithmetic: does a request fit under the limits?
//!
//! Usage is summed from the rows by the transaction that takes more (the store does it); nothing
//! is counted here, so nothing here can drift.

mod claim;
mod set;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use claim::{Claim, OverQuota, check};
pub use set::{Limits, NewLimit, RefusedLimit, Usage, Used};

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident => $text:literal, $default:literal;)*) => {
        /// What quota limits, per project, user or share type.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Resource {
            $($(#[$doc])* $name,)*
        }

        impl Resource {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in the API, the config and the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The limit where neither the operator nor an administrator set one.
            #[must_use]
            pub const fn default_limit(self) -> Limit {
                Limit::from_signed(match self {
                    $(Self::$name => $default,)*
                })
            }
        }

        impl FromStr for Resource {
            type Err = ParseResourceError;

            fn from_str(text: &str) -> Result<Self, ParseResourceError> {
                match text {
                    $($text => Ok(Self::$name),)*
                    _ => Err(ParseResourceError { text: text.chars().take(64).collect() }),
                }
            }
        }
    };
}

resources! {
    /// GiB of all shares.
    Gigabytes => "gigabytes", 1_000;
    /// Shares.
    Shares => "shares", 50;
    /// GiB of all snapshots.
    SnapshotGigabytes => "snapshot_gigabytes", 1_000;
    /// Snapshots.
    Snapshots => "snapshots", 50;
    /// GiB of the largest share.
    PerShareGigabytes => "per_share_gigabytes", -1;
    /// Share networks.
    ShareNetworks => "share_networks", 10;
    /// Share groups.
    ShareGroups => "share_groups", 50;
    /// Snapshots of share groups.
    ShareGroupSnapshots => "share_group_snapshots", 50;
    /// Replicas.
    ShareReplicas => "share_replicas", 100;
    /// GiB of all replicas.
    ReplicaGigabytes => "replica_gigabytes", 1_000;
    /// Backups.
    Backups => "backups", 10;
    /// GiB of all backups.
    BackupGigabytes => "backup_gigabytes", 1_000;
    /// Keys that shares are encrypted with.
    EncryptionKeys => "encryption_keys", 100;
}

/// The text names no resource that has a quota.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} has no quota")]
pub struct ParseResourceError {
    text: String,
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How much there may be. Outside the program -1 stands for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// This many, and no more.
    AtMost(i64),
}

/// The number is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota limit {number} is below -1; expected -1 (no limit), 0 or more")]
pub struct LimitError {
    number: i64,
}

impl Limit {
    /// The highest there is; the API's own fields end here.
    pub const MAX: i64 = 2_147_483_647;

    const fn from_signed(number: i64) -> Self {
        if number < 0 { Self::Unlimited } else { Self::AtMost(number) }
    }

    /// Whether `requested` more fit beside those used.
    #[must_use]
    pub const fn allows(self, used: i64, requested: i64) -> bool {
        match self {
            Self::Unlimited => true,
            // What is over its limit already may stay and shrink, it only may not grow.
            Self::AtMost(limit) => requested <= 0 || limit.saturating_sub(used) >= requested,
        }
    }
}

impl TryFrom<i64> for Limit {
    type Error = LimitError;

    fn try_from(number: i64) -> Result<Self, LimitError> {
        if number < -1 { Err(LimitError { number }) } else { Ok(Self::from_signed(number)) }
    }
}

impl From<Limit> for i64 {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Unlimited => -1,
            Limit::AtMost(limit) => limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => formatter.write_str("unlimited"),
            Self::AtMost(limit) => limit.fmt(formatter),
        }
    }
}

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Of everything in a project.
    Project,
    /// Of what one user has in a project.
    User,
    /// Of what is of one share type in a project.
    ShareType,
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Project => "project",
            Self::User => "user",
            Self::ShareType => "share type",
        })
    }
}
