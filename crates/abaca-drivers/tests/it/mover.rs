//! The data mover: whatever an interrupted copy left, both ends are the same afterwards.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use abaca_drivers::conformance::file_systems;
use abaca_drivers::{
    CopyProgress, Driver, DriverError, DriverResult, Migration, NewShare, ShareTree, build,
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::backends::settings;

/// Something that a tenant made. Numbers choose names, so that entries meet.
#[derive(Debug, Clone)]
enum Made {
    File { place: u8, name: u8, bytes: Vec<u8>, mode: u32 },
    Sparse { place: u8, name: u8, at: u32 },
    Directory { place: u8, name: u8, mode: u32 },
    Symlink { place: u8, name: u8 },
    HardLink { place: u8, name: u8, to_place: u8, to_name: u8 },
}

fn any_made() -> impl Strategy<Value = Made> {
    let (place, name) = (0..4_u8, 0..5_u8);
    let here = || (place.clone(), name.clone());
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    let mode = || prop::sample::select(vec![0o644_u32, 0o400, 0o755, 0o2750]);
    prop_oneof![
        4 => (here(), bytes, mode())
            .prop_map(|((place, name), bytes, mode)| Made::File { place, name, bytes, mode }),
        1 => (here(), 0..3_000_000_u32).prop_map(|((place, name), at)| Made::Sparse { place, name, at }),
        2 => (here(), prop::sample::select(vec![0o755_u32, 0o500, 0o1777]))
            .prop_map(|((place, name), mode)| Made::Directory { place, name, mode }),
        1 => here().prop_map(|(place, name)| Made::Symlink { place, name }),
        2 => (here(), here()).prop_map(|((place, name), (to_place, to_name))| {
            Made::HardLink { place, name, to_place, to_name }
        }),
    ]
}

/// Every entry's time is one of two, so that equal times come with other bytes.
fn time(name: u8) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_000_000 + u64::from(name % 2), 5)
}

fn plant(top: &Path, made: &[Made]) {
    let directory = |place: u8| {
        let path = if place == 0 { top.to_owned() } else { top.join(format!("place{place}")) };
        fs::create_dir_all(&path).unwrap();
        path
    };
    for made in made {
        // What is there already stays.
        match made {
            Made::File { place, name, bytes, mode } => {
                let path = directory(*place).join(format!("name{name}"));
                if fs::symlink_metadata(&path).is_err() {
                    fs::write(&path, bytes).unwrap();
                    File::open(&path).unwrap().set_modified(time(*name)).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                }
            }
            Made::Sparse { place, name, at } => {
                if let Ok(file) = File::create_new(directory(*place).join(format!("name{name}"))) {
                    file.write_all_at(b"data", u64::from(*at)).unwrap();
                    file.set_len(4_000_000).unwrap();
                    file.set_modified(time(*name)).unwrap();
                }
            }
            Made::Directory { place, name, mode } => {
                let path = directory(*place).join(format!("name{name}"));
                if fs::create_dir(&path).is_ok() {
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                }
            }
            Made::Symlink { place, name } => {
                let _ = symlink("../elsewhere", directory(*place).join(format!("name{name}")));
            }
            Made::HardLink { place, name, to_place, to_name } => {
                let original = directory(*to_place).join(format!("name{to_name}"));
                if original.is_file() {
                    let _ = fs::hard_link(original, directory(*place).join(format!("name{name}")));
                }
            }
        }
    }
}

/// What is told of an entry, its bytes, and the first name of its file.
type Entry = (u32, u64, Times, u64, Vec<u8>, PathBuf);

/// When it was modified, and read last: of symlinks that is not kept.
type Times = ((i64, i64), Option<(i64, i64)>);

/// Gives everything but symlinks a time at which it was read last, so long ago that reading would
/// renew it.
fn age(top: &Path) {
    let mut remaining = vec![top.to_owned()];
    while let Some(path) = remaining.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            remaining.extend(entries.map(|entry| entry.unwrap().path()));
        }
        if !meta.is_symlink() {
            let times = FileTimes::new().set_modified(meta.modified().unwrap());
            File::open(&path).unwrap().set_times(times.set_accessed(time(2))).unwrap();
        }
    }
}

