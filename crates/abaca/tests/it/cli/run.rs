//! Runs the built binary with an environment and a home of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

/// A command to be run.
pub(crate) struct Run {
    command: Command,
    home: Arc<TempDir>,
}

/// What it did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// `abaca` in a fresh home.
pub(crate) fn abaca() -> Run {
    Run::in_home(Arc::new(tempfile::tempdir().unwrap()))
}

impl Run {
    /// Another command in the same home.
    pub(crate) fn again(other: &Self) -> Self {
        Self::in_home(Arc::clone(&other.home))
    }

    fn in_home(home: Arc<TempDir>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_abaca"));
        command.env_clear().env("HOME", home.path()).env("TMPDIR", home.path());
        command.current_dir(home.path()).stdin(Stdio::null());
        Self { command, home }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<'a>(mut self, arguments: impl AsRef<[&'a str]>) -> Self {
        self.command.args(arguments.as_ref());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The command itself, for one that is to be stopped.
    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ran {
        Ran::from(self.command.output().unwrap())
    }

    /// Runs it with a pipe as its output that nobody reads.
    pub(crate) fn run_with_closed_output(mut self) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.command.stdout(writer).stderr(Stdio::piped());
        let child = self.command.spawn().unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }
}

impl Ran {
    pub(crate) fn succeeded(&self) {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
    }

    pub(crate) fn failed(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
