//! Measures what a tree really stores.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::FileType;

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys;
use super::{Visitor, walk};

/// Bytes stored by the files of a tree: holes count nothing, hard links count once, blocks shared
/// by reflinks count in full.
pub(crate) fn stored_bytes(top: OwnedFd, cancel: &Cancel) -> FsResult<u64> {
    let mut measure = Measure::default();
    walk(top, &mut measure, cancel)?;
    Ok(measure.bytes)
}

#[derive(Default)]
struct Measure {
    bytes: u64,
    linked: HashSet<(u32, u32, u64)>,
}

impl Visitor for Measure {
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, _kind: FileType) -> FsResult<()> {
        let meta = match sys::meta(parent, name) {
            Ok(meta) => meta,
            Err(error) if error.is_gone() => return Ok(()),
            Err(error) => return Err(error),
        };
        if meta.links < 2 || self.linked.insert(meta.identity) {
            self.bytes = self.bytes.saturating_add(meta.stored);
        }
        Ok(())
    }
}
