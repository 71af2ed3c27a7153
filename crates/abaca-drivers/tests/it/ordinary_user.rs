//! The directory backend needs no root, nor all that root may do elsewhere.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use abaca_drivers::conformance::run;
use abaca_drivers::{Driver, DriverError, Migration, NewShare, build};
use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::json;
use uuid::Uuid;

use crate::again::{arguments, ensure_passed, ensure_root, variable};
use crate::backends::{DirectorySubject, settings};

const NOBODY: u32 = 65534;

/// Runs an ignored test of this binary as an ordinary user, to whom `top` belongs.
fn run_as_ordinary_user(test: &str, top: &Path) {
    chown(top, Some(NOBODY), Some(NOBODY)).unwrap();
    // The build directory may be closed to that user.
    let program = top.join("test-program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    run_by(Command::new(program).uid(NOBODY).gid(NOBODY), test, top);
}

/// Runs an ignored test of this binary by a command that starts it.
fn run_by(command: &mut Command, test: &str, top: &Path) {
    let output = command
        .args(arguments(test))
        .env("TMPDIR", top)
        .env("ABACA_TEST_TOP", top)
        .env("ABACA_TEST_USER", NOBODY.to_string())
        .current_dir("/")
        .output()
        .unwrap();
    ensure_passed(&output);
}

#[test]
fn conformance_as_an_ordinary_user() {
    ensure_root(); // Else conformance::directory is this very test.
    let top = tempfile::tempdir().unwrap();
    run_as_ordinary_user("ordinary_user::conformance_of_this_user", top.path());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by conformance_as_an_ordinary_user"]
async fn conformance_of_this_user() {
    let Some(user) = variable("ABACA_TEST_USER") else { return };
    assert_eq!(rustix::process::geteuid().as_raw().to_string(), user);
    // Far fewer files than the deepest tree has levels.
    let few = Rlimit { current: Some(256), maximum: Some(256) };
    setrlimit(Resource::Nofile, few).unwrap();
    let top = tempfile::tempdir().unwrap();
    run(&DirectorySubject::under(top.path())).await.unwrap();
}

async fn open(root: &Path) -> Arc<dyn Driver> {
    build("directory", &settings(json!({ "root": root }))).await.unwrap()
}

/// A name, and what makes an entry of that name.
type Foreign = (&'static str, fn(&Path));

/// What only root can put into a share.
const FOREIGN: [Foreign; 5] = [
    ("file", |path| fs::write(path, "foreign").unwrap()),
    ("program", |path| {
        fs::write(path, "foreign").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o4755)).unwrap();
    }),
    ("directory", |path| fs::create_dir(path).unwrap()),
    ("link", |path| symlink("file", path).unwrap()),
    ("device", |path| {
        let device = rustix::fs::makedev(1, 3);
        rustix::fs::mknodat(CWD, path, FileType::CharacterDevice, Mode::RUSR, device).unwrap();
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }),
];

fn give_away(top: &Path) {
    chown(top, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in fs::read_dir(top).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => give_away(&entry.path()),
            false => lchown(entry.path(), Some(NOBODY), Some(NOBODY)).unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_by_an_ordinary_user() {
    ensure_root();
    let top = tempfile::tempdir().unwrap();
    let driver = open(&top.path().join("from")).await;
    let mut shares = Vec::new();
    for _ in FOREIGN {
        shares.push(driver.create_share(&new_share()).await.unwrap().remove(0).path);
    }
    drop(driver);
    give_away(top.path());
    for ((name, make), share) in FOREIGN.iter().zip(shares) {
        fs::write(Path::new(&share).join("own"), "bytes").unwrap();
        chown(Path::new(&share).join("own"), Some(NOBODY), Some(NOBODY)).unwrap();
        make(&Path::new(&share).join(name));
    }
    run_as_ordinary_user("ordinary_user::migrations_of_this_user", top.path());
}

/// As in a container, or under `PrivateDevices=` of systemd.
#[tokio::test(flavor = "multi_thread")]
async fn migration_by_root_without_devices() {
    ensure_root();
    let top = tempfile::tempdir().unwrap();
    let driver = open(&top.path().join("from")).await;
    let share = driver.create_share(&new_share()).await.unwrap().remove(0).path;
    drop(driver);
    fs::write(Path::new(&share).join("own"), "bytes").unwrap();
    let (name, make) = FOREIGN[FOREIGN.len() - 1];
    make(&Path::new(&share).join(name));
    let mut without = Command::new("setpriv");
    without.arg("--bounding-set=-mknod").arg(std::env::current_exe().unwrap());
    run_by(&mut without, "ordinary_user::migrations_of_this_user", top.path());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests above"]
async fn migrations_of_this_user() {
    let Some(top) = variable("ABACA_TEST_TOP") else { return };
    let top = Path::new(&top);
    let (from, to) = (open(&top.join("from")).await, open(&top.join("to")).await);
    let shares = from.list_shares().await.unwrap();
    assert!(!shares.is_empty());
    for share in shares {
        let mut migration = Migration {
            source: from.migration_source(share.id).await.unwrap(),
            share: new_share(),
            snapshots: Vec::new(),
            preserve_metadata: true,
        };
        let planted = fs::read_dir(&migration.source.location).unwrap();
        let planted: Vec<_> = planted.map(|entry| entry.unwrap().file_name()).collect();
        let refused = to.migrate(&migration, &Arc::default()).await;
        let Err(DriverError::Failed { .. }) = refused else {
            panic!("{planted:?} can't be kept: {refused:?}");
        };
        migration.preserve_metadata = false;
        let arrived = to.migrate(&migration, &Arc::default()).await.unwrap();
        let arrived = Path::new(&arrived.exports[0].path);
        assert_eq!(fs::read(arrived.join("own")).unwrap(), b"bytes");
        if let Ok(program) = fs::metadata(arrived.join("program")) {
            assert_eq!(program.mode() & 0o7777, 0o755, "it lends the service's identity");
        }
    }
}

fn new_share() -> NewShare {
    let (protocol, pool) = ("NFS".to_owned(), "directory".to_owned());
    NewShare { id: Uuid::new_v4(), size_gb: 1, protocol, pool, mount_point_name: None }
}
