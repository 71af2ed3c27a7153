//! Walks over trees that tenants made: any depth, any width, any name, changing meanwhile.
//!
//! The walk is a loop, and keeps few descriptors open however deep it goes ([`stack`]). It meets
//! every entry by a single name relative to an open directory, so it can't be led astray.

pub(super) mod copy;
mod file;
mod links;
pub(super) mod measure;
mod metadata;
pub(super) mod mirror;
pub(super) mod remove;
mod stack;
mod verify;

use std::ffi::{CStr, CString};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};

use super::cancel::Cancel;
use super::failure::FsResult;
use super::root::Root;
use super::sys;
use stack::DirectoryStack;

/// Whether files of this file system can share blocks. Only reported; each copy finds out anew.
pub(super) fn has_reflinks(root: &Root) -> bool {
    let unnamed = || {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        rustix::fs::openat(&root.tmp, ".", flags, Mode::RUSR | Mode::WUSR)
    };
    match (unnamed(), unnamed()) {
        (Ok(from), Ok(to)) => {
            rustix::io::pwrite(&from, b"a", 0).is_ok()
                && rustix::fs::ioctl_ficlone(to, from).is_ok()
        }
        _ => false,
    }
}

/// What is done with the entries of a tree.
trait Visitor {
    /// Opens a subdirectory. An error that says it is gone makes the walk go around it.
    fn open(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> FsResult<OwnedFd> {
        sys::open_directory(parent, name)
    }

    /// Before the first entry of a subdirectory.
    fn enter(&mut self, _name: &CStr) -> FsResult<()> {
        Ok(())
    }

    /// An entry that is not a directory.
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, kind: FileType) -> FsResult<()>;

    /// After the last entry of a directory, the top included.
    fn leave(&mut self, _directory: BorrowedFd<'_>) -> FsResult<()> {
        Ok(())
    }

    /// After a subdirectory was left, back in its parent.
    fn left(&mut self, _parent: BorrowedFd<'_>, _name: &CStr) -> FsResult<()> {
        Ok(())
    }
}

/// Names of subdirectories that are still to be walked, and the name of the directory itself.
struct Level {
    name: CString,
    remaining: Vec<CString>,
}

fn walk(top: OwnedFd, visitor: &mut impl Visitor, cancel: &Cancel) -> FsResult<()> {
    let mut stack = DirectoryStack::new(top)?;
    let remaining = scan(stack.top()?, visitor, cancel)?;
    let mut levels = vec![Level { name: CString::default(), remaining }];
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.remaining.pop() {
            let directory = match visitor.open(stack.top()?, &name) {
                Ok(directory) => directory,
                Err(error) if error.is_gone() => continue,
                Err(error) => return Err(error),
            };
            visitor.enter(&name)?;
            stack.push(directory)?;
            let remaining = scan(stack.top()?, visitor, cancel)?;
            levels.push(Level { name, remaining });
            continue;
        }
        visitor.leave(stack.top()?)?;
        if let Some(level) = levels.pop()
            && !levels.is_empty()
        {
            stack.pop()?;
            visitor.left(stack.top()?, &level.name)?;
        }
    }
    Ok(())
}

/// Visits what is not a directory at once and returns the names of the subdirectories, so that a
/// directory with a million files takes no memory for their names.
fn scan(
    directory: BorrowedFd<'_>,
    visitor: &mut impl Visitor,
    cancel: &Cancel,
) -> FsResult<Vec<CString>> {
    let mut subdirectories = Vec::new();
    sys::read_directory(directory, |name, kind| {
        cancel.check()?;
        if kind == FileType::Directory {
            subdirectories.push(name.to_owned());
            return Ok(());
        }
        visitor.entry(directory, name, kind)
    })?;
    Ok(subdirectories)
}
