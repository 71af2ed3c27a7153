//! Errors of drivers. The type says whether trying again can help.

use std::error::Error;

use thiserror::Error;
use uuid::Uuid;

use crate::AccessTarget;

/// Result of a driver call.
pub type DriverResult<T> = Result<T, DriverError>;

/// The kind of a backend object, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A share, named by its share instance.
    Share,
    /// A snapshot, named by its snapshot instance.
    Snapshot,
    /// A pool, named in the settings of the backend.
    Pool,
}

impl std::fmt::Display for ObjectKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Share => "share",
            Self::Snapshot => "snapshot",
            Self::Pool => "pool",
        })
    }
}

/// Why a driver call failed. Only [`DriverError::Transient`] and [`DriverError::Busy`] are worth another
/// attempt; every other variant stays true until a person or another request changes something.
#[derive(Debug, Error)]
pub enum DriverError {
    /// The backend could not do it now; the same call may succeed later.
    #[error("{doing} failed for now")]
    Transient {
        /// What the driver was doing.
        doing: String,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing failed: somebody works on the object or uses it, and the same call succeeds when that
    /// has ended, however long it takes.
    #[error("{doing} has to wait")]
    Busy {
        /// What the driver was doing.
        doing: String,
        /// What it waits for.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The object that the call works on or copies from does not exist.
    #[error("{kind} {id} does not exist in the backend")]
    NotFound {
        /// What was looked for.
        kind: ObjectKind,
        /// Id of the share instance or snapshot instance, or name of the pool.
        id: String,
    },
    /// The storage is full, or the object would not fit.
    #[error("no space left while {doing}")]
    NoSpace {
        /// What the driver was doing.
        doing: String,
    },
    /// A share can't shrink below what it holds.
    #[error("the share holds {used_bytes} bytes, which do not fit into {requested_gb} GiB")]
    ShrinkBelowData {
        /// Bytes in use.
        used_bytes: u64,
        /// The size asked for, in GiB.
        requested_gb: u64,
    },
    /// This backend never does that.
    #[error("this backend does not support {what}")]
    Unsupported {
        /// What was asked for.
        what: String,
    },
    /// An argument of the call makes no sense to this backend.
    #[error("{field}: {problem}")]
    InvalidInput {
        /// Name of the argument.
        field: &'static str,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// The object is there, but without parts that it can't do without.
    #[error("{doing}: what the backend holds is damaged")]
    Damaged {
        /// What the driver was doing.
        doing: String,
        /// What is wrong with the object.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The backend refused, and trying again won't help.
    #[error("{doing} failed")]
    Failed {
        /// What the driver was doing.
        doing: String,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl DriverError {
    /// A failure that may pass.
    pub fn transient(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Transient { doing: doing.into(), source: source.into() }
    }

    /// Something else has to end first.
    pub fn busy(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Busy { doing: doing.into(), source: source.into() }
    }

    /// A failure that stays.
    pub fn failed(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Failed { doing: doing.into(), source: source.into() }
    }

    /// No share of that share instance.
    pub fn share_not_found(id: Uuid) -> Self {
        Self::NotFound { kind: ObjectKind::Share, id: id.to_string() }
    }

    /// No snapshot of that snapshot instance.
    pub fn snapshot_not_found(id: Uuid) -> Self {
        Self::NotFound { kind: ObjectKind::Snapshot, id: id.to_string() }
    }

    /// Nothing there to open.
    pub(crate) fn target_not_found(target: AccessTarget) -> Self {
        match target {
            AccessTarget::Share(id) => Self::share_not_found(id),
            AccessTarget::Snapshot { id, .. } => Self::snapshot_not_found(id),
        }
    }

    /// Checks the sizes of an extension, in GiB; returns by how much the share grows.
    pub(crate) fn check_extend(size_gb: u64, new_size_gb: u64) -> DriverResult<u64> {
        new_size_gb.checked_sub(size_gb).ok_or_else(|| Self::InvalidInput {
            field: "new_size_gb",
            problem: format!("expected at least the present {size_gb} GiB, got {new_size_gb}"),
        })
    }

    /// Checks the sizes of a shrinkage, in GiB; returns by how much the share shrinks.
    pub(crate) fn check_shrink(size_gb: u64, new_size_gb: u64) -> DriverResult<u64> {
        size_gb.checked_sub(new_size_gb).ok_or_else(|| Self::InvalidInput {
            field: "new_size_gb",
            problem: format!("expected at most the present {size_gb} GiB, got {new_size_gb}"),
        })
    }

    /// Refuses a list of access rules that was overtaken by a later one.
    pub(crate) fn check_generation(present: i64, given: i64) -> DriverResult<()> {
        if given >= present {
            return Ok(());
        }
        let problem = format!("expected at least the present {present}, got {given}");
        Err(Self::InvalidInput { field: "generation", problem })
    }

    /// Whether the revert that is `asked` for is the one that was `done` last, by their generations.
    /// An earlier one comes too late.
    pub(crate) fn check_revert(done: u64, asked: u64) -> DriverResult<bool> {
        if asked >= done {
            return Ok(asked == done);
        }
        let problem = format!("the share was reverted by generation {done} already, got {asked}");
        Err(Self::InvalidInput { field: "generation", problem })
    }

    /// Whether a share that follows generation `present` is to be promoted by one of generation
    /// `given`; else it has been already.
    pub(crate) fn check_promotion(
        is_replica: bool,
        present: u64,
        given: u64,
    ) -> DriverResult<bool> {
        if given > present || (is_replica && given == present) {
            return Ok(true);
        }
        if given == present {
            return Ok(false);
        }
        Err(Self::overtaken(present, given))
    }

    /// Refuses to overwrite a share that was promoted since, or follows a later promotion.
    pub(crate) fn check_update(is_replica: bool, present: u64, given: u64) -> DriverResult<()> {
        if given > present || (is_replica && given == present) {
            return Ok(());
        }
        Err(Self::overtaken(present, given))
    }

    fn overtaken(present: u64, given: u64) -> Self {
        let problem = format!("the share follows generation {present} already, got {given}");
        Self::InvalidInput { field: "generation", problem }
    }

    /// Refuses a snapshot id that is already taken by a snapshot of another share.
    pub(crate) fn check_same_share(found: Uuid, wanted: Uuid) -> DriverResult<()> {
        if found == wanted {
            return Ok(());
        }
        let problem = format!("the snapshot exists already, of share instance {found}");
        Err(Self::InvalidInput { field: "share_instance_id", problem })
    }

    /// Whether the same call may succeed when it is tried again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::Busy { .. })
    }
}
