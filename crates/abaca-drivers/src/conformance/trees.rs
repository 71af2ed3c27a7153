//! Trees that tenants make: everything a file system can hold, and attempts to break out.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    FileExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid, XattrFlags};
use uuid::Uuid;

use super::{Bench, Outcome, Problem, ensure, ensure_error, snapshot_of};
use crate::{
    CopyProgress, Driver, DriverError, MigratedSnapshot, Migration, MigrationSource, NewShare,
    SnapshotObject, SnapshotRef,
};

const DEPTH: usize = 400;
const WIDTH: usize = 1_000;

impl Bench<'_> {
    /// Ends a rule about bytes for a backend that has none.
    pub(super) async fn forget(&self, driver: &dyn Driver) -> Result<(), crate::DriverError> {
        for share in driver.list_shares().await? {
            driver.delete_share(share.id).await?;
        }
        Ok(())
    }

    fn kept(&self, snapshot: &SnapshotObject) -> Result<PathBuf, Problem> {
        let path = self.subject.local_path(&snapshot.provider_location);
        path.ok_or(Problem("the snapshot can't be reached".to_owned()))
    }

    /// A new share from the snapshot, and where its files are.
    async fn thaw(
        &self,
        driver: &dyn Driver,
        share: &NewShare,
        snapshot: &SnapshotObject,
    ) -> Result<(NewShare, PathBuf), Problem> {
        let copy = NewShare { id: Uuid::new_v4(), ..share.clone() };
        let exports =
            driver.create_share_from_snapshot(&copy, &SnapshotRef::from(snapshot)).await?;
        let path = exports.first().and_then(|export| self.subject.local_path(&export.path));
        Ok((copy, path.ok_or(Problem("the new share can't be reached".to_owned()))?))
    }
}

pub(super) async fn a_snapshot_keeps_what_files_are(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    plant_everything(&path)?;
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    let kept = bench.kept(&snapshot)?;
    ensure_everything(&path, &kept)?;
    let opened = OpenOptions::new().write(true).open(kept.join("plain"));
    let is_read_only =
        opened.is_err_and(|error| error.kind() == std::io::ErrorKind::ReadOnlyFilesystem);
    for name in ["plain", "sparse", "directory"] {
        let mode = fs::symlink_metadata(kept.join(name))?.mode();
        ensure!(is_read_only || mode & 0o222 == 0, "{name} is writable in the snapshot: {mode:o}");
    }
    let (copy, copied) = bench.thaw(&*driver, &share, &snapshot).await?;
    ensure_everything(&path, &copied)?;
    for name in ["plain", "sparse", "directory", "directory/second", "pipe"] {
        let mode = |top: &Path| fs::symlink_metadata(top.join(name)).map(|found| found.mode());
        let (old, new) = (mode(&path)?, mode(&copied)?);
        ensure!(old == new, "{name} had mode {old:o}, from the snapshot it has {new:o}");
    }
    driver.delete_share(copy.id).await?;
    driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await?;
    Ok(driver.delete_share(share.id).await?)
}

