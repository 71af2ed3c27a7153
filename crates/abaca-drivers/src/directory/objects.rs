//! Makes, replaces and removes shares and snapshots. Blocking; the caller holds the locks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use serde::Serialize;
use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsResult, Stop};
use super::medium::Content;
use super::mount::{self, MOUNT};
use super::records::{ACCESS, Kind, RECORD};
use super::root::{Root, read_small_file, to_json, write_file};
use super::sys;
use super::tree::remove::{open_writable, remove_tree};
/// What is made.
pub(super) struct New<'a, R> {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    /// Kept beside the bytes.
    pub(super) record: &'a R,
    pub(super) content: Content,
    /// The size limit in GiB of a share.
    pub(super) size_gb: Option<u64>,
    /// The name by which the bytes can be reached too.
    pub(super) mount_point_name: Option<&'a str>,
}

/// What is made of bytes that take long to come.
pub(super) struct Resumed<'a, R> {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    /// Kept beside the bytes.
    pub(super) record: &'a R,
    /// The size limit in GiB of a share.
    pub(super) size_gb: Option<u64>,
    /// The name by which the bytes can be reached too.
    pub(super) mount_point_name: Option<&'a str>,
}

impl Root {
    /// Makes an object that does not exist. It appears complete and durable, or not at all.
    pub(super) fn make(&self, new: New<'_, impl Serialize>, cancel: &Cancel) -> FsResult<()> {
        self.check_still_there()?;
        let (kind, id) = (new.kind, new.id);
        let name = kind.working_name(id);
        self.discard(self.tmp.as_fd(), &name, cancel)?;
        let made = self.make_in_tmp(&name, new, cancel).and_then(|()| {
            sys::rename(self.tmp.as_fd(), &*name, self.container(kind), id.to_string().as_str())
        });
        if let Err(error) = made {
            self.give_back(&name, cancel);
            return Err(error);
        }
        self.settle(kind)
    }

    /// Replaces a complete object, but for its access rules. It is the old or the new one at every
    /// moment.
    pub(super) fn replace(&self, new: New<'_, impl Serialize>, cancel: &Cancel) -> FsResult<()> {
        self.check_still_there()?;
        let (kind, id) = (new.kind, new.id);
        let name = kind.working_name(id);
        if sys::exists(self.tmp.as_fd(), name.as_str())? {
            // It may be what an earlier exchange took away.
            self.settle(kind)?;
            self.discard(self.tmp.as_fd(), &name, cancel)?;
        }
        let exchanged = self
            .make_in_tmp(&name, new, cancel)
            .and_then(|()| self.copy_access_to_tmp(kind, id, &name))
            .and_then(|()| {
                let id = id.to_string();
                sys::exchange(self.tmp.as_fd(), &*name, self.container(kind), id.as_str())
            });
        if exchanged.is_ok() {
            // Until it is durable the disk names the old object: it must not go before.
            self.settle(kind)?;
        }
        self.give_back(&name, cancel);
        exchanged
    }

    /// Gives the space of something unfinished or replaced back at once; what this leaves, the next
    /// attempt or sweep removes.
    fn give_back(&self, name: &str, cancel: &Cancel) {
        if let Err(leftover) = self.discard(self.tmp.as_fd(), name, cancel) {
            tracing::warn!(error = %leftover, name, "a leftover stays until the sweep");
        }
    }

    /// Whether this file system can exchange two directories in one change. An error when that
    /// could not be found out.
    pub(super) fn can_exchange(&self) -> FsResult<bool> {
        let id = Uuid::new_v4();
        // Names that a sweep knows, should this process be killed here.
        let (one, other) = (Kind::Share.working_name(id), Kind::Snapshot.working_name(id));
        let tmp = self.tmp.as_fd();
        let tried = sys::make_directory(tmp, one.as_str())
            .and_then(|()| sys::make_directory(tmp, other.as_str()))
            .and_then(|()| sys::exchange(tmp, one.as_str(), tmp, other.as_str()));
        for name in [&one, &other] {
            // What stays is removed by the next sweep.
            let _ = sys::remove_directory(tmp, name.as_str());
        }
        match tried {
            Err(error)
                if matches!(
                    error.errno(),
                    Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
                ) =>
            {
                Ok(false)
            }
            tried => tried.map(|()| true),
        }
    }

    /// Makes the appearance or disappearance of objects of this kind durable.
    pub(super) fn settle(&self, kind: Kind) -> FsResult<()> {
        self.medium.settle(&[self.container(kind), self.tmp.as_fd()])
    }

