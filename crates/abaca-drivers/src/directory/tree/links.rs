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
pub(super) struct Links {
    /// The directory that holds the stage, and the stage's name in it.
    base: OwnedFd,
    name: String,
    stage: Option<OwnedFd>,
    /// Number in the stage, and how many names of the original are still to come.
    copies: HashMap<(u32, u32, u64), Copied>,
    next: u64,
}

struct Copied {
    number: u64,
    names_to_come: u32,
}

impl Links {
    /// `base` is beside the copy `to`.
    pub(super) fn new(base: BorrowedFd<'_>, to: BorrowedFd<'_>) -> FsResult<Self> {
        let (beside, within) = (sys::meta_of(base)?, sys::meta_of(to)?);
        let is_near =
            (beside.identity.0, beside.identity.1) == (within.identity.0, within.identity.1);
        // A subvolume of btrfs has no links to the outside. Then the stage is in it, by a name that
        // tenants can't foresee, and it is gone before the top's times are set.
        let (base, name) = match is_near {
            true => (base, STAGE.to_owned()),
            false => (to, format!(".abaca-{STAGE}-{}", beside.identity.2)),
        };
        let base = sys::duplicate(base)?;
        Ok(Self { base, name, stage: None, copies: HashMap::new(), next: 0 })
    }

    /// Forgets what a killed copy left of its stage.
    pub(super) fn clear(&self, cancel: &Cancel) -> FsResult<()> {
        remove_tree(self.base.as_fd(), self.name.as_str(), cancel)
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
                sys::make_directory(self.base.as_fd(), self.name.as_str())?;
                self.stage.insert(sys::open_directory(self.base.as_fd(), self.name.as_str())?)
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
            unless_gone(sys::remove_file(stage.as_fd(), copy.number.to_string().as_str()))?;
        }
        unless_gone(sys::remove_directory(self.base.as_fd(), self.name.as_str()))
    }
}

/// Within the copy, it went with what the source does not hold.
fn unless_gone(result: FsResult<()>) -> FsResult<()> {
    match result {
        Err(error) if error.is_gone() => Ok(()),
        other => other,
    }
}
