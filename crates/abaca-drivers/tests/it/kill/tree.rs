//! What is in the share during whose calls a process is killed, and whether all of it is there.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rustix::fs::XattrFlags;

const OWNER: u32 = 1_234;
/// What takes a while to be sent.
const BIG: &str = "big";
const BIG_BYTES: usize = 256 << 20;

/// Mode, owner, time, attribute, target or bytes, and all names in the tree.
type Entry = (u32, (u32, u32), (i64, i64), Option<Vec<u8>>, Vec<u8>, Vec<PathBuf>);
type Tree = BTreeMap<PathBuf, Entry>;

static PLANTED: LazyLock<Tree> = LazyLock::new(|| {
    let top = tempfile::tempdir().unwrap();
    plant(top.path());
    look(top.path())
});

static STALE: LazyLock<Tree> = LazyLock::new(|| {
    let top = tempfile::tempdir().unwrap();
    plant(top.path());
    make_stale(top.path());
    look(top.path())
});

pub(super) fn plant(top: &Path) {
    fs::create_dir_all(top.join("directory/within")).unwrap();
    fs::write(top.join("file"), vec![1; 100_000]).unwrap();
    fs::write(top.join("directory/within/file"), "bytes").unwrap();
    fs::hard_link(top.join("file"), top.join("directory/second")).unwrap();
    symlink("file", top.join("link")).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(top.join("directory/within/file"), Some(OWNER), Some(OWNER)).unwrap();
        lchown(top.join("link"), Some(OWNER), None).unwrap();
    }
    for (path, mode) in [("file", 0o640), ("directory/within", 0o2775), ("directory", 0o750)] {
        let path = top.join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let value = path.file_name().unwrap().as_encoded_bytes();
        rustix::fs::setxattr(&path, "user.key", value, XattrFlags::empty()).unwrap();
        set_time(&path, mode);
    }
    fs::set_permissions(top, fs::Permissions::from_mode(0o777)).unwrap();
    set_time(top, 0);
}

fn set_time(path: &Path, number: u32) {
    let modified = SystemTime::UNIX_EPOCH + Duration::new(1_000_000 + u64::from(number), 5);
    File::open(path).unwrap().set_times(FileTimes::new().set_modified(modified)).unwrap();
}

/// Plants a large file too, which is not looked at but by [`ensure_big`].
pub(super) fn plant_big(top: &Path) {
    fs::write(top.join(BIG), vec![7; BIG_BYTES]).unwrap();
    set_time(top, 0);
}

pub(super) fn ensure_big(top: &Path) {
    assert!(fs::read(top.join(BIG)).unwrap() == vec![7; BIG_BYTES], "{}", top.display());
}

/// Makes what was planted differ from what is planted elsewhere.
pub(super) fn make_stale(top: &Path) {
    fs::rename(top.join("file"), top.join("stale")).unwrap();
    set_time(top, 1);
}

pub(super) fn ensure_planted(top: &Path) {
    ensure_same(top, false);
}

/// Fails unless this is all of what was planted and nothing else, as it was or made stale.
pub(super) fn ensure_same(top: &Path, is_stale: bool) {
    let expected = if is_stale { &*STALE } else { &*PLANTED };
    let found = look(top);
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "in {}", top.display());
    for (path, entry) in expected {
        // Symlinks, and what is written last, have the time at which they were planted.
        let is_dated = path != Path::new("link") && path != Path::new("directory/within/file");
        let mut found = found[path].clone();
        if !is_dated {
            found.2 = entry.2;
        }
        assert!(found == *entry, "{} in {}: {:?}", path.display(), top.display(), found.0);
    }
}

fn look(top: &Path) -> Tree {
    let (mut tree, mut names) = (Tree::new(), BTreeMap::<u64, Vec<PathBuf>>::new());
    let (mut numbers, mut remaining) = (BTreeMap::new(), vec![PathBuf::new()]);
    while let Some(name) = remaining.pop() {
        if name == Path::new(BIG) {
            continue;
        }
        let path = top.join(&name);
        let meta = fs::symlink_metadata(&path).unwrap();
        let mut content = Vec::new();
        if meta.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            remaining.extend(entries.map(|entry| name.join(entry.unwrap().file_name())));
        } else if meta.is_symlink() {
            content = fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes();
        } else {
            content = fs::read(&path).unwrap();
        }
        let (mut mode, mut attribute) = (meta.mode() & 0o7777, None);
        if !meta.is_symlink() {
            attribute = get(&path, "user.key");
            // A snapshot of directories has no write permissions, and remembers them.
            let frozen = get(&path, "user.abaca.mode").map(|mode| String::from_utf8(mode).unwrap());
            mode = frozen.map_or(mode, |frozen| u32::from_str_radix(&frozen, 8).unwrap());
        }
        let time = (meta.mtime(), meta.mtime_nsec());
        names.entry(meta.ino()).or_default().push(name.clone());
        numbers.insert(name.clone(), meta.ino());
        let entry = (mode, (meta.uid(), meta.gid()), time, attribute, content, Vec::new());
        tree.insert(name, entry);
    }
    for (name, entry) in &mut tree {
        entry.5 = names[&numbers[name]].clone();
        entry.5.sort();
    }
    tree
}

fn get(path: &Path, attribute: &str) -> Option<Vec<u8>> {
    let mut value = [0; 40];
    let length = rustix::fs::getxattr(path, attribute, &mut value[..]).ok()?;
    Some(value[..length].to_vec())
}