    /// Removes what is in `tmp` or `trash`: an object, or a part of one.
    pub(super) fn discard(
        &self,
        directory: BorrowedFd<'_>,
        name: &str,
        cancel: &Cancel,
    ) -> FsResult<()> {
        self.medium.remove(directory, name, cancel)?;
        remove_tree(directory, name, cancel)
    }

    /// As [`Root::make`], of bytes that `fill` brings into the directory that it is given, with one
    /// beside it for its own use; when it was interrupted, that holds what it has brought already,
    /// unless a sweep came between that was not told to leave it.
    pub(super) fn make_resumed(
        &self,
        new: &Resumed<'_, impl Serialize>,
        cancel: &Cancel,
        fill: impl FnOnce(&OwnedFd, BorrowedFd<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.check_still_there()?;
        let Resumed { kind, id, record, size_gb, mount_point_name } = *new;
        let name = kind.working_name(id);
        unless_existing(sys::make_directory(self.tmp.as_fd(), name.as_str()))?;
        let object = sys::open_directory(self.tmp.as_fd(), name.as_str())?;
        remove_tree(object.as_fd(), RECORD, &Cancel::default())?;
        write_file(object.as_fd(), RECORD, &to_json(record)?)?;
        if let Some(name) = mount_point_name {
            remove_tree(object.as_fd(), MOUNT, &Cancel::default())?;
            mount::make(object.as_fd(), name)?;
        }
        self.medium.begin(object.as_fd(), cancel)?;
        let data = open_writable(object.as_fd(), c"data")?;
        if let Some(size_gb) = size_gb {
            self.medium.limit(data.as_fd(), size_gb, cancel)?;
        }
        fill(&data, object.as_fd())?;
        if kind == Kind::Snapshot {
            self.medium.seal(object.as_fd(), cancel)?;
        }
        sys::sync(object.as_fd())?;
        sys::rename(
            self.tmp.as_fd(),
            name.as_str(),
            self.container(kind),
            id.to_string().as_str(),
        )?;
        Ok(self.settle(kind)?)
    }

    fn make_in_tmp(
        &self,
        name: &str,
        new: New<'_, impl Serialize>,
        cancel: &Cancel,
    ) -> FsResult<()> {
        sys::make_directory(self.tmp.as_fd(), name)?;
        let object = sys::open_directory(self.tmp.as_fd(), name)?;
        write_file(object.as_fd(), RECORD, &to_json(new.record)?)?;
        if let Some(name) = new.mount_point_name {
            mount::make(object.as_fd(), name)?;
        }
        self.medium.make(object.as_fd(), new.content, new.size_gb, cancel)?;
        sys::sync(object.as_fd())
    }

    /// Gives what is being made in place of an object the object's access rules.
    fn copy_access_to_tmp(&self, kind: Kind, id: Uuid, name: &str) -> FsResult<()> {
        let Some(old) = self.open_object(kind, id)? else { return Ok(()) };
        let content = match read_small_file(old.as_fd(), ACCESS) {
            Err(error) if error.is_gone() => return Ok(()),
            other => other?,
        };
        let new = sys::open_directory(self.tmp.as_fd(), name)?;
        write_file(new.as_fd(), ACCESS, &content)?;
        sys::sync(new.as_fd())
    }

    /// Removes an object, whatever state a crash left it in.
    pub(super) fn remove(&self, kind: Kind, id: Uuid, cancel: &Cancel) -> FsResult<()> {
        let name = kind.working_name(id);
        self.discard(self.tmp.as_fd(), &name, cancel)?;
        for file in ["record", "access"] {
            remove_tree(self.tmp.as_fd(), format!("{file}-{id}"), cancel)?;
        }
        self.discard(self.trash.as_fd(), &name, cancel)?;
        let id = id.to_string();
        if sys::exists(self.container(kind), id.as_str())? {
            sys::rename(self.container(kind), id.as_str(), self.trash.as_fd(), name.as_str())?;
            self.medium.settle(&[self.container(kind), self.trash.as_fd()])?;
        }
        self.discard(self.trash.as_fd(), &name, cancel)
    }
}

/// What is to be made may be there already.
pub(super) fn unless_existing(result: FsResult<()>) -> FsResult<()> {
    match result {
        Err(error) if error.already_exists() => Ok(()),
        other => other,
    }
}
