//! Owners, modes, times and extended attributes of copied entries.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, FileType, Gid, Mode, Uid, XattrFlags};
use rustix::io::Errno;

use super::super::failure::{FsError, FsResult};
use super::super::sys::{self, Meta};

/// Keeps the mode of a file or directory whose write permissions were taken away in a snapshot.
/// The name is reserved: an attribute of that name in a share is not copied.
const MODE_ATTRIBUTE: &CStr = c"user.abaca.mode";

/// The kernel's limit on a list of attribute names, and on one value.
const ATTRIBUTE_LIMIT: usize = 65536;

/// With so many bytes free, a file system has room for an attribute.
const ROOM: u64 = 1 << 24;

/// How the names of the attributes begin that hold ACLs.
const ACL: &[u8] = b"system.posix_acl_";

/// Set-user-id and set-group-id.
pub(super) const SET_ID_BITS: u32 = 0o6000;

/// Which way a tree is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into a snapshot: write permissions are taken away and remembered.
    Freeze,
    /// Out of a snapshot: they are given back.
    Thaw,
    /// Between two shares or two snapshots: everything stays as it is.
    Keep,
}

/// Copies the metadata of an open file or directory; the times come last.
pub(super) struct MetadataCopier {
    direction: Direction,
    /// What the other file system can't hold is left out.
    leaves_out: bool,
    names: Vec<u8>,
    value: Vec<u8>,
}

impl MetadataCopier {
    pub(super) fn new(direction: Direction) -> Self {
        let buffer = || Vec::with_capacity(ATTRIBUTE_LIMIT);
        Self { direction, leaves_out: false, names: buffer(), value: buffer() }
    }

    /// To a file system that may be another: attributes that it can't hold are left out.
    pub(super) fn to_elsewhere() -> Self {
        Self { leaves_out: true, ..Self::new(Direction::Keep) }
    }

    pub(super) fn copy(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        meta: &Meta,
        name: &CStr,
    ) -> FsResult<()> {
        // The owner before the attributes: a new owner loses file capabilities.
        let given = permitted(sys::change("give to its owner", name, || {
            let (user, group) = owner(meta);
            rustix::fs::fchown(to, user, group)
        }))?;
        let kept_mode = self.copy_attributes(from, to, meta, name)?;
        let mode = match self.direction {
            Direction::Freeze => freeze(to, meta.mode, name)?,
            Direction::Thaw | Direction::Keep => kept_mode.unwrap_or(meta.mode),
        };
        let mode = if given { mode } else { mode & !SET_ID_BITS };
        sys::change("set the mode of", name, || rustix::fs::fchmod(to, Mode::from_raw_mode(mode)))?;
        sys::change("set the times of", name, || rustix::fs::futimens(to, &meta.times()))
    }

    /// Copies all attributes, the reserved one only between equals; returns the mode that one
    /// remembers, if it is not in the copy.
    fn copy_attributes(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        meta: &Meta,
        name: &CStr,
    ) -> FsResult<Option<u32>> {
        self.names.clear();
        let listed = sys::call("list the attributes of", name, || {
            rustix::fs::flistxattr(from, spare_capacity(&mut self.names))
        });
        match listed {
            Err(error) if error.errno() == Some(Errno::NOTSUP) => return Ok(None),
            other => other?,
        };
        let mut mode = None;
        let names = std::mem::take(&mut self.names);
        for attribute in names.split_inclusive(|byte| *byte == 0) {
            let Ok(attribute) = CStr::from_bytes_with_nul(attribute) else { continue };
            self.value.clear();
            let got = sys::call("read an attribute of", name, || {
                rustix::fs::fgetxattr(from, attribute, spare_capacity(&mut self.value))
            });
            match got {
                // Removed meanwhile, or not ours to see.
                Err(error)
                    if matches!(
                        error.errno(),
                        Some(Errno::NODATA | Errno::PERM | Errno::ACCESS | Errno::NOTSUP)
                    ) =>
                {
                    continue;
                }
                other => other?,
            };
            if attribute == MODE_ATTRIBUTE && self.direction != Direction::Keep {
                mode = parse_mode(&self.value);
                continue;
            }
            if !self.set_attribute(to, attribute, name)? && attribute == MODE_ATTRIBUTE {
                mode = unfrozen(&self.value, meta.mode);
            }
        }
        self.names = names;
        Ok(mode)
    }