/// Opens without a trace in the time of the last reading.
fn open(path: &Path) -> File {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOATIME | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).unwrap().into()
}

fn names(directory: &Path) -> Vec<OsString> {
    let entries = rustix::fs::Dir::read_from(open(directory)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_bytes().to_vec());
    let mut names: Vec<_> = names.map(|name| OsStr::from_bytes(&name).to_owned()).collect();
    names.retain(|name| name != "." && name != "..");
    names.sort();
    names
}

fn look(top: &Path) -> BTreeMap<PathBuf, Entry> {
    let (mut found, mut first) = (BTreeMap::new(), BTreeMap::new());
    let mut remaining = vec![PathBuf::new()];
    while let Some(path) = remaining.pop() {
        let meta = fs::symlink_metadata(top.join(&path)).unwrap();
        let bytes = if meta.is_dir() {
            remaining.extend(names(&top.join(&path)).iter().map(|name| path.join(name)));
            Vec::new()
        } else if meta.is_symlink() {
            fs::read_link(top.join(&path)).unwrap().into_os_string().into_encoded_bytes()
        } else {
            let mut bytes = Vec::new();
            open(&top.join(&path)).read_to_end(&mut bytes).unwrap();
            bytes
        };
        let name = if meta.is_dir() {
            path.clone()
        } else {
            first.entry(meta.ino()).or_insert_with(|| path.clone()).clone()
        };
        let links = if meta.is_dir() { 0 } else { meta.nlink() };
        let accessed = (!meta.is_symlink()).then(|| (meta.atime(), meta.atime_nsec()));
        let times = ((meta.mtime(), meta.mtime_nsec()), accessed);
        let entry = (meta.mode(), links, times, meta.uid().into(), bytes, name);
        found.insert(path, entry);
    }
    found
}

/// A share to be moved, and where it goes.
struct Ends {
    source: Arc<dyn Driver>,
    from: ShareTree,
    target: Arc<dyn Driver>,
    root: PathBuf,
    share: NewShare,
}

impl Ends {
    async fn new(at: &Path, to: &Path) -> Self {
        let open = async |root: &Path| {
            build("directory", &settings(json!({ "root": root }))).await.unwrap()
        };
        let root = to.join("to");
        let (source, target) = (open(&at.join("from")).await, open(&root).await);
        source.create_share(&new_share()).await.unwrap();
        let id = source.list_shares().await.unwrap()[0].id;
        let from = source.share_tree(id).await.unwrap();
        Self { source, from, target, root, share: new_share() }
    }

    fn data(&self) -> &Path {
        Path::new(&self.from.data)
    }

    /// Where an interrupted call has left what it had copied.
    fn unfinished(&self) -> PathBuf {
        let data = self.root.join(format!("tmp/share-{}/data", self.share.id));
        fs::create_dir_all(&data).unwrap();
        data
    }

    fn arrived(&self) -> PathBuf {
        self.root.join(format!("shares/{}/data", self.share.id))
    }

    async fn fill(&self) -> DriverResult<Arc<CopyProgress>> {
        let progress = Arc::default();
        self.target.fill_share(&self.share, &self.from, &progress).await.map(|_| progress)
    }

    async fn migration(&self, preserve_metadata: bool) -> Migration {
        let source = self.source.migration_source(self.from.id).await.unwrap();
        Migration { source, share: self.share.clone(), snapshots: Vec::new(), preserve_metadata }
    }
}

