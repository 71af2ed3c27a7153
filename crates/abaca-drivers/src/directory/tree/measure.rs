//! Measures what a tree really stores.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::FileType;

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys::{self, Meta};
use super::{Visitor, walk};

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