/// Within the one backend, to another share: as to another backend of the family.
pub(super) async fn a_share_moves_with_its_snapshots(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, path) = bench.share(&*driver).await?;
    let source = match driver.migration_source(share.id).await {
        Err(DriverError::Unsupported { .. }) => return Ok(bench.forget(&*driver).await?),
        found => found?,
    };
    ensure_error!(driver.migration_source(Uuid::new_v4()).await, DriverError::NotFound { .. });
    let stranger = MigrationSource { family: "another".into(), ..source.clone() };
    ensure!(driver.migration_check(&stranger).await?.is_none(), "took over from a stranger");
    let abilities = driver.migration_check(&source).await?;
    ensure!(abilities.is_some_and(|found| found.preserve_snapshots), "got {abilities:?}");
    if let Some(path) = &path {
        plant_everything(path)?;
    }
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    if let Some(path) = &path {
        fs::write(path.join("later"), b"later")?;
    }
    let migration = Migration {
        source,
        share: NewShare { id: Uuid::new_v4(), ..share.clone() },
        snapshots: vec![MigratedSnapshot { source: (&snapshot).into(), id: Uuid::new_v4() }],
        preserve_metadata: true,
    };
    let progress = Arc::new(CopyProgress::default());
    let migrated = driver.migrate(&migration, &progress).await?;
    ensure!(progress.compared() == progress.total(), "not all was compared: {progress:?}");
    let again = driver.migrate(&migration, &progress).await?;
    ensure!(migrated == again, "the second time gave {again:?}, the first {migrated:?}");
    let found = driver.list_snapshots().await?;
    ensure!(found.len() == 2, "expected the snapshot in two places, got {found:?}");
    if let (Some(path), [moved]) = (&path, &migrated.snapshots[..]) {
        let export = migrated.exports.first().and_then(|to| bench.subject.local_path(&to.path));
        let arrived = export.ok_or(Problem("the moved share can't be reached".to_owned()))?;
        ensure_everything(path, &arrived)?;
        ensure!(fs::read(arrived.join("later"))? == b"later", "other bytes");
        let kept = bench.kept(moved)?;
        ensure_everything(path, &kept)?;
        ensure!(!kept.join("later").exists(), "the snapshot holds what came after it");
    }
    for SnapshotObject { id, share_instance_id, .. } in found {
        let place = SnapshotRef { id, share_instance_id, provider_location: None };
        driver.delete_snapshot(&place).await?;
    }
    driver.delete_share(migration.share.id).await?;
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn whatever_is_changed_in_a_tree_can_be_seen(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    let tree = match driver.share_tree(share.id).await {
        Err(DriverError::Unsupported { .. }) => return Ok(bench.forget(&*driver).await?),
        found => found?,
    };
    plant_everything(&path)?;
    let mut last = driver.tree_state(&tree).await?;
    fs::read(path.join("plain"))?;
    ensure!(driver.tree_state(&tree).await? == last, "it changes when it is looked at");
    for what in ["bytes", "mode", "name", "removal", "directory"] {
        change(what, &path)?;
        let now = driver.tree_state(&tree).await?;
        ensure!(now != last, "{what}: it is as before, {now:?}");
        last = now;
    }
    Ok(driver.delete_share(share.id).await?)
}

fn change(what: &str, top: &Path) -> std::io::Result<()> {
    let plain = top.join("plain");
    match what {
        // As many as before, and with the time they had.
        "bytes" => {
            let file = OpenOptions::new().write(true).open(plain)?;
            let modified = file.metadata()?.modified()?;
            file.write_all_at(b"PLAIN", 0)?;
            file.set_modified(modified)
        }
        "mode" => fs::set_permissions(plain, Permissions::from_mode(0o600)),
        "name" => fs::rename(top.join("dangling"), top.join("directory/dangling")),
        "removal" => fs::remove_file(top.join("pipe")),
        _ => fs::create_dir(top.join("empty")),
    }
}

