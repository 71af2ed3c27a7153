//! Runs the command `btrfs` of btrfs-progs, the interface that operators know and every version of
//! the kernel keeps. Libraries for the same ioctls need libbtrfsutil or libclang installed.
//!
//! It is started in an open directory and given names within it, so that no path can lead elsewhere.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::process::{Command, Output, Stdio};

use rustix::io::Errno;

use crate::directory::cancel::Cancel;
use crate::directory::failure::{FsError, FsResult};
use crate::directory::kill_point;

/// What it says when the kernel refuses, as far as it makes a difference to us.
const REFUSALS: &[(&str, Errno)] = &[
    ("No space left on device", Errno::NOSPC),
    ("Disk quota exceeded", Errno::DQUOT),
    ("Directory not empty", Errno::NOTEMPTY),
    ("Device or resource busy", Errno::BUSY),
    ("Resource temporarily unavailable", Errno::AGAIN),
    ("Interrupted system call", Errno::INTR),
    ("Cannot allocate memory", Errno::NOMEM),
    ("Input/output error", Errno::IO),
];

/// What it said when it succeeded.
pub(super) struct Said {
    pub(super) output: String,
    /// Its standard error.
    pub(super) warnings: String,
}

/// Runs a command that changes something. Should this process be killed, the command keeps the lock
/// of the object until it ends.
pub(super) fn change(
    directory: BorrowedFd<'_>,
    arguments: &[&str],
    cancel: &Cancel,
) -> FsResult<()> {
    cancel.check()?;
    kill_point::hit();
    run(directory, arguments, cancel.lock_to_inherit()?).map(drop)
}

/// Runs a command that only looks.
pub(super) fn look(directory: BorrowedFd<'_>, arguments: &[&str]) -> FsResult<Said> {
    run(directory, arguments, Stdio::null())
}

/// A path by which another process finds what this process has open.
pub(super) fn path_of(file: BorrowedFd<'_>) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

fn run(directory: BorrowedFd<'_>, arguments: &[&str], stdin: Stdio) -> FsResult<Said> {
    let line = || format!("btrfs {}", arguments.join(" "));
    // It lies in sbin on some systems, which is not on everybody's PATH.
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("btrfs")
        .args(arguments)
        .current_dir(path_of(directory))
        .env("LC_ALL", "C")
        .env("PATH", format!("{path}:/usr/sbin:/sbin:/usr/bin:/bin"))
        .stdin(stdin)
        .output();
    let output = output.map_err(|error| FsError::Command {
        command: line(),
        said: format!("it could not be started ({error}); is btrfs-progs installed?"),
        errno: Errno::from_io_error(&error).filter(|number| *number != Errno::NOENT),
    })?;
    let Output { status, stdout, stderr } = output;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    let (output, warnings) = (text(stdout), text(stderr));
    if status.success() {
        return Ok(Said { output, warnings });
    }
    // Killed by a signal, perhaps for want of memory: the next one may get through.
    let errno = match status.code() {
        None => Some(Errno::INTR),
        Some(_) => refusal(&warnings),
    };
    Err(FsError::Command { command: line(), said: format!("{warnings} ({status})"), errno })
}

fn refusal(said: &str) -> Option<Errno> {
    REFUSALS.iter().find(|(text, _)| said.contains(text)).map(|(_, number)| *number)
}
