//! Tells blocking work that its caller went away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::{FsError, FsResult};

/// Looked at by long work.
#[derive(Debug, Clone, Default)]
pub(super) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Fails once the caller went away.
    pub(super) fn check(&self) -> FsResult<()> {
        if self.0.load(Ordering::Relaxed) { Err(FsError::Cancelled) } else { Ok(()) }
    }

    /// A guard that cancels when the future that holds it is dropped.
    pub(super) fn on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }
}

/// See [`Cancel::on_drop`].
#[derive(Debug)]
pub(super) struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
