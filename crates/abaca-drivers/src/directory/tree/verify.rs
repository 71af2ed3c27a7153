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
use super::metadata::{
    SET_ID_BITS, Special, can_not_be_held, copy_special, mode_without_memory, owner, permitted,
    set_attribute, tenants_attributes,
};
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
    /// How many entries lack an owner, a time or an attribute, or are left out, because this process
    /// or the copy's file system can't.
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
        let copied = existing(sys::meta(self.copy.top()?, name))?;
        if copied.is_none() && is_device(kind) {
            // Whether this process may make devices is known only when it tries.
            let made = copy_special(parent, self.copy.top()?, name, &meta)?;
            if made == Special::NotPermitted {
                self.found.is_not_kept(name);
                return Ok(());
            }
        }
        let is_same = match copied {
            None => false,
            Some(copy) => {
                same_entry(&meta, &copy)
                    && same_mode_of(parent, name, &meta, &copy)?
                    && self.same_names(&meta, &copy)
                    && self.same_content(parent, name, &meta)?
                    && self.same_time(name, &meta, &copy)?
                    && self.same_owner(name, &meta, &copy)?
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
        let is_same = same_modes(directory, c".", &meta, &found)?
            && same_attributes(&mut self.found, directory, copy, c".")?
            && same_owner_of(&mut self.found, copy, c".", &meta, &found)?
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

    fn same_owner(&mut self, name: &CStr, meta: &Meta, copy: &Meta) -> FsResult<bool> {
        same_owner_of(&mut self.found, self.copy.top()?, name, meta, copy)
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
    meta.kind == copy.kind && (!has_size || meta.size == copy.size) && meta.device == copy.device
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

/// As [`same_modes`], of an entry that is not a directory.
fn same_mode_of(parent: BorrowedFd<'_>, name: &CStr, meta: &Meta, copy: &Meta) -> FsResult<bool> {
    match meta.kind {
        FileType::Symlink => Ok(true),
        FileType::RegularFile if !equal_modes(meta, copy) => {
            same_modes(sys::open_file(parent, name)?.as_fd(), name, meta, copy)
        }
        _ => Ok(equal_modes(meta, copy)),
    }
}

/// Whether an open file or directory has the same mode at both ends, or the one that it had before
/// it was frozen where that can't be remembered.
fn same_modes(source: BorrowedFd<'_>, name: &CStr, meta: &Meta, copy: &Meta) -> FsResult<bool> {
    if equal_modes(meta, copy) {
        return Ok(true);
    }
    let Some(mode) = mode_without_memory(source, meta.mode, name)? else { return Ok(false) };
    Ok(equal_modes(&Meta { mode, ..*meta }, copy))
}

/// What could not be given to its owner has no set-user-id bits.
fn equal_modes(meta: &Meta, copy: &Meta) -> bool {
    meta.mode == copy.mode || (meta.owner != copy.owner && meta.mode & !SET_ID_BITS == copy.mode)
}

/// Whether an entry has the same owner at both ends, or can't have it: only root can give files away,
/// and not on every file system.
fn same_owner_of(
    found: &mut Found,
    parent: BorrowedFd<'_>,
    name: &CStr,
    meta: &Meta,
    copy: &Meta,
) -> FsResult<bool> {
    if meta.owner == copy.owner {
        return Ok(true);
    }
    let (user, group) = owner(meta);
    let given = permitted(sys::change("give to its owner", name, || {
        rustix::fs::chownat(parent, name, user, group, AtFlags::SYMLINK_NOFOLLOW)
    }))?;
    if !given {
        found.is_not_kept(name);
    }
    // A new owner loses set-user-id bits and capabilities, which the next copy sets.
    Ok(!given)
}

fn is_device(kind: FileType) -> bool {
    matches!(kind, FileType::BlockDevice | FileType::CharacterDevice)
}

fn existing<T>(result: FsResult<T>) -> FsResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}
