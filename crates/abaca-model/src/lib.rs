//! The words of the service: ids, records, statuses, quota arithmetic, scheduling.
//!
//! No async, no I/O, no SQL, no HTTP: every function here is a pure function of its arguments,
//! but for [`Timestamp::now`] and the `random` constructors of ids, by which alone the clock and
//! randomness enter this crate.

mod access;
mod aggregate;
mod id;
mod lock;
mod message;
mod operation;
pub mod quota;
mod record;
pub mod scheduler;
mod share_aggregate;
mod status;
mod time;
mod word;

pub use access::{AccessToError, aggregate_access_state, check_access_to, same_access_to};
pub use aggregate::{SnapshotPlace, aggregate_status, representative};
pub use id::{
    AccessRuleId, AuditId, AvailabilityZoneId, ExportLocationId, MessageId, OperationId,
    ParseIdError, ResourceLockId, ShareGroupTypeId, ShareId, ShareInstanceId, ShareTypeId,
    SnapshotId, SnapshotInstanceId,
};
pub use lock::{LockedResource, ResourceLock};
pub use message::{MessageAction, MessageDetail, MessageResource};
pub use operation::{Operation, OperationKind, OperationState};
pub use record::{
    AccessRule, AvailabilityZone, ExportLocation, Service, Share, ShareCapabilities,
    ShareGroupType, ShareInstance, ShareType, Snapshot, SnapshotInstance,
};
pub use share_aggregate::{
    SharePlace, aggregate_access_rules_status, has_replicas, representative_instance,
};
pub use status::{
    AccessLevel, AccessRulesStatus, AccessState, AccessType, LockAction, LockContext, LockedType,
    MigrationWish, ShareStatus, SnapshotStatus, TaskState,
};
pub use time::{ParseTimestampError, Timestamp};
pub use word::ParseWordError;
