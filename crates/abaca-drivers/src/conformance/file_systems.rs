//! Runs a test on a file system of its own: as root, with its tools installed.
//!
//! It is mounted in a mount namespace of a new process, so that nothing stays mounted and no loop
//! device stays taken, however the test ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MOUNT: &str = "ABACA_TEST_MOUNT";
const IMAGE_BYTES: u64 = 4 << 30;

/// Where the file system of this process is mounted. `None` in the process of the test runner.
pub fn mounted() -> Option<PathBuf> {
    std::env::var_os(MOUNT).map(PathBuf::from)
}

/// Formats a file of four GiB, nearly all of it a hole, and runs an ignored test of this binary on it.
///
/// # Errors
/// What could not be done, or what the failing test said.
pub fn run_on_image(test: &str, mkfs: &[&str]) -> Result<(), String> {
    let top = tempfile::tempdir().map_err(|error| error.to_string())?;
    let image = top.path().join("image");
    File::create(&image)
        .and_then(|file| file.set_len(IMAGE_BYTES))
        .map_err(|error| format!("{}: {error}", image.display()))?;
    // The tools live in sbin, which is not on everybody's PATH.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut make = Command::new(mkfs.first().ok_or("no command that makes a file system")?);
    let made = make.args(mkfs.iter().skip(1)).arg(&image).env("PATH", path).output();
    let made = made.map_err(|error| format!("{mkfs:?}: {error}; run scripts/test"))?;
    if !made.status.success() {
        return Err(format!("{mkfs:?}: {}", String::from_utf8_lossy(&made.stderr)));
    }
    run_mounted(test, &["mount", "-o", "loop", &image.to_string_lossy()], top.path())
}

/// Runs an ignored test of this binary with `mount` done in a namespace of its own.
///
/// # Errors
/// What could not be done, or what the failing test said.
pub fn run_mounted(test: &str, mount: &[&str], top: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let point = top.join("mounted");
    fs::create_dir(&point).map_err(failed)?;
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-ec", "\"$@\" \"$MOUNT_POINT\"; exec \"$TEST\" $ARGUMENTS", "-"])
        .args(mount)
        .env("MOUNT_POINT", &point)
        .env("TEST", std::env::current_exe().map_err(failed)?)
        .env("ARGUMENTS", arguments(test).join(" "))
        .env(MOUNT, &point)
        .output()
        .map_err(failed)?;
    ensure_passed(&output)?;
    match fs::read_dir(&point).map_err(failed)?.count() {
        0 => Ok(()),
        _ => Err("it is mounted outside the namespace".to_owned()),
    }
}

/// The arguments that make a test binary run one ignored test.
pub fn arguments(test: &str) -> [&str; 4] {
    [test, "--exact", "--ignored", "--nocapture"]
}

/// Whether the process ran its one test and the test passed.
///
/// # Errors
/// What it said.
pub fn ensure_passed(output: &Output) -> Result<(), String> {
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && said.contains("1 passed") {
        return Ok(());
    }
    Err(format!("{}\n{said}\n{errors}", output.status))
}
