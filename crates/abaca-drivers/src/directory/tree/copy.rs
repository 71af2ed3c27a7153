//! Copies whole trees: how snapshots are taken, and shares made from them.
//!
//! Kept: bytes, holes, modes, times, extended attributes with ACLs (of files and directories),
//! symlinks as they are, hard links within the tree, FIFOs and sockets; as root also owners,
//! device nodes, security and trusted attributes. Not kept: change times, access times of symlinks
//! and of what belongs to others when not root, and attributes of symlinks and special files.
//!
//! A plain directory can't be frozen, so a tree that is written to meanwhile is copied file by
//! file, each as it was at some moment of the copy: a reflink takes a file at one moment; a copied
//! file whose size or modification time changed is copied again, a few times. Entries that vanish
//! are left out.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode};

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys::{self, Meta};
use super::file::{FileCopier, Way};
use super::links::Links;
pub(crate) use super::metadata::Direction;
use super::metadata::{MetadataCopier, Special, copy_special, remove_attributes};
use super::remove::{make_writable, open_writable, remove_tree};
use super::stack::DirectoryStack;
use super::{Visitor, walk};
use crate::CopyProgress;

/// How often a file that changes meanwhile is copied again.
const ROUNDS: u32 = 3;
/// Up to so many files and directories are synced one by one; beyond that the whole file system
/// is synced once, which then is faster.
const SYNCED_ONE_BY_ONE: u32 = 16;

/// Copies the tree of `from` into the empty directory `to`, and returns when it would survive
/// power loss. `base` is a private directory beside the copy for things needed meanwhile.
pub(crate) fn copy_tree(
    from: OwnedFd,
    to: OwnedFd,
    base: BorrowedFd<'_>,
    direction: Direction,
    cancel: &Cancel,
) -> FsResult<()> {
    copy(from, to, base, MetadataCopier::new(direction), None, cancel)
}

/// As [`copy_tree`], in `Direction::Keep`, but `to` may hold what an earlier copy left: a file of the
/// same size and modification time is taken for copied, and what `from` does not hold is removed.
pub(super) fn resume_copy(
    from: OwnedFd,
    to: OwnedFd,
    base: BorrowedFd<'_>,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> FsResult<()> {
    copy(from, to, base, MetadataCopier::to_elsewhere(), Some(progress), cancel)
}

fn copy(
    from: OwnedFd,
    to: OwnedFd,
    base: BorrowedFd<'_>,
    metadata: MetadataCopier,
    progress: Option<&CopyProgress>,
    cancel: &Cancel,
) -> FsResult<()> {
    let links = Links::new(base, to.as_fd())?;
    let mut copier = Copier {
        target: DirectoryStack::new(to)?,
        links,
        files: FileCopier::new(cancel, progress),
        metadata,
        resumes: progress,
        cancel,
        to_sync: SYNCED_ONE_BY_ONE,
        left_out: 0,
        kept_changing: 0,
    };
    if copier.resumes.is_some() {
        copier.links.clear(cancel)?;
        let top = copier.target.top()?;
        make_writable(top, c".")?;
        remove_attributes(top, c".")?;
    }
    walk(from, &mut copier, cancel)?;
    if copier.left_out > 0 || copier.kept_changing > 0 {
        let Copier { left_out, kept_changing, .. } = copier;
        tracing::warn!(left_out, kept_changing, "a tree could not be copied exactly as it was");
    }
    copier.links.finish()?;
    if copier.to_sync == 0 {
        sys::sync_file_system(base)?;
    }
    Ok(())
}

struct Copier<'a> {
    target: DirectoryStack,
    links: Links,
    files: FileCopier<'a>,
    metadata: MetadataCopier,
    /// The target may hold something already.
    resumes: Option<&'a CopyProgress>,
    cancel: &'a Cancel,
    to_sync: u32,
    left_out: u64,
    kept_changing: u64,
}

impl Visitor for Copier<'_> {
    fn enter(&mut self, name: &CStr) -> FsResult<()> {
        let parent = self.target.top()?;
        if self.resumes.is_some() {
            let directory = open_or_make(parent, name, self.cancel)?;
            // Its default ACL, which it gets again at the end, would be its new files' too.
            remove_attributes(directory.as_fd(), name)?;
            self.target.push(directory)
        } else {
            ignoring_existing(sys::make_directory(parent, name))?;
            let directory = sys::open_directory(parent, name)?;
            self.target.push(directory)
        }
    }

    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, kind: FileType) -> FsResult<()> {
        ignoring_existing(match kind {
            FileType::RegularFile => self.copy_file(parent, name),
            _ => self.copy_other(parent, name),
        })
    }

    fn leave(&mut self, directory: BorrowedFd<'_>) -> FsResult<()> {
        let target = self.target.top()?;
        let meta = sys::meta_of(directory)?;
        if self.resumes.is_some() {
            let others = others(directory, target)?;
            others.iter().try_for_each(|name| remove_tree(target, name, self.cancel))?;
            remove_attributes(target, c".")?;
        }
        self.metadata.copy(directory, target, &meta, c".")?;
        sync_within(&mut self.to_sync, target)
    }

    fn left(&mut self, _parent: BorrowedFd<'_>, _name: &CStr) -> FsResult<()> {
        self.target.pop()
    }
}

