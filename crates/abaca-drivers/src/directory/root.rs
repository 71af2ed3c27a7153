//! The directory that holds everything, and the mark by which it is known again.
//!
//! ```text
//! ROOT/.abaca                   the mark: format, identity and driver, written when first taken into use
//! ROOT/shares/ID/record.json    size limit, pool, protocol, name to mount it by
//! ROOT/shares/ID/access.json    the access rules, see [`super::access`]; absent: nobody is let in
//! ROOT/shares/ID/data/          the bytes; this path is the export location
//! ROOT/shares/ID/mount/NAME     a link to them by the name the tenant chose; then this is it
//! ROOT/snapshots/ID/record.json the share instance it was taken of, and its protocol
//! ROOT/snapshots/ID/access.json as of a share
//! ROOT/snapshots/ID/data/       the bytes; this path is the provider location
//! ROOT/import/NAME/             a directory that someone put there to become a share, see [`super::manage`]
//! ROOT/tmp/KIND-ID/             an object being made; it appears above by one rename
//! ROOT/trash/KIND-ID/           an object being removed; it left by one rename
//! ROOT/locks/ID                 held by the process that works on the object
//! ```

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::{FsError, FsResult};
use super::medium::Medium;
use super::mount::MOUNT;
use super::sys;
use crate::{DriverError, DriverResult};

/// Where directories are put that shall become shares.
pub(super) const IMPORT: &str = "import";
const MARK: &str = ".abaca";
/// Prefix of marks being written.
const NEW_MARK: &str = ".abaca.";
const FORMAT: u32 = 1;
/// In bytes. An access rule takes some 150.
const LONGEST_FILE: u64 = 1 << 26;

#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    format: u32,
    id: Uuid,
    /// Name of the driver that took it into use.
    #[serde(default = "first_driver")]
    driver: String,
}

/// The one that did when marks did not name it.
fn first_driver() -> String {
    super::NAME.to_owned()
}

/// Open descriptors of the root and its parts; all work goes through them.
#[derive(Debug)]
pub(super) struct Root {
    /// Absolute, without symlinks.
    path: String,
    /// Name of the driver.
    driver: String,
    pub(super) medium: Box<dyn Medium>,
    top: OwnedFd,
    pub(super) shares: OwnedFd,
    pub(super) snapshots: OwnedFd,
    pub(super) tmp: OwnedFd,
    pub(super) trash: OwnedFd,
    pub(super) locks: OwnedFd,
}

impl Root {
    /// Opens the directory, and takes it into use for `driver` if it is absent or empty.
    pub(super) fn open(
        path: &Path,
        must_be_mount_point: bool,
        driver: &str,
        medium: Box<dyn Medium>,
    ) -> DriverResult<Self> {
        let doing = || format!("opening the directory {}", path.display());
        if !must_be_mount_point {
            make_path(path).map_err(|error| io_failed(doing(), error))?;
        }
        let canonical = fs::canonicalize(path).map_err(|error| io_failed(doing(), error))?;
        let Some(text) = canonical.to_str().map(str::to_owned) else {
            return Err(wrong_root(format!("{} is not valid UTF-8", canonical.display())));
        };
        let top = open_top(&canonical).map_err(|error| error.while_doing(doing()))?;
        let meta = sys::meta_of(top.as_fd()).map_err(|error| error.while_doing(doing()))?;
        if must_be_mount_point && !meta.is_mount_point {
            let problem = format!("{text} is not a mount point; is its file system mounted?");
            return Err(wrong_root(problem));
        }
        medium.check_root(top.as_fd(), &text)?;
        check_mark(top.as_fd(), &text, driver)?;
        open_parts(text, driver, top, medium).map_err(|error| error.while_doing(doing()))
    }

    /// As [`Root::open_any`], of the same driver.
    pub(super) fn open_other(&self, path: &str) -> FsResult<Option<Self>> {
        let Some(other) = Self::open_any(path)? else { return Ok(None) };
        if other.driver != self.driver {
            let (found, driver) = (&other.driver, &self.driver);
            let what = format!("{path} holds the objects of the driver {found:?}, not {driver:?}");
            return Err(FsError::Damaged { what });
        }
        Ok(Some(other))
    }

