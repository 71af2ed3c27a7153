//! How the bytes of shares and snapshots are kept: all that differs between the drivers whose
//! objects lie in a directory. Everything around the bytes (records, access rules, names, locks,
//! sweeps, what survives a crash) is this module's for all of them.

use std::fmt::Debug;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::FsResult;
use super::objects::unless_existing;
use super::sys;
pub(crate) use super::tree::copy::Direction;
use super::tree::copy::copy_tree;
use super::tree::measure::stored_bytes;
use crate::DriverResult;

/// Name of the directory in an object that holds its bytes.
pub(crate) const DATA: &str = "data";

/// What a new object holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// What this directory holds.
    CopyOf(OwnedFd, Direction),
    /// What a later rename brings.
    Later,
    /// What a share or snapshot of this or another backend of the kind holds.
    Replica(Replica),
}

/// What a replica, or a snapshot of one, gets its bytes from.
#[derive(Debug)]
pub(crate) struct Replica {
    /// The bytes.
    pub(crate) source: OwnedFd,
    /// Id of the replica's share instance.
    pub(crate) id: Uuid,
    /// A snapshot of it that came before, there and here.
    pub(crate) before: Option<(OwnedFd, OwnedFd)>,
    /// The replica as it is, and the share that it follows: the directories around their bytes.
    pub(crate) present: Option<OwnedFd>,
    pub(crate) origin: Option<OwnedFd>,
}

/// A way to keep bytes. All calls are blocking; the caller holds the locks.
pub(crate) trait Medium: Debug + Send + Sync + 'static {
    /// Refuses a root that can't be used, before anything is written into it.
    fn check_root(&self, top: BorrowedFd<'_>, path: &str) -> DriverResult<()>;

    /// Fails when what the medium promises does not hold at the moment.
    fn check_health(&self, _top: BorrowedFd<'_>) -> FsResult<()> {
        Ok(())
    }

    /// Makes [`DATA`] in the new `object`, durable or made so by [`Medium::settle`].
    fn make(
        &self,
        object: BorrowedFd<'_>,
        content: Content,
        size_gb: Option<u64>,
        cancel: &Cancel,
    ) -> FsResult<()>;

    /// Makes an empty [`DATA`] to be filled from outside, or keeps what a killed call left of one.
    fn begin(&self, object: BorrowedFd<'_>, _cancel: &Cancel) -> FsResult<()> {
        unless_existing(sys::make_directory(object, DATA))
    }

    /// Keeps a snapshot that was filled from changing.
    fn seal(&self, _object: BorrowedFd<'_>, _cancel: &Cancel) -> FsResult<()> {
        Ok(())
    }

    /// Removes what of the object `name` in `parent` can't be removed file by file. It may be half
    /// made, half removed or not there.
    fn remove(&self, _parent: BorrowedFd<'_>, _name: &str, _cancel: &Cancel) -> FsResult<()> {
        Ok(())
    }

    /// Makes what was renamed in these directories durable, with all that it holds.
    fn settle(&self, directories: &[BorrowedFd<'_>]) -> FsResult<()> {
        directories.iter().try_for_each(|directory| sys::sync(*directory))
    }

    /// Holds the share with these bytes to a size in GiB from now on, if sizes can be enforced.
    fn limit(&self, _data: BorrowedFd<'_>, _size_gb: u64, _cancel: &Cancel) -> FsResult<()> {
        Ok(())
    }

    /// Refuses a directory that can't become the bytes of a share by a rename.
    fn check_import(&self, _data: BorrowedFd<'_>) -> DriverResult<()> {
        Ok(())
    }

    /// Whether [`Content::Replica`] of these bytes of a share, of whichever backend of the kind, costs
    /// less than a copy of the tree and holds all of it.
    fn brings(&self, _data: BorrowedFd<'_>, _cancel: &Cancel) -> FsResult<bool> {
        Ok(false)
    }

    /// Removes what updates of the share `id` left beside its bytes in `object` and beside those in
    /// `origin`, which it was updated from.
    fn forget(
        &self,
        _object: BorrowedFd<'_>,
        _id: Uuid,
        _origin: BorrowedFd<'_>,
        _cancel: &Cancel,
    ) -> FsResult<()> {
        Ok(())
    }

    /// Bytes that count towards the size.
    fn used_bytes(&self, data: OwnedFd, cancel: &Cancel) -> FsResult<u64>;

    /// Part of each sweep.
    fn tidy(&self, _top: BorrowedFd<'_>, _cancel: &Cancel) -> FsResult<()> {
        Ok(())
    }
}

/// Plain directories: a snapshot is a copy of the tree, and sizes are not enforced.
#[derive(Debug)]
pub(super) struct Trees;

impl Medium for Trees {
    fn check_root(&self, _top: BorrowedFd<'_>, _path: &str) -> DriverResult<()> {
        Ok(())
    }

    fn make(
        &self,
        object: BorrowedFd<'_>,
        content: Content,
        _size_gb: Option<u64>,
        cancel: &Cancel,
    ) -> FsResult<()> {
        if matches!(content, Content::Later) {
            return Ok(());
        }
        sys::make_directory(object, DATA)?;
        let data = sys::open_directory(object, DATA)?;
        match content {
            Content::Later => Ok(()),
            Content::Empty => {
                open_to_everybody(data.as_fd())?;
                sys::sync(data.as_fd())
            }
            Content::CopyOf(source, direction) => {
                copy_tree(source, data, object, direction, cancel)
            }
            Content::Replica(replica) => {
                copy_tree(replica.source, data, object, Direction::Keep, cancel)
            }
        }
    }

    fn used_bytes(&self, data: OwnedFd, cancel: &Cancel) -> FsResult<u64> {
        stored_bytes(data, cancel)
    }
}

/// Any user of the export may write; nobody else gets past the directories above.
pub(crate) fn open_to_everybody(data: BorrowedFd<'_>) -> FsResult<()> {
    let everybody = Mode::RWXU | Mode::RWXG | Mode::RWXO;
    sys::change("set the mode of", DATA, || rustix::fs::fchmod(data, everybody))
}