fn plant_everything(top: &Path) -> Outcome {
    fs::write(top.join("plain"), b"plain")?;
    fs::create_dir(top.join("directory"))?;
    fs::hard_link(top.join("plain"), top.join("directory/second"))?;
    symlink("../plain", top.join("directory/link"))?;
    symlink("nowhere", top.join("dangling"))?;
    let mut sparse = File::create(top.join("sparse"))?;
    sparse.seek(SeekFrom::Start(64 << 20))?;
    sparse.write_all(b"after the hole")?;
    sparse.set_len(128 << 20)?;
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, top.join("pipe"), FileType::Fifo, mode, 0)?;
    rustix::fs::mknodat(CWD, top.join("socket"), FileType::Socket, mode, 0)?;
    if rustix::process::geteuid().is_root() {
        let owner = (Some(Uid::from_raw(4711)), Some(Gid::from_raw(4712)));
        for name in ["plain", "dangling", "directory"] {
            let path = top.join(name);
            rustix::fs::chownat(CWD, path, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)?;
        }
    }
    let attribute = b"attribute value";
    for name in ["plain", "directory"] {
        let set = XattrFlags::empty();
        match rustix::fs::setxattr(top.join(name), "user.test", attribute, set) {
            Ok(()) | Err(rustix::io::Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    fs::set_permissions(top.join("plain"), Permissions::from_mode(0o4751))?;
    fs::set_permissions(top.join("directory"), Permissions::from_mode(0o2731))?;
    let long_ago = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    File::open(top.join("plain"))?.set_modified(long_ago)?;
    File::open(top.join("directory"))?.set_modified(long_ago)?;
    Ok(())
}

/// Everything but modes, which differ in a snapshot.
fn ensure_everything(original: &Path, copy: &Path) -> Outcome {
    for name in [
        "plain",
        "directory",
        "directory/second",
        "directory/link",
        "dangling",
        "sparse",
        "pipe",
        "socket",
    ] {
        let (old, new) =
            (fs::symlink_metadata(original.join(name))?, fs::symlink_metadata(copy.join(name))?);
        ensure!(old.file_type() == new.file_type(), "{name} became {:?}", new.file_type());
        let owner = |of: &fs::Metadata| (of.uid(), of.gid());
        ensure!(owner(&old) == owner(&new), "{name} belongs to {:?}", owner(&new));
        let modified = |of: &fs::Metadata| (of.mtime(), of.mtime_nsec());
        ensure!(modified(&old) == modified(&new), "{name} was modified at {:?}", modified(&new));
        if old.is_file() {
            ensure!(old.size() == new.size(), "{name} has {} bytes", new.size());
        }
    }
    let new = |name: &str| fs::symlink_metadata(copy.join(name));
    ensure!(new("plain")?.ino() == new("directory/second")?.ino(), "a hard link became a copy");
    ensure!(new("pipe")?.file_type().is_fifo(), "the FIFO became something else");
    let target = fs::read_link(copy.join("directory/link"))?;
    ensure!(target == Path::new("../plain"), "the link leads to {}", target.display());
    let stored = new("sparse")?.blocks() * 512;
    ensure!(stored < 16 << 20, "the hole was filled: {stored} bytes are stored");
    let content = fs::read(copy.join("sparse"))?;
    let data = content.get(64 << 20..).unwrap_or_default();
    ensure!(data.starts_with(b"after the hole"), "the data after the hole are lost");
    for name in ["plain", "directory"] {
        let attribute = |top: &Path| {
            let mut value = [0; 64];
            rustix::fs::getxattr(top.join(name), "user.test", &mut value[..])
                .map(|length| value[..length].to_vec())
        };
        let (old, new) = (attribute(original), attribute(copy));
        ensure!(old == new, "the attribute of {name} was {old:?}, became {new:?}");
    }
    Ok(())
}

pub(super) async fn symlinks_lead_nowhere(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    let outside = std::env::temp_dir().join(format!("abaca-outside-{}", Uuid::new_v4()));
    fs::create_dir(&outside)?;
    fs::write(outside.join("secret"), b"secret")?;
    let checked = attack(bench, &*driver, &share, &path, &outside).await;
    let secret = fs::read(outside.join("secret"));
    fs::remove_dir_all(&outside)?;
    checked?;
    ensure!(secret? == b"secret", "a file outside was changed");
    Ok(())
}

async fn attack(
    bench: &Bench<'_>,
    driver: &dyn Driver,
    share: &NewShare,
    path: &Path,
    outside: &Path,
) -> Outcome {
    symlink(outside, path.join("to directory"))?;
    symlink(outside.join("secret"), path.join("to file"))?;
    symlink("../../..", path.join("up"))?;
    symlink("loop", path.join("loop"))?;
    symlink("/proc/self/root", path.join("magic"))?;
    let snapshot = driver.create_snapshot(&snapshot_of(share)).await?;
    let kept = bench.kept(&snapshot)?;
    let (copy, copied) = bench.thaw(driver, share, &snapshot).await?;
    for top in [&kept, &copied] {
        for name in ["to directory", "to file", "up", "loop", "magic"] {
            let found = fs::symlink_metadata(top.join(name))?;
            ensure!(found.is_symlink(), "{name} was followed: {found:?}");
        }
    }
    driver.shrink_share(share.id, 1).await?;
    driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await?;
    driver.delete_share(copy.id).await?;
    driver.delete_share(share.id).await?;
    ensure!(outside.join("secret").exists(), "a deletion followed a symlink");

    // A tenant with a file server's rights might even replace the top of the share.
    let (share, Some(path)) = bench.share(driver).await? else { return Ok(()) };
    fs::remove_dir(&path)?;
    symlink(outside, &path)?;
    let taken = driver.create_snapshot(&snapshot_of(&share)).await;
    ensure!(taken.is_err(), "a snapshot was taken through a symlink: {taken:?}");
    driver.delete_share(share.id).await?;
    ensure!(outside.join("secret").exists(), "a deletion followed a symlink at the top");
    Ok(())
}

pub(super) async fn deep_wide_and_oddly_named_trees_are_kept(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    // Deeper than a path may be long.
    plant_deep(&path)?;
    fs::create_dir(path.join("wide"))?;
    for number in 0..WIDTH {
        File::create(path.join("wide").join(number.to_string()))?;
    }
    let odd: &[&[u8]] =
        &[b"new\nline", b"\xff\xfe not UTF-8", b"-rf *", b" ", b"...", &[b'x'; 255]];
    for name in odd {
        fs::write(path.join(OsStr::from_bytes(name)), name)?;
    }

    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    let (copy, copied) = bench.thaw(&*driver, &share, &snapshot).await?;
    for top in [&bench.kept(&snapshot)?, &copied] {
        let depth = depth_of(top)?;
        ensure!(depth == DEPTH, "{depth} of {DEPTH} levels were kept");
        let width = fs::read_dir(top.join("wide"))?.count();
        ensure!(width == WIDTH, "{width} of {WIDTH} files were kept");
        for name in odd {
            let content = fs::read(top.join(OsStr::from_bytes(name)))?;
            ensure!(content == *name, "{:?} has other bytes", OsStr::from_bytes(name));
        }
    }
    driver.shrink_share(share.id, 1).await?;
    driver.delete_share(copy.id).await?;
    driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await?;
    Ok(driver.delete_share(share.id).await?)
}

/// A chain of directories, each made relative to the one before.
fn plant_deep(top: &Path) -> Outcome {
    let mut directory = File::open(top)?;
    for _ in 0..DEPTH {
        rustix::fs::mkdirat(&directory, "a level of a deep tree", Mode::RWXU)?;
        directory = open_level(&directory)?;
    }
    Ok(())
}

fn depth_of(top: &Path) -> Result<usize, Problem> {
    let mut directory = File::open(top)?;
    let mut depth = 0;
    while let Ok(next) = open_level(&directory) {
        directory = next;
        depth += 1;
    }
    Ok(depth)
}

fn open_level(parent: &File) -> rustix::io::Result<File> {
    use rustix::fs::OFlags;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(parent, "a level of a deep tree", flags, Mode::empty()).map(File::from)
}

pub(super) async fn unwritable_directories_can_be_kept_and_deleted(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, Some(path)) = bench.share(&*driver).await? else {
        return Ok(bench.forget(&*driver).await?);
    };
    fs::create_dir_all(path.join("closed/within"))?;
    fs::write(path.join("closed/within/file"), b"bytes")?;
    for (name, mode) in [("closed/within/file", 0o400), ("closed/within", 0o500), ("closed", 0o500)]
    {
        fs::set_permissions(path.join(name), Permissions::from_mode(mode))?;
    }
    let snapshot = driver.create_snapshot(&snapshot_of(&share)).await?;
    let (copy, copied) = bench.thaw(&*driver, &share, &snapshot).await?;
    let content = fs::read(copied.join("closed/within/file"))?;
    ensure!(content == b"bytes", "the file has other bytes");
    let mode = fs::metadata(copied.join("closed"))?.mode() & 0o7777;
    ensure!(mode == 0o500, "the directory has mode {mode:o}");
    // Not even readable: nobody but its owner could list it, and the owner gave that up.
    fs::set_permissions(copied.join("closed/within"), Permissions::from_mode(0o000))?;
    driver.delete_share(copy.id).await?;
    driver.delete_snapshot(&SnapshotRef::from(&snapshot)).await?;
    driver.delete_share(share.id).await?;
    ensure!(OpenOptions::new().read(true).open(&path).is_err(), "the share is still there");
    Ok(())
}
