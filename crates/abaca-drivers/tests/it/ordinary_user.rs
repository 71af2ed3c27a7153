//! The directory backend needs no root.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use abaca_drivers::conformance::run;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::again::{arguments, ensure_passed, variable};
use crate::backends::DirectorySubject;

const NOBODY: u32 = 65534;

#[test]
fn conformance_as_an_ordinary_user() {
    if !rustix::process::geteuid().is_root() {
        return; // Then conformance::directory is this very test.
    }
    let top = tempfile::tempdir().unwrap();
    chown(top.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    // The build directory may be closed to that user.
    let program = top.path().join("test-program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(program)
        .args(arguments("ordinary_user::conformance_of_this_user"))
        .env("TMPDIR", top.path())
        .env("ABACA_TEST_USER", NOBODY.to_string())
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .output()
        .unwrap();
    ensure_passed(&output);
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
