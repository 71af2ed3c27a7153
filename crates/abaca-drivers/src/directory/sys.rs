//! The system calls of this driver, each with the name of what it failed on.
//!
//! Every name is a single component or a path of the driver's own names, opened relative to a
//! directory descriptor with openat2, so that no symlink and no mount point leads elsewhere.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags, Timespec};
use rustix::io::Errno;
use rustix::path::Arg;

use super::failure::{FsError, FsResult};

/// How often a call is repeated when the kernel asks for it (interrupted, or racing a rename).
const ATTEMPTS: u32 = 16;

/// The parts of statx that are used here, in types that are the same on every architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Device and inode.
    pub(crate) identity: (u32, u32, u64),
    pub(crate) kind: FileType,
    /// Permission bits, with set-user-id, set-group-id and sticky.
    pub(crate) mode: u32,
    pub(crate) links: u32,
    pub(crate) owner: (u32, u32),
    /// Bytes from the start to the end, holes included.
    pub(crate) size: u64,
    /// Bytes that are really stored.
    pub(crate) stored: u64,
    pub(crate) device: (u32, u32),
    pub(crate) accessed: (i64, u32),
    pub(crate) modified: (i64, u32),
    /// When anything of it was changed last; nobody can set this.
    pub(crate) changed: (i64, u32),
    pub(crate) is_mount_point: bool,
}

impl From<Statx> for Meta {
    fn from(stat: Statx) -> Self {
        let mode = u32::from(stat.stx_mode);
        Self {
            identity: (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino),
            kind: FileType::from_raw_mode(mode),
            mode: mode & 0o7777,
            links: stat.stx_nlink,
            owner: (stat.stx_uid, stat.stx_gid),
            size: stat.stx_size,
            stored: stat.stx_blocks.saturating_mul(512),
            device: (stat.stx_rdev_major, stat.stx_rdev_minor),
            accessed: (stat.stx_atime.tv_sec, stat.stx_atime.tv_nsec),
            modified: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            changed: (stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
            is_mount_point: stat.stx_attributes.contains(rustix::fs::StatxAttributes::MOUNT_ROOT),
        }
    }
}

impl Meta {
    pub(super) fn times(&self) -> rustix::fs::Timestamps {
        let time = |(seconds, nanoseconds): (i64, u32)| Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds.into(),
        };
        rustix::fs::Timestamps {
            last_access: time(self.accessed),
            last_modification: time(self.modified),
        }
    }
}

/// Names the entry that a call failed on, and repeats the call when it was interrupted.
pub(crate) fn call<T>(
    action: &'static str,
    name: impl Arg,
    mut work: impl FnMut() -> Result<T, Errno>,
) -> FsResult<T> {
    let mut attempt = 1;
    loop {
        match work() {
            Err(Errno::INTR | Errno::AGAIN) if attempt < ATTEMPTS => attempt += 1,
            Err(source) => {
                let name = name.to_string_lossy().into_owned();
                return Err(FsError::Call { action, name, source });
            }
            Ok(value) => return Ok(value),
        }
    }
}

/// Like [`call`], for what changes the file system: a point where a test can kill the process.
pub(crate) fn change<T>(
    action: &'static str,
    name: impl Arg,
    work: impl FnMut() -> Result<T, Errno>,
) -> FsResult<T> {
    super::kill_point::hit();
    call(action, name, work)
}

fn open(
    directory: BorrowedFd<'_>,
    name: impl Arg + Copy,
    flags: OFlags,
    mode: Mode,
) -> FsResult<OwnedFd> {
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    call("open", name, || rustix::fs::openat2(directory, name, flags, mode, resolve))
}

/// Opens for reading that leaves no trace in the access time, where that is permitted: to root, and
/// to the owner.
fn open_to_read(parent: BorrowedFd<'_>, name: impl Arg + Copy, flags: OFlags) -> FsResult<OwnedFd> {
    let flags = OFlags::RDONLY | flags;
    match open(parent, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(error) if error.errno() == Some(Errno::PERM) => {
            open(parent, name, flags, Mode::empty())
        }
        opened => opened,
    }
}

