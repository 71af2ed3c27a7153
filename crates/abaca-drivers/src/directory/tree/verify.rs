//! Compares two trees, and removes from the second what differs, so that it is copied anew.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Advice, AtFlags, FileType};

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys::{self, Meta};
use super::copy::others;
use super::file::next_data;
use super::metadata::{can_not_be_held, set_attribute, tenants_attributes};
use super::remove::{make_writable, remove_tree};
use super::stack::DirectoryStack;
use super::{Visitor, walk};
use crate::CopyProgress;

/// Bytes that are compared at a time.
const CHUNK: usize = 1 << 20;

type Identity = (u32, u32, u64);

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// How many entries of the copy were not as in the source. They are gone from the copy.
    pub(super) differences: u64,
    /// Name of the first.
    pub(super) first: String,
    /// How many entries have a time or an attribute that the copy's file system can't hold.
    pub(super) not_kept: u64,
    /// Name of the first.
    pub(super) first_not_kept: String,
    /// Whether times were set, which have to be synced.
    pub(super) mended: bool,
}

impl Found {
    fn differs(&mut self, name: &CStr) {
        self.differences += 1;
        remember(&mut self.first, name);
    }

    fn is_not_kept(&mut self, name: &CStr) {
        self.not_kept += 1;
        remember(&mut self.first_not_kept, name);
    }
}

fn remember(first: &mut String, name: &CStr) {
    if first.is_empty() {
        *first = name.to_string_lossy().into_owned();
    }
}

/// Looks at everything in both trees.
pub(super) fn differences(
    source: OwnedFd,
    copy: OwnedFd,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> FsResult<Found> {
    let mut comparer = Comparer {
        copy: DirectoryStack::new(copy)?,
        linked: HashMap::new(),
        buffers: (vec![0; CHUNK], vec![0; CHUNK]),
        progress,
        cancel,
        found: Found::default(),
    };
    walk(source, &mut comparer, cancel)?;
    Ok(comparer.found)
}

struct Comparer<'a> {
    copy: DirectoryStack,
    /// Of each file with several names: what its first name is in the copy.
    linked: HashMap<Identity, Identity>,
    buffers: (Vec<u8>, Vec<u8>),
    progress: &'a CopyProgress,
    cancel: &'a Cancel,
    found: Found,
}

impl Visitor for Comparer<'_> {
    /// A directory that is missing in the copy is gone around.
    fn open(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> FsResult<OwnedFd> {
        let opened = sys::open_directory(parent, name)?;
        match sys::open_directory(self.copy.top()?, name) {
            Ok(copy) => self.copy.push(copy)?,
            Err(error) => {
                self.found.differs(name);
                if !error.is_gone() {
                    return Err(error);
                }
                self.remove(name)?;
                return Err(error);
            }
        }
        Ok(opened)
    }

    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, kind: FileType) -> FsResult<()> {
        let Some(meta) = existing(sys::meta(parent, name))? else { return Ok(()) };
        let is_same = match existing(sys::meta(self.copy.top()?, name))? {
            None => is_left_out(kind),
            Some(copy) => {
                same_entry(&meta, &copy)
                    && self.same_names(&meta, &copy)
                    && self.same_content(parent, name, &meta)?
                    && self.same_time(name, &meta, &copy)?
            }
        };
        if !is_same {
            self.found.differs(name);
            self.remove(name)?;
        }
        Ok(())
    }

    fn leave(&mut self, directory: BorrowedFd<'_>) -> FsResult<()> {
        let others = others(directory, self.copy.top()?)?;
        for name in &others {
            self.found.differs(name);
            self.remove(name)?;
        }
        let copy = self.copy.top()?;
        let (meta, found) = (sys::meta_of(directory)?, sys::meta_of(copy)?);
        let is_same = same_modes(&meta, &found)
            && same_attributes(&mut self.found, directory, copy, c".")?
            && (!others.is_empty() || same_time_of(&mut self.found, copy, c".", &meta, &found)?);
        if !is_same {
            // The next copy sets all of it again; nothing has to go.
            self.found.differs(c".");
        }
        Ok(())
    }

    fn left(&mut self, _parent: BorrowedFd<'_>, _name: &CStr) -> FsResult<()> {
        self.copy.pop()
    }
}

