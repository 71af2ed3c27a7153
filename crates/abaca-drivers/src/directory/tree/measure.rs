//! Measures what a tree really stores.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::FileType;

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys::{self, Meta};
use super::{Visitor, walk};
use crate::TreeState;

/// Bytes stored by the files of a tree: holes count nothing, hard links count once, blocks shared
/// by reflinks count in full.
pub(crate) fn stored_bytes(top: OwnedFd, cancel: &Cancel) -> FsResult<u64> {
    let mut measure = Measure::of(|meta| meta.stored);
    walk(top, &mut measure, cancel)?;
    Ok(measure.bytes)
}

/// Bytes of the files of a tree from their start to their end; hard links count once.
pub(crate) fn apparent_bytes(top: OwnedFd, cancel: &Cancel) -> FsResult<u64> {
    let files_only = |meta: &Meta| if meta.kind == FileType::RegularFile { meta.size } else { 0 };
    let mut measure = Measure::of(files_only);
    walk(top, &mut measure, cancel)?;
    Ok(measure.bytes)
}

/// What is in a tree, the top included.
pub(crate) fn state_of(top: OwnedFd, cancel: &Cancel) -> FsResult<TreeState> {
    let mut look = Look(TreeState { entries: 0, bytes: 0, changes: 0 });
    walk(top, &mut look, cancel)?;
    Ok(look.0)
}

struct Look(TreeState);

impl Look {
    fn add(&mut self, meta: &Meta) {
        let (seconds, nanoseconds) = meta.changed;
        let changed = seconds.cast_unsigned().wrapping_mul(1_000_000_000);
        let state = &mut self.0;
        state.entries += 1;
        state.changes = state.changes.wrapping_add(changed).wrapping_add(nanoseconds.into());
        if meta.kind == FileType::RegularFile {
            state.bytes = state.bytes.saturating_add(meta.size);
        }
    }
}

impl Visitor for Look {
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, _kind: FileType) -> FsResult<()> {
        match sys::meta(parent, name) {
            Ok(meta) => self.add(&meta),
            Err(error) if error.is_gone() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn leave(&mut self, directory: BorrowedFd<'_>) -> FsResult<()> {
        self.add(&sys::meta_of(directory)?);
        Ok(())
    }
}

struct Measure {
    of: fn(&Meta) -> u64,
    bytes: u64,
    linked: HashSet<(u32, u32, u64)>,
}

impl Measure {
    fn of(of: fn(&Meta) -> u64) -> Self {
        Self { of, bytes: 0, linked: HashSet::new() }
    }
}

impl Visitor for Measure {
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, _kind: FileType) -> FsResult<()> {
        let meta = match sys::meta(parent, name) {
            Ok(meta) => meta,
            Err(error) if error.is_gone() => return Ok(()),
            Err(error) => return Err(error),
        };
        if meta.links < 2 || self.linked.insert(meta.identity) {
            self.bytes = self.bytes.saturating_add((self.of)(&meta));
        }
        Ok(())
    }
}