fn new_share() -> NewShare {
    let (protocol, pool) = ("NFS".to_owned(), "directory".to_owned());
    let mount_point_name = Some("name".to_owned());
    NewShare { id: Uuid::new_v4(), size_gb: 1, protocol, pool, mount_point_name }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_ends_are_the_same_whatever_was_left(
        made in proptest::collection::vec(any_made(), 0..14),
        left in proptest::collection::vec(any_made(), 0..10),
    ) {
        let top = tempfile::tempdir().unwrap();
        let ends = run(Ends::new(top.path(), top.path()));
        plant(ends.data(), &made);
        plant(&ends.unfinished(), &left);
        age(ends.data());
        let before = look(ends.data());
        let progress = run(ends.fill()).unwrap();
        let after = look(&ends.arrived());
        prop_assert_eq!(&before, &look(ends.data()), "the source was changed");
        prop_assert_eq!(&before, &after);
        prop_assert_eq!(progress.copied(), progress.total());
        prop_assert_eq!(progress.compared(), progress.total());
        let object = ends.root.join("shares").join(ends.share.id.to_string());
        let mut names: Vec<_> =
            fs::read_dir(object).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        prop_assert_eq!(names, ["data", "mount", "record.json"]);
        prop_assert_eq!(fs::read_dir(ends.root.join("tmp")).unwrap().count(), 0);
    }
}

fn set(path: &Path, key: &str, value: &[u8]) {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, format!("user.{key}"), value, flags).unwrap();
}

fn get(path: &Path, key: &str) -> Option<Vec<u8>> {
    let mut value = [0; 20];
    let length = rustix::fs::getxattr(path, format!("user.{key}"), &mut value[..]);
    length.ok().map(|length| value[..length].to_vec())
}

#[test]
fn attributes_of_tenants_are_the_same_too() {
    let top = tempfile::tempdir().unwrap();
    let ends = run(Ends::new(top.path(), top.path()));
    for (end, value) in [(ends.data(), "right"), (&ends.unfinished(), "wrong")] {
        fs::write(end.join("file"), "same").unwrap();
        fs::create_dir(end.join("directory")).unwrap();
        for name in ["directory", "file"] {
            let path = end.join(name);
            set(&path, "both", value.as_bytes());
            set(&path, value, value.as_bytes());
            File::open(&path).unwrap().set_modified(time(0)).unwrap();
        }
    }
    run(ends.fill()).unwrap();
    for name in ["directory", "file"] {
        let path = ends.arrived().join(name);
        assert_eq!(get(&path, "both").as_deref(), Some(&b"right"[..]), "{name}");
        assert_eq!(get(&path, "right").as_deref(), Some(&b"right"[..]), "{name}");
        assert_eq!(get(&path, "wrong"), None, "{name}");
    }
}

/// A list in which `user` is let in beside owner and group, as the kernel keeps it.
fn acl(user: u32) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] =
        [(1, 7, NOBODY), (2, 7, user), (4, 5, NOBODY), (16, 7, NOBODY), (32, 0, NOBODY)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes().into_iter().chain(permissions.to_le_bytes()));
        list.extend(id.to_le_bytes());
    }
    list
}

#[test]
fn nothing_is_inherited_from_what_an_interrupted_copy_left() {
    let top = tempfile::tempdir().unwrap();
    let ends = run(Ends::new(top.path(), top.path()));
    let get = |path: &Path, attribute: &str| {
        let mut value = [0; 100];
        let length = rustix::fs::getxattr(path, attribute, &mut value[..]);
        length.ok().map(|length| value[..length].to_vec())
    };
    for end in [ends.data().to_owned(), ends.unfinished()] {
        let directory = end.join("directory");
        fs::create_dir(&directory).unwrap();
        if end == ends.data() {
            fs::create_dir(directory.join("within")).unwrap();
            fs::write(directory.join("file"), "older than the list").unwrap();
            fs::write(directory.join("within/file"), "older").unwrap();
        }
        for path in [&end, &directory] {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(path, "system.posix_acl_default", &acl(7), flags).unwrap();
        }
    }
    let before = look(ends.data());
    run(ends.fill()).unwrap();
    assert_eq!(before, look(&ends.arrived()));
    for name in ["directory/file", "directory/within", "directory/within/file"] {
        let path = ends.arrived().join(name);
        assert_eq!(get(&path, "system.posix_acl_access"), None, "{name}");
        assert_eq!(get(&path, "system.posix_acl_default"), None, "{name}");
    }
    let kept = get(&ends.arrived().join("directory"), "system.posix_acl_default");
    assert_eq!(kept, Some(acl(7)));
}