impl Comparer<'_> {
    fn remove(&self, name: &CStr) -> FsResult<()> {
        let copy = self.copy.top()?;
        make_writable(copy, c".")?;
        remove_tree(copy, name, self.cancel)
    }

    /// Whether the names of one file in the source are names of one file in the copy too.
    fn same_names(&mut self, meta: &Meta, copy: &Meta) -> bool {
        meta.links < 2
            || *self.linked.entry(meta.identity).or_insert(copy.identity) == copy.identity
    }

    fn same_content(&mut self, parent: BorrowedFd<'_>, name: &CStr, meta: &Meta) -> FsResult<bool> {
        let copy = self.copy.top()?;
        match meta.kind {
            FileType::Symlink => Ok(sys::read_link(parent, name)? == sys::read_link(copy, name)?),
            FileType::RegularFile => {
                let source = sys::open_file(parent, name)?;
                let Ok(copy) = sys::open_file(copy, name) else { return Ok(false) };
                // What was written shall be read from the disk, not from memory. A wish only.
                let _ = rustix::fs::fadvise(&copy, 0, None, Advice::DontNeed);
                let is_same = self.same_bytes(source.as_fd(), copy.as_fd(), meta.size, name)?;
                self.progress.add_compared(meta.size);
                let found = &mut self.found;
                Ok(is_same && same_attributes(found, source.as_fd(), copy.as_fd(), name)?)
            }
            _ => Ok(true),
        }
    }

    fn same_time(&mut self, name: &CStr, meta: &Meta, copy: &Meta) -> FsResult<bool> {
        same_time_of(&mut self.found, self.copy.top()?, name, meta, copy)
    }

    fn same_bytes(
        &mut self,
        source: BorrowedFd<'_>,
        copy: BorrowedFd<'_>,
        size: u64,
        name: &CStr,
    ) -> FsResult<bool> {
        let mut position = 0;
        loop {
            self.cancel.check()?;
            // Where both have holes there is nothing to compare.
            let data = |file| Ok(next_data(file, position, size, name)?.map(|(start, _)| start));
            let starts: [Option<u64>; 2] = [data(source)?, data(copy)?];
            let Some(start) = starts.into_iter().flatten().min() else { return Ok(true) };
            let length = usize::try_from(size - start).unwrap_or(CHUNK).min(CHUNK);
            let (ours, theirs) = &mut self.buffers;
            let ours = read_at(source, start, ours, length, name)?;
            let theirs = read_at(copy, start, theirs, length, name)?;
            if ours != theirs || ours.len() < length {
                return Ok(false);
            }
            position = start + length as u64;
        }
    }
}

/// Fills the buffer up to `length`, or to the end of the file.
fn read_at<'b>(
    file: BorrowedFd<'_>,
    start: u64,
    buffer: &'b mut [u8],
    length: usize,
    name: &CStr,
) -> FsResult<&'b [u8]> {
    let mut filled = 0;
    while filled < length {
        let at = start + filled as u64;
        let read = sys::call("read", name, || {
            rustix::io::pread(file, buffer.get_mut(filled..length).unwrap_or_default(), at)
        })?;
        if read == 0 {
            break;
        }
        filled += read;
    }
    Ok(buffer.get(..filled).unwrap_or_default())
}

fn same_entry(meta: &Meta, copy: &Meta) -> bool {
    let has_size = matches!(meta.kind, FileType::RegularFile | FileType::Symlink);
    let has_mode = meta.kind != FileType::Symlink;
    meta.kind == copy.kind
        && (!has_size || meta.size == copy.size)
        && (!has_mode || same_modes(meta, copy))
        && meta.device == copy.device
}

/// Whether an entry whose bytes are the same was modified at the same time, as well as the file system
/// of the copy can tell: they differ in how far their years reach, and in the fractions of a second.
fn same_time_of(
    found: &mut Found,
    parent: BorrowedFd<'_>,
    name: &CStr,
    meta: &Meta,
    copy: &Meta,
) -> FsResult<bool> {
    if meta.modified == copy.modified {
        return Ok(true);
    }
    sys::change("set the times of", name, || {
        rustix::fs::utimensat(parent, name, &meta.times(), AtFlags::SYMLINK_NOFOLLOW)
    })?;
    found.mended = true;
    if sys::meta(parent, name)?.modified != meta.modified {
        found.is_not_kept(name);
    }
    Ok(true)
}

/// Whether tenants set the same attributes at both ends, but for those that the copy's file system
/// refuses for good.
fn same_attributes(
    found: &mut Found,
    source: BorrowedFd<'_>,
    copy: BorrowedFd<'_>,
    name: &CStr,
) -> FsResult<bool> {
    let mut copied = tenants_attributes(copy, name)?;
    for (attribute, value) in &tenants_attributes(source, name)? {
        if copied.remove(attribute).as_ref() == Some(value) {
            continue;
        }
        match set_attribute(copy, attribute, value, name) {
            Err(error) if can_not_be_held(copy, &error) => found.is_not_kept(name),
            _ => return Ok(false),
        }
    }
    Ok(copied.is_empty())
}

/// An ordinary user's copy belongs to that user, and has then no set-user-id bits.
fn same_modes(meta: &Meta, copy: &Meta) -> bool {
    if meta.owner == copy.owner {
        return meta.mode == copy.mode;
    }
    !rustix::process::geteuid().is_root() && meta.mode & 0o1777 == copy.mode & 0o1777
}

/// Only root can make devices.
fn is_left_out(kind: FileType) -> bool {
    matches!(kind, FileType::BlockDevice | FileType::CharacterDevice)
        && !rustix::process::geteuid().is_root()
}

fn existing<T>(result: FsResult<T>) -> FsResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}