    /// Whether it is there now; it may be left out.
    fn set_attribute(&self, to: BorrowedFd<'_>, attribute: &CStr, name: &CStr) -> FsResult<bool> {
        let is_tenants = attribute.to_bytes().starts_with(b"user.");
        match set_attribute(to, attribute, &self.value, name) {
            Err(error) if self.leaves_out && can_not_be_held(to, &error) => Ok(false),
            // Only root may set trusted and security attributes.
            Err(error)
                if !is_tenants
                    && matches!(
                        error.errno(),
                        Some(Errno::PERM | Errno::ACCESS | Errno::NOTSUP | Errno::INVAL)
                    ) =>
            {
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }
}

/// What tenants set of attributes and ACLs on an open file or directory.
pub(super) fn tenants_attributes(
    file: BorrowedFd<'_>,
    name: &CStr,
) -> FsResult<BTreeMap<CString, Vec<u8>>> {
    let mut names = Vec::with_capacity(ATTRIBUTE_LIMIT);
    let listed = sys::call("list the attributes of", name, || {
        rustix::fs::flistxattr(file, spare_capacity(&mut names))
    });
    match listed {
        Err(error) if error.errno() == Some(Errno::NOTSUP) => return Ok(BTreeMap::new()),
        other => other?,
    };
    let mut attributes = BTreeMap::new();
    for attribute in names.split_inclusive(|byte| *byte == 0) {
        let Ok(attribute) = CStr::from_bytes_with_nul(attribute) else { continue };
        if !attribute.to_bytes().starts_with(b"user.") && !attribute.to_bytes().starts_with(ACL) {
            continue;
        }
        let mut value = Vec::with_capacity(ATTRIBUTE_LIMIT);
        sys::call("read an attribute of", name, || {
            rustix::fs::fgetxattr(file, attribute, spare_capacity(&mut value))
        })?;
        attributes.insert(attribute.to_owned(), value);
    }
    Ok(attributes)
}

pub(super) fn set_attribute(
    file: BorrowedFd<'_>,
    attribute: &CStr,
    value: &[u8],
    name: &CStr,
) -> FsResult<()> {
    sys::change("set an attribute of", name, || {
        rustix::fs::fsetxattr(file, attribute, value, XattrFlags::empty())
    })
}

/// Whether an attribute was refused because the file system does not have such, or none so large.
/// Some say that there is no room when they mean one file's room for attributes.
pub(super) fn can_not_be_held(file: BorrowedFd<'_>, error: &FsError) -> bool {
    match error.errno() {
        Some(Errno::NOTSUP | Errno::TOOBIG) => true,
        Some(Errno::NOSPC) => rustix::fs::fstatvfs(file)
            .is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) > ROOM),
        _ => false,
    }
}

/// Removes the attributes of tenants from a file or directory.
pub(super) fn remove_attributes(file: BorrowedFd<'_>, name: &CStr) -> FsResult<()> {
    for attribute in tenants_attributes(file, name)?.keys() {
        sys::change("remove an attribute of", name, || {
            rustix::fs::fremovexattr(file, attribute.as_c_str())
        })?;
    }
    Ok(())
}

/// The mode without write permissions, if the real one could be remembered.
fn freeze(to: BorrowedFd<'_>, mode: u32, name: &CStr) -> FsResult<u32> {
    if mode & 0o222 == 0 {
        return Ok(mode);
    }
    let text = format!("{mode:o}");
    let remembered = sys::change("set an attribute of", name, || {
        rustix::fs::fsetxattr(to, MODE_ATTRIBUTE, text.as_bytes(), XattrFlags::empty())
    });
    match remembered {
        Ok(()) => Ok(mode & !0o222),
        Err(error) if error.errno().is_some_and(no_room_for_attribute) => Ok(mode),
        Err(error) => Err(error),
    }
}

