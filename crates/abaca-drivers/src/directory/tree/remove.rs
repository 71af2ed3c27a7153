//! Removes whole trees. Symlinks are removed, never followed.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode};
use rustix::io::Errno;
use rustix::path::Arg;

use super::super::cancel::Cancel;
use super::super::failure::{FsError, FsResult};
use super::super::sys;
use super::{Visitor, walk};

/// How often a tree is walked when it fills up again meanwhile (a file server may hold files open).
const ROUNDS: u32 = 4;

/// Removes the entry `name` with all that is in it. It must lie where nobody makes new entries.
pub(crate) fn remove_tree(parent: BorrowedFd<'_>, name: impl Arg, cancel: &Cancel) -> FsResult<()> {
    let name = c_name(name)?;
    for _ in 0..ROUNDS {
        match remove_once(parent, &name, cancel) {
            Err(error) if error.errno() == Some(Errno::NOTEMPTY) => {}
            Err(error) if error.errno() == Some(Errno::NOENT) => return Ok(()),
            other => return other,
        }
    }
    Err(FsError::StillFilling { name: name.to_string_lossy().into_owned() })
}

fn remove_once(parent: BorrowedFd<'_>, name: &CStr, cancel: &Cancel) -> FsResult<()> {
    if sys::meta(parent, name)?.kind != FileType::Directory {
        return sys::remove_file(parent, name);
    }
    let top = open_writable(parent, name)?;
    walk(top, &mut Remover, cancel)?;
    sys::remove_directory(parent, name)
}

fn c_name(name: impl Arg) -> FsResult<CString> {
    let text = name.to_string_lossy().into_owned();
    name.into_c_str()
        .map(|name| name.into_owned())
        .map_err(|_| FsError::Damaged { what: format!("{text:?} is no file name") })
}

struct Remover;

impl Visitor for Remover {
    fn open(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> FsResult<OwnedFd> {
        open_writable(parent, name)
    }

    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, _kind: FileType) -> FsResult<()> {
        match sys::remove_file(parent, name) {
            // It became a directory; the next round finds it.
            Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::ISDIR)) => Ok(()),
            other => other,
        }
    }

    fn left(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> FsResult<()> {
        match sys::remove_directory(parent, name) {
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(()),
            other => other,
        }
    }
}

/// Opens a directory in which entries come and go, after giving its owner the right to do so.
pub(crate) fn open_writable(parent: BorrowedFd<'_>, name: &CStr) -> FsResult<OwnedFd> {
    let directory = match sys::open_directory(parent, name) {
        Err(error) if error.errno() == Some(Errno::ACCESS) => {
            let reference = sys::refer_to_directory(parent, name)?;
            // fchmod refuses such a descriptor; the kernel's own link to it does not.
            let path = format!("/proc/self/fd/{}", reference.as_raw_fd());
            sys::change("make writable", name, || rustix::fs::chmod(path.as_str(), Mode::RWXU))?;
            sys::open_directory(parent, name)?
        }
        other => other?,
    };
    make_writable(directory.as_fd(), name)?;
    Ok(directory)
}

/// Gives the owner of a directory the right to change what is in it.
pub(super) fn make_writable(directory: BorrowedFd<'_>, name: &CStr) -> FsResult<()> {
    if sys::meta_of(directory)?.mode & 0o700 == 0o700 {
        return Ok(());
    }
    sys::change("make writable", name, || rustix::fs::fchmod(directory, Mode::RWXU))
}
