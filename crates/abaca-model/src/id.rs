//! Typed ids: a share's id can't be passed where a snapshot's is wanted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is no UUID, so no resource can have it as its id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a UUID")]
pub struct ParseIdError {
    text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Written as a hyphenated lower-case UUID (RFC 9562).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random (version 4) id.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The UUID itself.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| ParseIdError { text: text.chars().take(64).collect() })
            }
        }
    )*};
}

ids! {
    /// What a tenant calls a share.
    ShareId;
    /// One place a share lives in.
    ShareInstanceId;
    /// What a tenant calls a snapshot.
    SnapshotId;
    /// A snapshot in one place its share lives in.
    SnapshotInstanceId;
    /// A share type.
    ShareTypeId;
    /// A share group type.
    ShareGroupTypeId;
    /// A path under which a share or snapshot instance is exported.
    ExportLocationId;
    /// An availability zone.
    AvailabilityZoneId;
    /// An access rule of a share or a snapshot.
    AccessRuleId;
    /// A row of the operation queue.
    OperationId;
    /// An audit record.
    AuditId;
    /// A user message.
    MessageId;
    /// A resource lock.
    ResourceLockId;
}