/// The mode that a frozen file or directory has in a copy that could not remember it.
pub(super) fn mode_without_memory(
    file: BorrowedFd<'_>,
    frozen: u32,
    name: &CStr,
) -> FsResult<Option<u32>> {
    let attributes = tenants_attributes(file, name)?;
    Ok(attributes.get(MODE_ATTRIBUTE).and_then(|value| unfrozen(value, frozen)))
}

/// The mode that was remembered when this one was frozen. In a share the attribute may be anything.
fn unfrozen(remembered: &[u8], frozen: u32) -> Option<u32> {
    parse_mode(remembered).filter(|mode| mode & !0o222 == frozen)
}

fn parse_mode(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    u32::from_str_radix(text, 8).ok().map(|mode| mode & 0o7777)
}

fn no_room_for_attribute(error: Errno) -> bool {
    matches!(error, Errno::NOTSUP | Errno::NOSPC | Errno::DQUOT | Errno::TOOBIG | Errno::PERM)
}

pub(super) fn owner(meta: &Meta) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(meta.owner.0)), Some(Gid::from_raw(meta.owner.1)))
}

/// Whether it was permitted. Only root can give files away; an ordinary user's copies belong to
/// that user, who must not lend them an identity by set-user-id bits.
pub(super) fn permitted(result: FsResult<()>) -> FsResult<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.errno() == Some(Errno::PERM) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What became of an entry that is neither a file nor a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Copied,
    /// The original went away meanwhile.
    Vanished,
    /// This process may not make such an entry (device nodes want CAP_MKNOD, which root need not have).
    NotPermitted,
}

/// Makes the copy of a symlink, FIFO, socket or device node.
pub(super) fn copy_special(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    meta: &Meta,
) -> FsResult<Special> {
    if meta.kind == FileType::Symlink {
        let target: CString = match sys::read_link(from, name) {
            Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::INVAL)) => {
                return Ok(Special::Vanished);
            }
            other => other?,
        };
        sys::change("make the link", name, || rustix::fs::symlinkat(target.as_c_str(), to, name))?;
    } else {
        let device = rustix::fs::makedev(meta.device.0, meta.device.1);
        let mode = Mode::from_raw_mode(meta.mode);
        let made = sys::change("make the node", name, || {
            rustix::fs::mknodat(to, name, meta.kind, mode, device)
        });
        if !permitted(made)? {
            return Ok(Special::NotPermitted);
        }
    }
    permitted(sys::change("give to its owner", name, || {
        let (user, group) = owner(meta);
        rustix::fs::chownat(to, name, user, group, AtFlags::SYMLINK_NOFOLLOW)
    }))?;
    if meta.kind != FileType::Symlink {
        // The process's umask may have taken bits away. Nobody else can reach the copy yet.
        sys::change("set the mode of", name, || {
            rustix::fs::chmodat(to, name, Mode::from_raw_mode(meta.mode), AtFlags::empty())
        })?;
    }
    sys::change("set the times of", name, || {
        rustix::fs::utimensat(to, name, &meta.times(), AtFlags::SYMLINK_NOFOLLOW)
    })?;
    Ok(Special::Copied)
}

#[cfg(test)]
mod tests {
    use super::unfrozen;

    #[test]
    fn what_thaws_gets_nothing_but_write_permissions_back() {
        assert_eq!(unfrozen(b"644", 0o444), Some(0o644));
        assert_eq!(unfrozen(b"2775", 0o2555), Some(0o2775));
        for forged in [&b"4755"[..], b"777", b"x", b""] {
            assert_eq!(unfrozen(forged, 0o444), None);
        }
    }
}
