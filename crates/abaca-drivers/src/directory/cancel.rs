//! What blocking work is told by the call it is for.

use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::{FsError, FsResult};
use super::locks::FileGuards;
use super::sys;

/// Whether the caller went away, looked at by long work; and the lock that it works under.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel {
    given_up: Arc<AtomicBool>,
    lock: Option<Arc<OwnedFd>>,
}

impl Cancel {
    /// Fails once the caller went away.
    pub(crate) fn check(&self) -> FsResult<()> {
        if self.given_up.load(Ordering::Relaxed) { Err(FsError::Cancelled) } else { Ok(()) }
    }

    /// The same, for what works under these locks.
    pub(super) fn under(&self, guards: &FileGuards<'_>) -> FsResult<Self> {
        let lock = guards.share_alone()?.map(Arc::new);
        Ok(Self { given_up: Arc::clone(&self.given_up), lock })
    }

    /// The same lock, for what has to be done though the caller may have gone away.
    pub(crate) fn to_the_end(&self) -> Self {
        Self { given_up: Arc::default(), lock: self.lock.clone() }
    }

    /// To be inherited by a process that changes the object: the lock stays taken until that has
    /// ended too, even when this process is killed before it.
    pub(crate) fn lock_to_inherit(&self) -> FsResult<Stdio> {
        let Some(lock) = &self.lock else { return Ok(Stdio::null()) };
        Ok(sys::duplicate(lock.as_fd())?.into())
    }

    /// A guard that cancels when the future that holds it is dropped.
    pub(super) fn on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Arc::clone(&self.given_up))
    }
}

/// See [`Cancel::on_drop`].
#[derive(Debug)]
pub(super) struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
