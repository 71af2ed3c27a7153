//! Hard links within a copied tree.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::super::cancel::Cancel;
use super::super::failure::FsResult;
use super::super::sys::{self, Meta};
use super::remove::remove_tree;

const STAGE: &str = "links";

/// Copies of files with several names. Each is also linked into a stage directory beside the
/// copy, so that later names can be linked to it from anywhere, however deep.
pub(super) struct Links<'a> {
    /// The directory that holds the stage.
    base: BorrowedFd<'a>,
    stage: Option<OwnedFd>,
    /// Number in the stage, and how many names of the original are still to come.
    copies: HashMap<(u32, u32, u64), Copied>,
    next: u64,
}

struct Copied {
    number: u64,
    names_to_come: u32,
}

impl<'a> Links<'a> {
    pub(super) fn new(base: BorrowedFd<'a>) -> Self {
        Self { base, stage: None, copies: HashMap::new(), next: 0 }
    }

    /// Forgets what a killed copy left of its stage.
    pub(super) fn clear(&self, cancel: &Cancel) -> FsResult<()> {
        remove_tree(self.base, STAGE, cancel)
    }

    /// The copy of `original` that has been made, if it has further names.
    pub(super) fn copy_of(&self, original: &Meta) -> FsResult<Option<Meta>> {
        match (&self.stage, self.copies.get(&original.identity)) {
            (Some(stage), Some(copy)) => {
                sys::meta(stage.as_fd(), copy.number.to_string().as_str()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Makes `name` another name of the copy of `original`, if there is one.
    pub(super) fn link(
        &mut self,
        original: &Meta,
        directory: BorrowedFd<'_>,
        name: &CStr,
    ) -> FsResult<bool> {
        let (Some(stage), Some(copy)) = (&self.stage, self.copies.get_mut(&original.identity))
        else {
            return Ok(false);
        };
        let staged = copy.number.to_string();
        let linked = sys::change("link", name, || {
            rustix::fs::linkat(stage, staged.as_str(), directory, name, AtFlags::empty())
        });
        copy.names_to_come = copy.names_to_come.saturating_sub(1);
        if copy.names_to_come == 0 {
            self.copies.remove(&original.identity);
            sys::remove_file(stage.as_fd(), staged.as_str())?;
        }
        match linked {
            Ok(()) => Ok(true),
            // A directory read while it changes can name an entry twice.
            Err(error) if error.already_exists() => Ok(true),
            // The stage took the last possible name: this one gets a copy of its own.
            Err(error) if error.errno() == Some(Errno::MLINK) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Remembers the copy of a file that has further names.
    pub(super) fn remember(
        &mut self,
        original: &Meta,
        directory: BorrowedFd<'_>,
        name: &CStr,
    ) -> FsResult<()> {
        if original.links < 2 || self.copies.contains_key(&original.identity) {
            return Ok(());
        }
        let stage = match &self.stage {
            Some(stage) => stage,
            None => {
                sys::make_directory(self.base, STAGE)?;
                self.stage.insert(sys::open_directory(self.base, STAGE)?)
            }
        };
        let number = self.next;
        let staged = number.to_string();
        sys::change("link", name, || {
            rustix::fs::linkat(directory, name, stage, staged.as_str(), AtFlags::empty())
        })?;
        self.next += 1;
        let names_to_come = original.links - 1;
        self.copies.insert(original.identity, Copied { number, names_to_come });
        Ok(())
    }

    /// Removes the stage.
    pub(super) fn finish(mut self) -> FsResult<()> {
        let Some(stage) = self.stage.take() else { return Ok(()) };
        for copy in self.copies.values() {
            sys::remove_file(stage.as_fd(), copy.number.to_string().as_str())?;
        }
        sys::remove_directory(self.base, STAGE)
    }
}