    /// Opens the directory of another backend, which is in use already, to read from it. Nothing in
    /// it is changed but locks. `None`: there is no such directory, or it has no mark, as that under
    /// a mount that is gone.
    pub(super) fn open_any(path: &str) -> FsResult<Option<Self>> {
        let top = match open_top(Path::new(path)) {
            Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::NOTDIR)) => {
                return Ok(None);
            }
            opened => opened?,
        };
        if !sys::exists(top.as_fd(), MARK)? {
            return Ok(None);
        }
        let mark: Mark = serde_json::from_slice(&read_small_file(top.as_fd(), MARK)?)
            .map_err(|error| FsError::Damaged { what: format!("{path}/{MARK}: {error}") })?;
        if mark.format != FORMAT {
            let found = mark.format;
            let what = format!("{path} has format {found}, this version knows only {FORMAT}");
            return Err(FsError::Damaged { what });
        }
        let part = |name: &str| sys::open_directory(top.as_fd(), name);
        let (shares, snapshots) = (part("shares")?, part("snapshots")?);
        let (tmp, trash, locks) = (part("tmp")?, part("trash")?, part("locks")?);
        let (path, driver) = (path.to_owned(), mark.driver);
        let medium = Box::new(super::medium::Trees);
        Ok(Some(Self { path, driver, medium, top, shares, snapshots, tmp, trash, locks }))
    }

    pub(super) fn top(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What is left of a path that leads into the root.
    pub(super) fn beneath<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.path.as_str())?.strip_prefix('/')
    }

    /// Where clients on this machine find the bytes of a share or snapshot.
    pub(super) fn location(&self, container: &str, id: Uuid) -> String {
        format!("{}/{container}/{id}/data", self.path)
    }

    /// Where they find those of a share with a name of its own.
    pub(super) fn named_location(&self, container: &str, id: Uuid, name: &str) -> String {
        format!("{}/{container}/{id}/{MOUNT}/{name}", self.path)
    }

    /// Bytes in total, and those that this process may still use.
    pub(super) fn capacity(&self) -> FsResult<(u64, u64)> {
        self.check_still_there()?;
        self.medium.check_health(self.top())?;
        let space = sys::call("measure", ".", || rustix::fs::fstatvfs(&self.top))?;
        let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
        Ok((bytes(space.f_blocks), bytes(space.f_bavail)))
    }

    /// Fails if the path no longer leads to the directory that was opened: what is made there now
    /// could not be found at its location. It may lead there again, once the mount is back.
    pub(super) fn check_still_there(&self) -> FsResult<()> {
        let replaced = || FsError::RootReplaced { path: self.path.clone() };
        let now = match open_top(&PathBuf::from(&self.path)) {
            Err(error) if error.is_gone() => return Err(replaced()),
            opened => opened?,
        };
        if sys::meta_of(now.as_fd())?.identity == sys::meta_of(self.top())?.identity {
            return Ok(());
        }
        Err(replaced())
    }
}

/// The setting `root` names nothing that this driver can use.
pub(crate) fn wrong_root(problem: String) -> DriverError {
    DriverError::InvalidInput { field: "root", problem }
}

fn io_failed(doing: String, error: io::Error) -> DriverError {
    DriverError::failed(doing, error)
}