pub(crate) fn open_directory(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<OwnedFd> {
    open_to_read(parent, name, OFlags::DIRECTORY)
}

/// Opens for reading. Never waits, whatever a tenant put there meanwhile (a FIFO, a lease).
pub(super) fn open_file(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<OwnedFd> {
    open_to_read(parent, name, OFlags::NONBLOCK)
}

/// Refers to a directory that may not be readable.
pub(super) fn refer_to_directory(
    parent: BorrowedFd<'_>,
    name: impl Arg + Copy,
) -> FsResult<OwnedFd> {
    open(parent, name, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
}

/// Another descriptor of the same open file.
pub(super) fn duplicate(file: BorrowedFd<'_>) -> FsResult<OwnedFd> {
    call("duplicate", ".", || rustix::io::fcntl_dupfd_cloexec(file, 0))
}

/// The parent of an open directory. The caller checks that it is the expected one.
pub(crate) fn open_parent(directory: BorrowedFd<'_>) -> FsResult<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open =
        |flags| call("open", "..", || rustix::fs::openat(directory, "..", flags, Mode::empty()));
    match open(flags | OFlags::NOATIME) {
        Err(error) if error.errno() == Some(Errno::PERM) => open(flags),
        opened => opened,
    }
}

pub(super) fn create_file(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<OwnedFd> {
    super::kill_point::hit();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    open(parent, name, flags, Mode::RUSR | Mode::WUSR)
}

/// Opens a lock file, making it if it is missing.
pub(super) fn open_lock_file(parent: BorrowedFd<'_>, name: &str) -> FsResult<OwnedFd> {
    super::kill_point::hit();
    open(parent, name, OFlags::RDWR | OFlags::CREATE, Mode::RUSR | Mode::WUSR)
}

/// Makes a directory that only the service may enter.
pub(crate) fn make_directory(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<()> {
    change("make directory", name, || rustix::fs::mkdirat(parent, name, Mode::RWXU))
}

/// A symbolic link `name` that leads to `target`.
pub(super) fn link(parent: BorrowedFd<'_>, name: &str, target: &str) -> FsResult<()> {
    change("link", name, || rustix::fs::symlinkat(target, parent, name))
}

/// Where a symbolic link leads.
pub(super) fn read_link(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<CString> {
    call("read the link", name, || rustix::fs::readlinkat(parent, name, Vec::new()))
}

pub(crate) fn meta(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<Meta> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    call("look at", name, || rustix::fs::statx(parent, name, flags, StatxFlags::BASIC_STATS))
        .map(Meta::from)
}

pub(crate) fn meta_of(file: BorrowedFd<'_>) -> FsResult<Meta> {
    call("look at", ".", || {
        rustix::fs::statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)
    })
    .map(Meta::from)
}

pub(crate) fn exists(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<bool> {
    match meta(parent, name) {
        Ok(_) => Ok(true),
        Err(error) if error.is_gone() => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn rename(
    from: BorrowedFd<'_>,
    old: impl Arg + Copy,
    to: BorrowedFd<'_>,
    new: impl Arg + Copy,
) -> FsResult<()> {
    change("rename", old, || rustix::fs::renameat(from, old, to, new))
}

/// Swaps two entries, in one change.
pub(super) fn exchange(
    from: BorrowedFd<'_>,
    old: impl Arg + Copy,
    to: BorrowedFd<'_>,
    new: impl Arg + Copy,
) -> FsResult<()> {
    let flags = rustix::fs::RenameFlags::EXCHANGE;
    change("exchange", old, || rustix::fs::renameat_with(from, old, to, new, flags))
}

pub(super) fn remove_file(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<()> {
    change("remove", name, || rustix::fs::unlinkat(parent, name, AtFlags::empty()))
}

pub(super) fn remove_directory(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> FsResult<()> {
    change("remove directory", name, || rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR))
}

pub(super) fn sync(file: BorrowedFd<'_>) -> FsResult<()> {
    change("sync", ".", || {
        #[cfg(test)]
        super::kill_point::sick_disk::strike()?;
        rustix::fs::fsync(file)
    })
}

pub(crate) fn sync_file_system(file: BorrowedFd<'_>) -> FsResult<()> {
    change("sync the file system of", ".", || rustix::fs::syncfs(file))
}

/// Calls `each` with every entry of a directory but `.` and `..`.
pub(crate) fn read_directory(
    directory: BorrowedFd<'_>,
    mut each: impl FnMut(&std::ffi::CStr, FileType) -> FsResult<()>,
) -> FsResult<()> {
    let mut stream = call("read directory", ".", || Dir::read_from(directory))?;
    while let Some(entry) = stream.read() {
        let entry = call("read directory", ".", || entry.as_ref().map_err(|error| *error))?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match meta(directory, name) {
                Ok(meta) => meta.kind,
                Err(error) if error.is_gone() => continue,
                Err(error) => return Err(error),
            },
            known => known,
        };
        each(name, kind)?;
    }
    Ok(())
}

/// Writes all of `content` at the start of a new file.
pub(super) fn write_all(file: impl AsFd, name: &str, content: &[u8]) -> FsResult<()> {
    let mut written = 0;
    while written < content.len() {
        let rest = content.get(written..).unwrap_or_default();
        written += change("write", name, || rustix::io::write(file.as_fd(), rest))?;
    }
    Ok(())
}
