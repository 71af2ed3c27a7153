//! The data mover: whatever an interrupted copy left, both ends are the same afterwards.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use abaca_drivers::{CopyProgress, DriverError, ShareTree, copy_share};
use proptest::prelude::*;

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
type Entry = (u32, u64, i64, i64, u64, Vec<u8>, PathBuf);

fn look(top: &Path) -> BTreeMap<PathBuf, Entry> {
    let (mut found, mut first) = (BTreeMap::new(), BTreeMap::new());
    let mut remaining = vec![PathBuf::new()];
    while let Some(path) = remaining.pop() {
        let meta = fs::symlink_metadata(top.join(&path)).unwrap();
        let bytes = if meta.is_dir() {
            let entries = fs::read_dir(top.join(&path)).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            remaining.extend(names.iter().map(|name| path.join(name)));
            Vec::new()
        } else if meta.is_symlink() {
            fs::read_link(top.join(&path)).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(top.join(&path)).unwrap()
        };
        let name = if meta.is_dir() {
            path.clone()
        } else {
            first.entry(meta.ino()).or_insert_with(|| path.clone()).clone()
        };
        let links = if meta.is_dir() { 0 } else { meta.nlink() };
        let entry =
            (meta.mode(), links, meta.mtime(), meta.mtime_nsec(), meta.uid().into(), bytes, name);
        found.insert(path, entry);
    }
    found
}

fn ends(top: &Path) -> (ShareTree, ShareTree) {
    let end = |name: &str| {
        let scratch = top.join(name);
        let data = scratch.join("data");
        fs::create_dir_all(&data).unwrap();
        ShareTree { data, scratch }
    };
    (end("from"), end("to"))
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_ends_are_the_same_whatever_was_there(
        made in proptest::collection::vec(any_made(), 0..14),
        left in proptest::collection::vec(any_made(), 0..10),
    ) {
        let top = tempfile::tempdir().unwrap();
        let (from, to) = ends(top.path());
        plant(&from.data, &made);
        plant(&to.data, &left);
        let before = look(&from.data);
        let progress = Arc::new(CopyProgress::default());
        run(copy_share(&from, &to, &progress)).unwrap();
        let after = look(&to.data);
        prop_assert_eq!(&before, &look(&from.data), "the source was changed");
        prop_assert_eq!(&before, &after);
        prop_assert_eq!(progress.copied(), progress.total());
        prop_assert_eq!(progress.compared(), progress.total());
        let names: Vec<_> = fs::read_dir(&to.scratch).unwrap().map(|e| e.unwrap().file_name()).collect();
        prop_assert_eq!(names, ["data"]);
    }
}

#[test]
fn attributes_of_tenants_are_the_same_too() {
    let top = tempfile::tempdir().unwrap();
    let (from, to) = ends(top.path());
    for (end, value) in [(&from, "right"), (&to, "wrong")] {
        for name in ["directory", "file"] {
            let path = end.data.join(name);
            if name == "file" {
                fs::write(&path, "same").unwrap()
            } else {
                fs::create_dir(&path).unwrap()
            }
            let set = |key: &str| {
                let flags = rustix::fs::XattrFlags::empty();
                rustix::fs::setxattr(&path, format!("user.{key}"), value.as_bytes(), flags)
                    .unwrap();
            };
            set("both");
            set(value);
            File::open(&path).unwrap().set_modified(time(0)).unwrap();
        }
    }
    run(copy_share(&from, &to, &Arc::default())).unwrap();
    for name in ["directory", "file"] {
        let path = to.data.join(name);
        let get = |key: &str| {
            let mut value = [0; 20];
            let length = rustix::fs::getxattr(&path, format!("user.{key}"), &mut value[..]);
            length.ok().map(|length| value[..length].to_vec())
        };
        assert_eq!(get("both").as_deref(), Some(&b"right"[..]), "{name}");
        assert_eq!(get("right").as_deref(), Some(&b"right"[..]), "{name}");
        assert_eq!(get("wrong"), None, "{name}");
    }
}

#[test]
fn a_tree_that_is_not_here_is_an_error_for_good() {
    let top = tempfile::tempdir().unwrap();
    let (from, to) = ends(top.path());
    let from = ShareTree { data: from.data.join("absent"), ..from };
    let result = run(copy_share(&from, &to, &Arc::default()));
    assert!(matches!(result, Err(DriverError::Failed { .. })), "{result:?}");
}