/// Makes the directory and what is missing above it, and syncs what was made.
fn make_path(path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut current = Some(path);
    while let Some(directory) = current.filter(|path| !path.as_os_str().is_empty()) {
        if directory.exists() {
            break;
        }
        missing.push(directory);
        current = directory.parent();
    }
    for directory in missing.into_iter().rev() {
        match fs::DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn open_top(path: &Path) -> FsResult<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    sys::call("open", path, || rustix::fs::open(path, flags, Mode::empty()))
}

fn check_mark(top: BorrowedFd<'_>, path: &str, driver: &str) -> DriverResult<()> {
    let failed = |error: FsError| error.while_doing(format!("reading the mark in {path}"));
    if !sys::exists(top, MARK).map_err(failed)? {
        match foreign_entry(top).map_err(failed)? {
            None => write_mark(top, driver).map_err(failed)?,
            // Another process takes it into use at this moment: what it makes comes after the mark.
            Some(_) if sys::exists(top, MARK).map_err(failed)? => {}
            Some(name) => {
                let problem = format!(
                    "{path} holds {name:?} and no mark of this driver; give an empty directory"
                );
                return Err(wrong_root(problem));
            }
        }
    }
    remove_unfinished_marks(top).map_err(failed)?;
    let content = read_small_file(top, MARK).map_err(failed)?;
    let mark: Mark = serde_json::from_slice(&content)
        .map_err(|error| DriverError::failed(format!("reading {path}/{MARK}"), error))?;
    if mark.format != FORMAT {
        let found = mark.format;
        let problem = format!("{path} has format {found}, this version knows only {FORMAT}");
        return Err(wrong_root(problem));
    }
    if mark.driver != driver {
        let found = mark.driver;
        let problem = format!("{path} holds the objects of the driver {found:?}, not {driver:?}");
        return Err(wrong_root(problem));
    }
    Ok(())
}

/// An entry that says that the directory is used for something else.
fn foreign_entry(top: BorrowedFd<'_>) -> FsResult<Option<String>> {
    let mut found = None;
    sys::read_directory(top, |name, _| {
        let name = name.to_string_lossy();
        if name != "lost+found" && !name.starts_with(MARK) {
            found = Some(name.into_owned());
        }
        Ok(())
    })?;
    Ok(found)
}

/// Several processes may come here at the same time: the first mark stays.
fn write_mark(top: BorrowedFd<'_>, driver: &str) -> FsResult<()> {
    let mark = Mark { format: FORMAT, id: Uuid::new_v4(), driver: driver.to_owned() };
    let name = format!("{NEW_MARK}{}", mark.id);
    write_file(top, &name, &to_json(&mark)?)?;
    let linked = sys::change("link", MARK, || {
        rustix::fs::linkat(top, name.as_str(), top, MARK, rustix::fs::AtFlags::empty())
    });
    match linked {
        Err(error) if !sys::exists(top, MARK)? => return Err(error),
        _ => {}
    }
    sys::sync(top)
}

/// Removes the other names of the mark, and those that killed or slower processes left.
fn remove_unfinished_marks(top: BorrowedFd<'_>) -> FsResult<()> {
    let mut names = Vec::new();
    sys::read_directory(top, |name, _| {
        if name.to_bytes().starts_with(NEW_MARK.as_bytes()) {
            names.push(name.to_owned());
        }
        Ok(())
    })?;
    for name in names {
        match sys::remove_file(top, name.as_c_str()) {
            Err(error) if !error.is_gone() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn open_parts(path: String, driver: &str, top: OwnedFd, medium: Box<dyn Medium>) -> FsResult<Root> {
    let part = |name: &str| -> FsResult<OwnedFd> {
        match sys::make_directory(top.as_fd(), name) {
            Err(error) if !error.already_exists() => return Err(error),
            _ => {}
        }
        sys::open_directory(top.as_fd(), name)
    };
    let (shares, snapshots) = (part("shares")?, part("snapshots")?);
    let (tmp, trash, locks) = (part("tmp")?, part("trash")?, part("locks")?);
    part(IMPORT)?;
    sys::sync(top.as_fd())?;
    let driver = driver.to_owned();
    Ok(Root { path, driver, medium, top, shares, snapshots, tmp, trash, locks })
}

pub(super) fn to_json(value: &impl Serialize) -> FsResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| FsError::Damaged { what: error.to_string() })
}

/// Writes and syncs a new file.
pub(super) fn write_file(parent: BorrowedFd<'_>, name: &str, content: &[u8]) -> FsResult<()> {
    let file = sys::create_file(parent, name)?;
    sys::write_all(&file, name, content)?;
    sys::sync(file.as_fd())
}

pub(super) fn read_small_file(parent: BorrowedFd<'_>, name: &str) -> FsResult<Vec<u8>> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let file = fs::File::from(sys::open_file(parent, name)?);
    file.take(LONGEST_FILE).read_to_end(&mut content).map_err(|error| FsError::Call {
        action: "read",
        name: name.to_owned(),
        source: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    })?;
    Ok(content)
}
