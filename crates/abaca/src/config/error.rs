//! What can be wrong with a configuration, said so that the reader can go and change it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a setting's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the config file, counted from 1.
    File {
        /// The file.
        path: Arc<PathBuf>,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A command-line option, such as `--listen`.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { path, line } => write!(out, "{}:{line}", path.display()),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Flag(name) => write!(out, "option {name}"),
        }
    }
}

/// One thing that is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No such key.
    #[error("{origin}: `{key}` is not a known key; did you mean `{nearest}`?")]
    Unknown {
        /// Where it stands.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// The known key that looks most like it.
        nearest: String,
    },
    /// The value is of a wrong kind or out of range.
    #[error("{origin}: `{key}` is {value}; expected {expected}")]
    BadValue {
        /// Where it stands.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// The value, or a placeholder where it is a secret.
        value: String,
        /// What a good value looks like.
        expected: String,
    },
    /// Anything else: the value is well formed but can't stand.
    #[error("{origin}: `{key}`: {what}")]
    Refused {
        /// Where it stands.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// What is wrong, and what to do.
        what: String,
    },
}

/// Why there is no configuration to start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The config file can't be read.
    #[error("the config file {} can't be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The config file is no TOML.
    #[error("{}:{line}:{column}: the config file is not valid TOML: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and column of the mistake, counted from 1.
        line: usize,
        /// See `line`.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// One setting or several are wrong.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    if let [only] = problems {
        return format!("the configuration is wrong: {only}");
    }
    let mut text = format!("the configuration is wrong in {} places:", problems.len());
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}
