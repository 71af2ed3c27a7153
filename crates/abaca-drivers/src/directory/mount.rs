//! The link to a share's bytes by the name that its tenant chose. It lies inside the share, so that
//! it comes and goes with it, and no two shares can be in each other's way.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::FsResult;
use super::records::Kind;
use super::root::Root;
use super::sys;
use super::tree::remove::remove_tree;

/// Name of the directory that holds the link.
pub(super) const MOUNT: &str = "mount";
const TARGET: &str = "../data";

/// Makes the directory with the link in `object`.
pub(super) fn make(object: BorrowedFd<'_>, name: &str) -> FsResult<()> {
    sys::make_directory(object, MOUNT)?;
    let mount = sys::open_directory(object, MOUNT)?;
    sys::link(mount.as_fd(), name, TARGET)?;
    sys::sync(mount.as_fd())
}

/// Makes the link anew if it is missing or leads elsewhere. The caller holds the share's record.
pub(super) fn repair(root: &Root, id: Uuid, name: &str, cancel: &Cancel) -> FsResult<()> {
    let Some(object) = root.open_object(Kind::Share, id)? else { return Ok(()) };
    if is_right(object.as_fd(), name)? {
        return Ok(());
    }
    // A name under which a sweep looks for the lock of the record.
    let working_name = format!("record-{id}");
    remove_tree(root.tmp.as_fd(), &working_name, cancel)?;
    sys::make_directory(root.tmp.as_fd(), working_name.as_str())?;
    let working = sys::open_directory(root.tmp.as_fd(), working_name.as_str())?;
    make(working.as_fd(), name)?;
    remove_tree(object.as_fd(), MOUNT, cancel)?;
    sys::rename(working.as_fd(), MOUNT, object.as_fd(), MOUNT)?;
    sys::sync(object.as_fd())?;
    tracing::warn!(%id, name, "the link by which a share is mounted was repaired");
    remove_tree(root.tmp.as_fd(), &working_name, cancel)
}

fn is_right(object: BorrowedFd<'_>, name: &str) -> FsResult<bool> {
    let mount = match sys::open_directory(object, MOUNT) {
        Err(error) if error.is_gone() => return Ok(false),
        opened => opened?,
    };
    match sys::read_link(mount.as_fd(), name) {
        // There is something, but no link.
        Err(error) if error.is_gone() || error.errno() == Some(Errno::INVAL) => Ok(false),
        target => Ok(target?.to_bytes() == TARGET.as_bytes()),
    }
}