impl Copier<'_> {
    fn copy_file(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> FsResult<()> {
        let Some(source) = unless_gone(sys::open_file(parent, name))? else { return Ok(()) };
        let meta = sys::meta_of(source.as_fd())?;
        if meta.kind != FileType::RegularFile {
            return self.copy_other(parent, name);
        }
        if self.is_there(&source, &meta, name)? {
            return Ok(());
        }
        let directory = self.target.top()?;
        if meta.links > 1 && self.links.link(&meta, directory, name)? {
            return Ok(());
        }
        let target = sys::create_file(directory, name)?;
        let mut meta = meta;
        for round in 0..=ROUNDS {
            let way = self.files.copy(source.as_fd(), target.as_fd(), meta.size, name)?;
            let now = sys::meta_of(source.as_fd())?;
            let changed = (now.size, now.modified) != (meta.size, meta.modified);
            if !changed || way == Way::Shared {
                break;
            }
            if round == ROUNDS {
                self.kept_changing += 1;
                break;
            }
            meta = now;
            sys::change("empty", name, || rustix::fs::ftruncate(&target, 0))?;
        }
        self.metadata.copy(source.as_fd(), target.as_fd(), &meta, name)?;
        sync_within(&mut self.to_sync, target.as_fd())?;
        self.links.remember(&meta, directory, name)
    }

    /// Whether an earlier copy made this file; if it made something else of that name, that goes.
    fn is_there(&mut self, source: &OwnedFd, meta: &Meta, name: &CStr) -> FsResult<bool> {
        let Some(progress) = self.resumes else { return Ok(false) };
        let directory = self.target.top()?;
        let Some(found) = unless_gone(sys::meta(directory, name))? else { return Ok(false) };
        let is_copied = found.kind == FileType::RegularFile
            && (found.size, found.modified) == (meta.size, meta.modified);
        let other = self.links.copy_of(meta)?;
        let is_linked = other.is_none_or(|other| other.identity == found.identity);
        let opened =
            if is_copied && is_linked { sys::open_file(directory, name).ok() } else { None };
        let Some(target) = opened else {
            remove_tree(directory, name, self.cancel)?;
            return Ok(false);
        };
        if other.is_some() {
            remove_tree(directory, name, self.cancel)?;
            return Ok(false); // Linked again, so that its names are counted.
        }
        // Whoever may not write to a file can't set its attributes either.
        sys::change("make writable", name, || {
            rustix::fs::fchmod(&target, Mode::RUSR | Mode::WUSR)
        })?;
        remove_attributes(target.as_fd(), name)?;
        self.metadata.copy(source.as_fd(), target.as_fd(), meta, name)?;
        progress.add_copied(meta.size);
        self.links.remember(meta, directory, name)?;
        Ok(true)
    }

    fn copy_other(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> FsResult<()> {
        let Some(meta) = unless_gone(sys::meta(parent, name))? else { return Ok(()) };
        if matches!(meta.kind, FileType::RegularFile | FileType::Directory) {
            return Ok(()); // Replaced since the directory was read: it vanished.
        }
        let directory = self.target.top()?;
        if self.resumes.is_some() {
            remove_tree(directory, name, self.cancel)?;
        }
        if meta.links > 1 && self.links.link(&meta, directory, name)? {
            return Ok(());
        }
        match copy_special(parent, directory, name, &meta)? {
            Special::Copied => self.links.remember(&meta, directory, name),
            Special::Vanished => Ok(()),
            Special::NotPermitted => {
                self.left_out += 1;
                Ok(())
            }
        }
    }
}

/// `None` for an entry of the source that vanished.
fn unless_gone<T>(result: FsResult<T>) -> FsResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A directory that is read while it changes can name an entry twice.
fn ignoring_existing(result: FsResult<()>) -> FsResult<()> {
    match result {
        Err(error) if error.already_exists() => Ok(()),
        other => other,
    }
}

/// The directory of that name, emptied of nothing; whatever else has the name goes.
fn open_or_make(parent: BorrowedFd<'_>, name: &CStr, cancel: &Cancel) -> FsResult<OwnedFd> {
    match sys::meta(parent, name) {
        Ok(found) if found.kind == FileType::Directory => {
            return open_writable(parent, name);
        }
        Ok(_) => remove_tree(parent, name, cancel)?,
        Err(error) if error.is_gone() => {}
        Err(error) => return Err(error),
    }
    sys::make_directory(parent, name)?;
    sys::open_directory(parent, name)
}

/// What `target` holds and `source` does not.
pub(super) fn others(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> FsResult<Vec<CString>> {
    let mut others = Vec::new();
    sys::read_directory(target, |name, _| {
        if !sys::exists(source, name)? {
            others.push(name.to_owned());
        }
        Ok(())
    })?;
    Ok(others)
}

fn sync_within(budget: &mut u32, file: BorrowedFd<'_>) -> FsResult<()> {
    if *budget == 0 {
        return Ok(());
    }
    *budget -= 1;
    sys::sync(file)
}
