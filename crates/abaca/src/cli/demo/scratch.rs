//! The demo's temporary directory, gone at the end with all that the service made in it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::DemoError;

pub(super) struct Scratch(TempDir);

impl Scratch {
    pub(super) fn make() -> Result<Self, DemoError> {
        let made = tempfile::Builder::new().prefix("abaca-demo-").tempdir();
        made.map(Self).map_err(|source| failed("made", &std::env::temp_dir(), source))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn remove(self) -> Result<(), DemoError> {
        let path = self.path().to_owned();
        make_writable(&path)
            .and_then(|()| self.0.close())
            .map_err(|source| failed("removed", &path, source))
    }
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> DemoError {
    DemoError::File { what, path: path.to_owned(), source }
}

/// Snapshots are read-only, and only root may empty a directory that is.
fn make_writable(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Of the entry itself: a symbolic link is no directory here, wherever it leads.
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_directories_are_opened_and_links_are_not_followed() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let outside = tempfile::tempdir().unwrap();
        fs::set_permissions(outside.path(), Permissions::from_mode(0o500)).unwrap();
        let scratch = Scratch::make().unwrap();
        let inner = scratch.path().join("snapshot/data");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "").unwrap();
        std::os::unix::fs::symlink(outside.path(), inner.join("link")).unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o500)).unwrap();

        make_writable(scratch.path()).unwrap();
        assert_eq!((mode(&inner), mode(outside.path())), (0o700, 0o500));
        let path = scratch.path().to_owned();
        scratch.remove().unwrap();
        assert!(!path.exists() && outside.path().exists());
    }
}
