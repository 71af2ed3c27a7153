//! Runs the command `btrfs` of btrfs-progs, the interface that operators know and every version of
//! the kernel keeps. Libraries for the same ioctls need libbtrfsutil or libclang installed.
//!
//! It is started in an open directory and given names within it, so that no path can lead elsewhere.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::io::Errno;

use crate::directory::cancel::Cancel;
use crate::directory::failure::{FsError, FsResult};
use crate::directory::kill_point;

/// What it says when the kernel refuses, as far as it makes a difference to us.
const REFUSALS: &[(&str, Errno)] = &[
    ("No space left on device", Errno::NOSPC),
    ("Disk quota exceeded", Errno::DQUOT),
    ("Directory not empty", Errno::NOTEMPTY),
    ("Invalid cross-device link", Errno::XDEV),
    ("Device or resource busy", Errno::BUSY),
    ("Resource temporarily unavailable", Errno::AGAIN),
    ("Interrupted system call", Errno::INTR),
    ("Cannot allocate memory", Errno::NOMEM),
    ("Input/output error", Errno::IO),
];

/// How often running commands are looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

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
    let output = command(directory, arguments).stdin(stdin).output();
    outcome(arguments, output.map_err(|error| not_started(arguments, &error))?)
}

fn command(directory: BorrowedFd<'_>, arguments: &[&str]) -> Command {
    let mut command = program("btrfs", directory);
    command.args(arguments);
    command
}

/// As [`command`], of one that the kernel ends when the calling thread ends, by whatever end. Else what
/// a killed process began would go on for hours, and hold the lock of the object.
fn tied_command(directory: BorrowedFd<'_>, arguments: &[&str]) -> Command {
    let mut command = program("setpriv", directory);
    command.args(["--pdeathsig", "KILL", "btrfs"]).args(arguments);
    command
}

fn program(name: &str, directory: BorrowedFd<'_>) -> Command {
    // It lies in sbin on some systems, which is not on everybody's PATH.
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command
        .current_dir(path_of(directory))
        .env("LC_ALL", "C")
        .env("PATH", format!("{path}:/usr/sbin:/sbin:/usr/bin:/bin"));
    command
}

fn line(arguments: &[&str]) -> String {
    format!("btrfs {}", arguments.join(" "))
}

fn not_started(arguments: &[&str], error: &std::io::Error) -> FsError {
    FsError::Command {
        command: line(arguments),
        said: format!(
            "it could not be started ({error}); are btrfs-progs and setpriv of util-linux installed?"
        ),
        errno: Errno::from_io_error(error).filter(|number| *number != Errno::NOENT),
    }
}

fn outcome(arguments: &[&str], output: Output) -> FsResult<Said> {
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
    Err(FsError::Command {
        command: line(arguments),
        said: format!("{warnings} ({status})"),
        errno,
    })
}

fn refusal(said: &str) -> Option<Errno> {
    REFUSALS.iter().find(|(text, _)| said.contains(text)).map(|(_, number)| *number)
}

/// Runs two commands, each in its directory, the second of which reads what the first one writes. Both
/// end soon when the call is given up, and when this process is killed.
pub(super) fn pipe(
    (from, sends): (BorrowedFd<'_>, &[&str]),
    (to, receives): (BorrowedFd<'_>, &[&str]),
    cancel: &Cancel,
) -> FsResult<()> {
    cancel.check()?;
    kill_point::hit();
    let lock = cancel.lock_to_inherit()?;
    let mut sender = tied_command(from, sends);
    let sender = sender.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut sender = sender.spawn().map_err(|error| not_started(sends, &error))?;
    let stream = sender.stdout.take().map_or_else(Stdio::null, Stdio::from);
    // Only the receiver is left with the stream: else the sender would write on, and wait, for nobody.
    let receiver =
        tied_command(to, receives).stdin(stream).stdout(lock).stderr(Stdio::piped()).spawn();
    let mut receiver = match receiver {
        Ok(receiver) => receiver,
        Err(error) => {
            end(&mut sender);
            return Err(not_started(receives, &error));
        }
    };
    let given_up = loop {
        let ended = [&mut sender, &mut receiver].map(|child| child.try_wait());
        if !ended.iter().any(|ended| matches!(ended, Ok(None))) {
            break None;
        }
        if let Err(error) = cancel.check() {
            break Some(error);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    };
    if let Some(error) = given_up {
        end(&mut sender);
        end(&mut receiver);
        return Err(error);
    }
    let received = receiver.wait_with_output().map_err(|error| not_started(receives, &error))?;
    let sent = sender.wait_with_output().map_err(|error| not_started(sends, &error))?;
    both(outcome(receives, received), outcome(sends, sent))
}

/// When one of them fails the other does too, and only one knows why.
fn both(received: FsResult<Said>, sent: FsResult<Said>) -> FsResult<()> {
    match (received, sent) {
        (
            Err(FsError::Command { command, said, errno }),
            Err(FsError::Command { command: sends, said: reason, errno: cause }),
        ) => {
            let said = format!("{said}; {sends}: {reason}");
            // The sender is interrupted when nobody receives.
            let cause = cause.filter(|number| *number != Errno::INTR);
            Err(FsError::Command { command, said, errno: errno.or(cause) })
        }
        (received, sent) => received.and(sent).map(drop),
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}
