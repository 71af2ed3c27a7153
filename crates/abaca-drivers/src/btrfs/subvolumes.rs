//! The bytes of each share and snapshot in a subvolume.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::FileType;
use rustix::io::Errno;
use uuid::Uuid;

use super::NAME;
use super::command::{Said, change, look, path_of};
use super::transfer::{forget, remove_old, transfer};
use crate::directory::GIB;
use crate::directory::cancel::Cancel;
use crate::directory::failure::{FsError, FsResult};
use crate::directory::medium::{Content, DATA, Direction, Medium, Replica, open_to_everybody};
use crate::directory::root::wrong_root;
use crate::directory::sys::{self, Meta};
use crate::{DriverError, DriverResult};

const BTRFS_SUPER_MAGIC: u32 = 0x9123_683e;
/// The inode of the top of every subvolume, and of nothing else.
const TOP_INODE: u64 = 256;
const SHOW: &[&str] = &["qgroup", "show", "--raw", "-f", "."];
const SHOW_PRESENT: &[&str] = &["qgroup", "show", "--raw", "--sync", "-f", "."];

/// Subvolumes with qgroups.
#[derive(Debug)]
pub(super) struct Subvolumes;

impl Medium for Subvolumes {
    fn check_root(&self, top: BorrowedFd<'_>, path: &str) -> DriverResult<()> {
        let doing = || format!("looking at the file system of {path}");
        let found = sys::call("look at", path, || rustix::fs::fstatfs(top));
        let found = found.map_err(|error| error.while_doing(doing()))?;
        // Signed on some architectures, and narrower on others.
        if found.f_type as u32 != BTRFS_SUPER_MAGIC {
            return Err(wrong_root(format!("{path} is not on a btrfs file system")));
        }
        if !rustix::process::geteuid().is_root() {
            let problem = "only root can hold subvolumes to a size: start the service as root";
            return Err(DriverError::InvalidInput { field: "driver", problem: problem.into() });
        }
        match look(top, SHOW) {
            Ok(_) => Ok(()),
            Err(FsError::Command { said, .. }) if said.contains("not enabled") => {
                let problem = format!(
                    "{path} is on a btrfs file system without quotas, where no share could be held \
                     to its size: run btrfs quota enable {path}"
                );
                Err(wrong_root(problem))
            }
            Err(error) => Err(error.while_doing(doing())),
        }
    }

    fn check_health(&self, top: BorrowedFd<'_>) -> FsResult<()> {
        look(top, SHOW).map(drop)
    }

    fn make(
        &self,
        object: BorrowedFd<'_>,
        content: Content,
        size_gb: Option<u64>,
        cancel: &Cancel,
    ) -> FsResult<()> {
        match &content {
            Content::Later => return Ok(()),
            Content::Empty => change(object, &["subvolume", "create", DATA], cancel)?,
            Content::CopyOf(source, direction) => {
                // Else the kernel does it while it holds up whoever writes to the share.
                sys::sync_file_system(source.as_fd())?;
                let from = path_of(source.as_fd());
                let mut arguments = vec!["subvolume", "snapshot"];
                arguments.extend((*direction == Direction::Freeze).then_some("-r"));
                arguments.extend([from.as_str(), DATA]);
                change(object, &arguments, cancel)?;
            }
            Content::Replica(replica) => take_over(object, replica, size_gb.is_none(), cancel)?,
        }
        let data = sys::open_directory(object, DATA)?;
        if matches!(content, Content::Empty) {
            open_to_everybody(data.as_fd())?;
        }
        size_gb.map_or(Ok(()), |size_gb| self.limit(data.as_fd(), size_gb, cancel))
    }

    fn begin(&self, object: BorrowedFd<'_>, cancel: &Cancel) -> FsResult<()> {
        match sys::exists(object, DATA)? {
            true => freeze(object, DATA, false, cancel),
            false => change(object, &["subvolume", "create", DATA], cancel),
        }
    }

