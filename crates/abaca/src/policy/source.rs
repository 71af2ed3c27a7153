//! What a rule is before it is compiled, and where it came from.

use std::{fmt, path::PathBuf};

/// A rule as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RuleSource {
    /// The policy language.
    Text(String),
    /// The old syntax: any of these, each all of those. `None` stands for an item that is no text.
    List(Vec<Vec<Option<String>>>),
}

impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(list) => write!(f, "{}", serde_json::json!(list)),
        }
    }
}

/// Where the rule in force came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// This file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A rule read from a file.
#[derive(Debug, Clone)]
pub(super) struct Override {
    pub(super) name: String,
    pub(super) source: RuleSource,
    pub(super) origin: Origin,
}
