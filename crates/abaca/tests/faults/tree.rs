//! What a tenant has in a share, and all that is to be the same wherever it is kept.

use std::collections::BTreeMap;
use std::fs::{self, FileTimes};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::XattrFlags;

/// Above root's.
const OWNER: u32 = 1_234;

/// All of it, by path.
pub(crate) type Tree = BTreeMap<PathBuf, Entry>;

/// What is told of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// With the kind of file.
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    attributes: BTreeMap<String, Vec<u8>>,
    /// Every path of the same file.
    names: Vec<PathBuf>,
    /// Of the bytes, or of a link's target.
    checksum: u64,
}

/// Files with every kind of owner, mode, time, attribute and link.
pub(crate) fn plant(top: &Path) {
    fs::create_dir_all(top.join("directory/within")).unwrap();
    for number in 0..20_u8 {
        fs::write(top.join(format!("directory/{number}")), vec![number; 10_000]).unwrap();
    }
    fs::write(top.join("directory/within/file"), "bytes").unwrap();
    fs::hard_link(top.join("directory/7"), top.join("second")).unwrap();
    symlink("directory/nowhere", top.join("link")).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(top.join("directory/within/file"), Some(OWNER), Some(OWNER + 1)).unwrap();
        lchown(top.join("link"), Some(OWNER), None).unwrap();
    }
    for (path, mode) in [("directory/7", 0o640), ("directory/within", 0o2775), ("directory", 0o750)]
    {
        let path = top.join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let value = path.file_name().unwrap().as_encoded_bytes();
        rustix::fs::setxattr(&path, "user.key", value, XattrFlags::empty()).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::new(1_000_000 + u64::from(mode), 5);
        let times = FileTimes::new().set_modified(modified);
        fs::File::open(&path).unwrap().set_times(times).unwrap();
    }
}

pub(crate) fn look(top: &Path) -> Tree {
    let (mut tree, mut remaining) = (Tree::new(), vec![PathBuf::new()]);
    let (mut files, mut names) = (BTreeMap::new(), BTreeMap::<u64, Vec<PathBuf>>::new());
    while let Some(name) = remaining.pop() {
        let path = top.join(&name);
        let meta = fs::symlink_metadata(&path).unwrap();
        let mut bytes = DefaultHasher::new();
        if meta.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            remaining.extend(entries.map(|entry| name.join(entry.unwrap().file_name())));
        } else if meta.is_symlink() {
            fs::read_link(&path).unwrap().hash(&mut bytes);
        } else {
            fs::read(&path).unwrap().hash(&mut bytes);
        }
        let mut attributes = attributes(&path);
        // A snapshot of directories has no write permissions, and remembers them.
        let frozen = attributes.remove("user.abaca.mode");
        let frozen = frozen.map(|mode| String::from_utf8(mode).unwrap());
        let frozen = frozen.map(|mode| u32::from_str_radix(&mode, 8).unwrap());
        let mode = frozen.map_or(meta.mode(), |mode| (meta.mode() & !0o7777) | mode);
        let entry = Entry {
            mode,
            owner: (meta.uid(), meta.gid()),
            modified: (meta.mtime(), meta.mtime_nsec()),
            attributes,
            names: Vec::new(),
            checksum: bytes.finish(),
        };
        files.insert(name.clone(), meta.ino());
        names.entry(meta.ino()).or_default().push(name.clone());
        tree.insert(name, entry);
    }
    for (name, entry) in &mut tree {
        entry.names = names[&files[name]].clone();
        entry.names.sort();
    }
    tree
}

/// Of users; the rest is the file system's.
fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 1024];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    let names = names[..length].split(|byte| *byte == 0);
    let names = names.map(|name| std::str::from_utf8(name).unwrap());
    let read = |name: &str| {
        let mut value = vec![0; 256];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
        value.truncate(length);
        (name.to_owned(), value)
    };
    names.filter(|name| name.starts_with("user.")).map(read).collect()
}

/// Fails with the paths in which the two differ.
pub(crate) fn assert_same(top: &Path, expected: &Tree, what: &str) {
    let found = look(top);
    let differs = |path: &&PathBuf| found.get(*path) != expected.get(*path);
    let all: std::collections::BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let differences: Vec<_> = all
        .into_iter()
        .filter(differs)
        .map(|path| (path, found.get(path), expected.get(path)))
        .collect();
    assert!(differences.is_empty(), "{what}: {}: {differences:#?}", top.display());
}
