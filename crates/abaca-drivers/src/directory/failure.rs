//! What goes wrong on the file system, and whether trying again can help.

use rustix::io::Errno;
use thiserror::Error;

use crate::DriverError;

/// A failure of one step on the file system.
#[derive(Debug, Error)]
pub(crate) enum FsError {
    /// A system call failed.
    #[error("could not {action} {name:?}")]
    Call {
        /// What was tried, as a verb.
        action: &'static str,
        /// Name of the entry, without its path.
        name: String,
        /// What the kernel said.
        #[source]
        source: Errno,
    },
    /// A command failed that works on the file system.
    #[error("{command} failed: {said}")]
    Command {
        /// The command with its arguments.
        command: String,
        /// What it said on its standard error.
        said: String,
        /// What the kernel seems to have told it, where it is known.
        errno: Option<Errno>,
    },
    /// Something is mounted from an object that is to be removed.
    #[error("{name} is still mounted at {point}")]
    Mounted {
        /// Name of the object.
        name: String,
        /// The mount point.
        point: String,
    },
    /// A directory moved away while its tree was walked.
    #[error("a directory was moved while its tree was walked")]
    Moved,
    /// A directory kept filling up while it was removed.
    #[error("the directory {name:?} is still being written to")]
    StillFilling {
        /// Name of the directory.
        name: String,
    },
    /// The path of the root leads elsewhere: moved, replaced, or mounted over.
    #[error("{path} is no longer the directory that was opened")]
    RootReplaced {
        /// The root's path.
        path: String,
    },
    /// A tree can't be copied so that both ends are the same.
    #[error("what is copied keeps changing: {entries} entries differed at last, such as {first:?}")]
    KeepsChanging {
        /// How many entries were found to differ.
        entries: u64,
        /// Name of the first, without its path.
        first: String,
    },
    /// All was to be kept, and this file system can't.
    #[error(
        "{entries} entries have owners, times or attributes that can't be kept here, such as {first:?}"
    )]
    NotKept {
        /// How many entries.
        entries: u64,
        /// Name of the first, without its path.
        first: String,
    },
    /// Another call, or another process, works on the same object.
    #[error("somebody else works on {name}")]
    Busy {
        /// Name of the lock.
        name: String,
    },
    /// The caller went away.
    #[error("the call was given up")]
    Cancelled,
    /// Something in the backend's own files is not as this driver left it.
    #[error("{what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
}

/// Whether the same call may succeed later.
fn passes(number: Errno) -> bool {
    matches!(
        number,
        Errno::INTR
            | Errno::AGAIN
            | Errno::BUSY
            | Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            | Errno::NOLCK
            | Errno::STALE
            | Errno::TIMEDOUT
            | Errno::IO
            | Errno::TXTBSY
    )
}

pub(crate) type FsResult<T> = Result<T, FsError>;

impl FsError {
    /// The error number, if a system call failed.
    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            Self::Call { source, .. } => Some(*source),
            Self::Command { errno, .. } => *errno,
            _ => None,
        }
    }

    /// The entry is not there (any more), or is of another type by now.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.errno(), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::STALE))
    }

    /// The entry is there already.
    pub(super) fn already_exists(&self) -> bool {
        self.errno() == Some(Errno::EXIST)
    }

    /// Whether trying again can help.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Moved
            | Self::StillFilling { .. }
            | Self::Mounted { .. }
            | Self::RootReplaced { .. }
            | Self::Busy { .. }
            | Self::Cancelled => true,
            // Several rounds have been tried, of everything: whoever writes goes on writing.
            Self::KeepsChanging { .. } | Self::NotKept { .. } | Self::Damaged { .. } => false,
            Self::Call { .. } | Self::Command { .. } => self.errno().is_some_and(passes),
        }
    }

    /// The error of the driver call that was `doing` this.
    pub(crate) fn while_doing(self, doing: impl Into<String>) -> DriverError {
        match self.errno() {
            Some(Errno::NOSPC | Errno::DQUOT) => DriverError::NoSpace { doing: doing.into() },
            _ if matches!(self, Self::Busy { .. } | Self::Mounted { .. }) => {
                DriverError::busy(doing, self)
            }
            _ if self.may_pass() => DriverError::transient(doing, self),
            _ if matches!(self, Self::Damaged { .. }) => {
                DriverError::Damaged { doing: doing.into(), source: self.into() }
            }
            _ => DriverError::failed(doing, self),
        }
    }
}

/// Why the blocking part of a call stopped: a step on the file system failed, or the answer is a
/// refusal of its own.
#[derive(Debug)]
pub(super) enum Stop {
    Failed(FsError),
    Refused(DriverError),
}

impl From<FsError> for Stop {
    fn from(error: FsError) -> Self {
        Self::Failed(error)
    }
}

impl From<DriverError> for Stop {
    fn from(error: DriverError) -> Self {
        Self::Refused(error)
    }
}

impl Stop {
    pub(super) fn while_doing(self, doing: String) -> DriverError {
        match self {
            Self::Failed(error) => error.while_doing(doing),
            Self::Refused(error) => error,
        }
    }
}
