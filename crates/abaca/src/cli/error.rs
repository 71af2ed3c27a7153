//! Why a command failed, how that is told, and the exit code that goes with it.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::DemoError;
use crate::app::AppError;
use crate::config::ConfigError;
use crate::policy::PolicyError;
use crate::telemetry::TelemetryError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A value on the command line makes no sense beside the others.
    #[error("{0}")]
    Usage(String),
    /// The data directory can't be made.
    #[error("the data directory {} can't be made", path.display())]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Logging or metrics can't be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The policy files can't be read or are malformed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] abaca_store::Error),
    /// There is no database file yet.
    #[error("there is no database at {} yet; abaca serve and abaca db migrate make it", .0.display())]
    NoDatabase(PathBuf),
    /// The service could not start, or ended by an error.
    #[error(transparent)]
    Service(#[from] AppError),
    /// The demo could not be told to its end.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The asynchronous runtime or the signal handlers could not be made.
    #[error("the operating system refused threads or signals")]
    Runtime(#[source] io::Error),
    /// Standard output can't be written.
    #[error("the output can't be written")]
    Output(#[from] io::Error),
}

impl CliError {
    /// 2 for what the caller wrote, as clap does for the command line itself; else 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// Whether the reader of the output went away, as `head` does: no failure.
    pub(super) fn is_closed_pipe(&self) -> bool {
        let (Self::Output(error) | Self::Demo(DemoError::Output(error))) = self else {
            return false;
        };
        error.kind() == io::ErrorKind::BrokenPipe
    }

    /// The error and its causes, a line each.
    pub fn report(&self) -> String {
        let mut text = format!("error: {self}\n");
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(&format!("  because: {cause}\n"));
            source = cause.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_whole_chain_once() {
        let source = io::Error::other("disk on fire");
        let error =
            CliError::from(ConfigError::Unreadable { path: PathBuf::from("/etc/x"), source });
        assert_eq!(
            error.report(),
            "error: the config file /etc/x can't be read\n  because: disk on fire\n"
        );
    }
}
