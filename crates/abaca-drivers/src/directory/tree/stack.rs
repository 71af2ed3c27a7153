//! The path from the top of a tree to the directory being walked, with few descriptors open.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::super::failure::{FsError, FsResult};
use super::super::sys;

/// How many descriptors of one path stay open. Deeper paths close those nearest to the top and
/// come back to them through `..`.
const OPEN_LIMIT: usize = 32;

pub(super) struct DirectoryStack {
    levels: Vec<Level>,
}

struct Level {
    descriptor: Option<OwnedFd>,
    identity: (u32, u32, u64),
}

impl DirectoryStack {
    pub(super) fn new(top: OwnedFd) -> FsResult<Self> {
        let mut stack = Self { levels: Vec::new() };
        stack.push(top)?;
        Ok(stack)
    }

    /// The directory that was pushed last.
    pub(super) fn top(&self) -> FsResult<BorrowedFd<'_>> {
        let descriptor = self.levels.last().and_then(|level| level.descriptor.as_ref());
        descriptor.map(AsFd::as_fd).ok_or(FsError::Moved)
    }

    pub(super) fn push(&mut self, directory: OwnedFd) -> FsResult<()> {
        let identity = sys::meta_of(directory.as_fd())?.identity;
        self.levels.push(Level { descriptor: Some(directory), identity });
        let far = self.levels.len().checked_sub(OPEN_LIMIT + 1);
        if let Some(level) = far.and_then(|index| self.levels.get_mut(index)) {
            level.descriptor = None;
        }
        Ok(())
    }

    /// Leaves the last directory. Fails if it is no longer where it was when it was pushed.
    pub(super) fn pop(&mut self) -> FsResult<()> {
        let left = self.levels.pop();
        let (Some(Level { descriptor: Some(left), .. }), Some(level)) =
            (left, self.levels.last_mut())
        else {
            return Err(FsError::Moved);
        };
        if level.descriptor.is_none() {
            let parent = sys::open_parent(left.as_fd())?;
            if sys::meta_of(parent.as_fd())?.identity != level.identity {
                return Err(FsError::Moved);
            }
            level.descriptor = Some(parent);
        }
        Ok(())
    }
}