/// The memory's file system holds any time and large attributes, that of this process's own does not.
#[test]
#[ignore = "started on a file system of its own"]
fn what_the_other_file_system_can_not_hold() {
    let Some(to) = file_systems::mounted() else { return };
    let from = to.with_file_name("memory");
    fs::create_dir(&from).unwrap();
    let mut mount = std::process::Command::new("mount");
    assert!(mount.args(["-t", "tmpfs", "none"]).arg(&from).status().unwrap().success());
    let ends = run(Ends::new(&from, &to));
    let data = ends.data();
    fs::create_dir(data.join("directory")).unwrap();
    for name in ["late", "directory/later", "plain"] {
        fs::write(data.join(name), name).unwrap();
    }
    let flags = rustix::fs::XattrFlags::empty();
    // Where even this is refused, the times alone are tried.
    let _ = rustix::fs::setxattr(data.join("plain"), "user.large", &[7; 20_000][..], flags);
    let late = SystemTime::UNIX_EPOCH + Duration::from_secs(40_000_000_000);
    for name in ["late", "directory/later", "directory"] {
        File::open(data.join(name)).unwrap().set_modified(late).unwrap();
    }
    let migration = run(ends.migration(true));
    let strict = run(ends.target.migrate(&migration, &Arc::default()));
    assert!(matches!(strict, Err(DriverError::Failed { .. })), "{strict:?}");
    assert!(!ends.arrived().exists(), "a share that was refused has appeared");
    run(ends.fill()).unwrap();
    for name in ["late", "directory/later", "plain"] {
        assert_eq!(fs::read_to_string(ends.arrived().join(name)).unwrap(), name);
    }
    let kept = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap() == late;
    assert!(!kept(ends.arrived().join("late")), "it can hold such a time");
}

#[test]
fn what_has_arrived_is_not_touched_by_a_late_call() {
    let top = tempfile::tempdir().unwrap();
    let ends = run(Ends::new(top.path(), top.path()));
    fs::write(ends.data().join("file"), "bytes").unwrap();
    run(ends.fill()).unwrap();
    // Tenants use it by now, and the source goes.
    fs::write(ends.arrived().join("file"), "later").unwrap();
    fs::write(ends.arrived().join("new"), "new").unwrap();
    fs::remove_file(ends.data().join("file")).unwrap();
    run(ends.fill()).unwrap();
    let migration = run(ends.migration(true));
    run(ends.target.migrate(&migration, &Arc::default())).unwrap();
    assert_eq!(fs::read_to_string(ends.arrived().join("file")).unwrap(), "later");
    assert_eq!(fs::read_to_string(ends.arrived().join("new")).unwrap(), "new");
    run(ends.source.delete_share(ends.from.id)).unwrap();
    run(ends.fill()).unwrap();
    assert_eq!(fs::read_to_string(ends.arrived().join("new")).unwrap(), "new");
}

#[test]
fn only_shares_of_backends_are_copied() {
    let top = tempfile::tempdir().unwrap();
    let mut ends = run(Ends::new(top.path(), top.path()));
    let data = ends.from.data.clone();
    let elsewhere = top.path().join(format!("shares/{}/data", ends.from.id));
    fs::create_dir_all(&elsewhere).unwrap();
    fs::write(elsewhere.join("secret"), "secret").unwrap();
    for wrong in ["/etc", elsewhere.to_str().unwrap(), &format!("{data}/absent")] {
        wrong.clone_into(&mut ends.from.data);
        let result = run(ends.fill());
        let is_final =
            matches!(result, Err(DriverError::NotFound { .. } | DriverError::InvalidInput { .. }));
        assert!(is_final, "{wrong}: {result:?}");
        assert!(!ends.arrived().exists());
    }
    ends.from = ShareTree { id: Uuid::new_v4(), data };
    assert!(run(ends.fill()).is_err(), "another share's bytes");
}