    fn seal(&self, object: BorrowedFd<'_>, cancel: &Cancel) -> FsResult<()> {
        freeze(object, DATA, true, cancel)
    }

    fn remove(&self, parent: BorrowedFd<'_>, name: &str, cancel: &Cancel) -> FsResult<()> {
        let object = match sys::open_directory(parent, name) {
            Err(error) if error.is_gone() => return Ok(()),
            opened => opened?,
        };
        for subvolume in subvolumes_in(object.as_fd())? {
            ensure_not_mounted(name)?;
            match change(object.as_fd(), &["subvolume", "delete", &subvolume], cancel) {
                // A tenant made subvolumes inside. What can be written to is removed file by file.
                Err(error) if error.errno() == Some(Errno::NOTEMPTY) => {
                    freeze(object.as_fd(), &subvolume, false, cancel)?;
                }
                deleted => deleted?,
            }
        }
        Ok(())
    }

    /// All or nothing of a subvolume's making is durable, but not at which time. So once, for all.
    fn settle(&self, directories: &[BorrowedFd<'_>]) -> FsResult<()> {
        directories.first().map_or(Ok(()), |directory| sys::sync_file_system(*directory))
    }

    fn limit(&self, data: BorrowedFd<'_>, size_gb: u64, cancel: &Cancel) -> FsResult<()> {
        if !is_subvolume(&sys::meta_of(data)?) {
            return Err(FsError::Damaged { what: format!("{DATA} is not a subvolume") });
        }
        let bytes = size_gb.saturating_mul(GIB).to_string();
        // Said from outside: within a subvolume that is full the kernel refuses this change too.
        let group = format!("0/{}", look(data, &["inspect-internal", "rootid", "."])?.output);
        let object = sys::open_parent(data)?;
        change(object.as_fd(), &["qgroup", "limit", &bytes, &group, "."], cancel)
    }

    fn check_import(&self, data: BorrowedFd<'_>) -> DriverResult<()> {
        if sys::meta_of(data).is_ok_and(|meta| is_subvolume(&meta)) {
            return Ok(());
        }
        let problem = "expected a subvolume, which a size can be enforced on".into();
        Err(DriverError::InvalidInput { field: "export_path", problem })
    }

    /// A subvolume inside would be an empty directory.
    fn brings(&self, data: BorrowedFd<'_>, _cancel: &Cancel) -> FsResult<bool> {
        let is_one = is_subvolume(&sys::meta_of(data)?);
        Ok(is_one && look(data, &["subvolume", "list", "-o", "."])?.output.is_empty())
    }

    fn forget(
        &self,
        object: BorrowedFd<'_>,
        id: Uuid,
        origin: BorrowedFd<'_>,
        cancel: &Cancel,
    ) -> FsResult<()> {
        forget(object, id, origin, cancel)
    }

    fn used_bytes(&self, data: OwnedFd, _cancel: &Cancel) -> FsResult<u64> {
        let said = look(data.as_fd(), SHOW_PRESENT)?;
        if is_stale(&said) {
            return Err(FsError::Command {
                command: "btrfs qgroup show".to_owned(),
                said: format!("what is used is not known yet: {}", said.warnings),
                errno: Some(Errno::AGAIN),
            });
        }
        referenced(&said.output).ok_or_else(|| FsError::Command {
            command: "btrfs qgroup show".to_owned(),
            said: format!("expected a line of numbers, got {:?}", said.output),
            errno: None,
        })
    }

    /// Some of the kernel's own work (a balance, the deletion of a large subvolume) leaves quotas to
    /// be counted anew.
    fn tidy(&self, top: BorrowedFd<'_>, cancel: &Cancel) -> FsResult<()> {
        if look(top, SHOW)?.warnings.contains("inconsistent") {
            tracing::warn!(driver = NAME, "quotas are inconsistent; counting them anew");
            change(top, &["quota", "rescan", "."], cancel)?;
        }
        // Older kernels keep a qgroup of each deleted subvolume. It does no harm, and older commands
        // can't remove it.
        if let Err(error) = change(top, &["qgroup", "clear-stale", "."], cancel) {
            tracing::debug!(driver = NAME, %error, "qgroups of deleted subvolumes may stay");
        }
        remove_old(top, cancel)
    }
}

/// Brings the bytes of a source: a snapshot where it can be one, else what was sent.
fn take_over(
    object: BorrowedFd<'_>,
    replica: &Replica,
    is_snapshot: bool,
    cancel: &Cancel,
) -> FsResult<()> {
    let source = replica.source.as_fd();
    sys::sync_file_system(source)?;
    let from = path_of(source);
    let mut arguments = vec!["subvolume", "snapshot"];
    arguments.extend(is_snapshot.then_some("-r"));
    arguments.extend([from.as_str(), DATA]);
    match change(object, &arguments, cancel) {
        Err(error) if error.errno() == Some(Errno::XDEV) => {
            transfer(object, replica, is_snapshot, cancel)
        }
        taken => taken,
    }
}

/// Makes a subvolume in `object` read-only, or lets it be written to.
fn freeze(object: BorrowedFd<'_>, name: &str, is_frozen: bool, cancel: &Cancel) -> FsResult<()> {
    let is_frozen = is_frozen.to_string();
    change(object, &["property", "set", "-f", "-t", "subvol", name, "ro", &is_frozen], cancel)
}

/// Names of the subvolumes that lie in this directory.
pub(super) fn subvolumes_in(directory: BorrowedFd<'_>) -> FsResult<Vec<String>> {
    let mut names = Vec::new();
    sys::read_directory(directory, |name, _| {
        let is_one = match sys::meta(directory, name) {
            Err(error) if error.is_gone() => false,
            meta => is_subvolume(&meta?),
        };
        names.extend(is_one.then(|| name.to_string_lossy().into_owned()));
        Ok(())
    })?;
    Ok(names)
}

fn is_subvolume(meta: &Meta) -> bool {
    meta.kind == FileType::Directory && meta.identity.2 == TOP_INODE
}

/// The numbers are old, or incomplete while they are counted anew.
fn is_stale(said: &Said) -> bool {
    ["inconsistent", "rescan"].iter().any(|word| said.warnings.contains(word))
}

/// The second column of the line for the subvolume itself, in bytes.
fn referenced(table: &str) -> Option<u64> {
    let mut columns = table.lines().map(str::split_whitespace).filter_map(|mut columns| {
        let group = columns.next()?;
        group.starts_with("0/").then(|| columns.next()?.parse().ok()).flatten()
    });
    columns.next()
}

/// The kernel would delete a subvolume that is mounted elsewhere, under whoever reads from it.
fn ensure_not_mounted(name: &str) -> FsResult<()> {
    let id = name.split_once('-').map_or(name, |(_, id)| id);
    let mounts =
        std::fs::read_to_string("/proc/self/mountinfo").map_err(|error| FsError::Call {
            action: "read",
            name: "/proc/self/mountinfo".to_owned(),
            source: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        })?;
    for mount in mounts.lines() {
        let mut fields = mount.split(' ').skip(3);
        if let (Some(root), Some(point)) = (fields.next(), fields.next())
            && root.contains(id)
        {
            return Err(FsError::Mounted { name: name.to_owned(), point: point.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::referenced;

    #[test]
    fn the_usage_is_read_from_the_table() {
        let table = "Qgroupid    Referenced    Exclusive   Path \n--------    ----------\n\
                     1/100       7   7   <a>\n0/256   20955136   16384   a b";
        assert_eq!(referenced(table), Some(20_955_136));
        assert_eq!(referenced("Qgroupid Referenced"), None);
        assert_eq!(referenced("0/256 none"), None);
    }
}
