//! The data mover: carries the bytes of a share from one backend to another, of whatever kind, as
//! long as this machine has both as directories.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use super::cancel::Cancel;
use super::failure::FsResult;
use super::sys;
use super::tree::mirror::{mirror_tree, to_copy};
use crate::{CopyProgress, DriverError, DriverResult, ShareTree};

/// Makes the tree `to` the same as `from`: bytes, holes, owners, modes, times, attributes, links. Goes
/// on from what an earlier call left in `to`, and compares all bytes in the end. Dropped, it stops
/// soon.
///
/// # Errors
/// [`DriverError::Transient`] when the source keeps changing or the disk fails for now;
/// [`DriverError::Failed`] when a tree can't be reached from this machine.
pub async fn copy_share(
    from: &ShareTree,
    to: &ShareTree,
    progress: &Arc<CopyProgress>,
) -> DriverResult<()> {
    let doing = format!("copying {} to {}", from.data.display(), to.data.display());
    let (from, to, progress) = (from.clone(), to.clone(), Arc::clone(progress));
    let cancel = Cancel::default();
    let _cancel_on_drop = cancel.on_drop();
    let work = tokio::task::spawn_blocking(move || {
        let source = open_tree(&from.data)?;
        let (target, base) = (open_tree(&to.data)?, open_tree(&to.scratch)?);
        progress.begin(to_copy(&source, &cancel)?);
        mirror_tree(&source, &target, base.as_fd(), &progress, &cancel)
    });
    match work.await {
        Ok(result) => result.map_err(|error| error.while_doing(doing)),
        Err(panicked) => Err(DriverError::failed(doing, panicked)),
    }
}

/// Opens a directory by its path.
pub(super) fn open_tree(path: &Path) -> FsResult<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    sys::call("open", path, || rustix::fs::open(path, flags, Mode::empty()))
}
