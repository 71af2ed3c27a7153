//! Policy files: which there are, what is in them, whether they changed.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::config::PolicyConfig;

use super::{
    document::{self, DocumentError},
    rules::RuleTable,
    source::{Origin, Override},
};

/// Largest policy file, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why the policy can't be loaded. Nothing is opened by it: at start the service ends, later the
/// old rules stay.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A file or directory can't be read.
    #[error("policy {} can't be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any policy.
    #[error("policy {} is larger than {MAX_FILE_BYTES} bytes", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// A file's contents are no policy.
    #[error("policy {} is malformed", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: DocumentError,
    },
}

/// The text of all policy files, in the order they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources(Vec<(PathBuf, String)>);

impl Sources {
    /// Reads them all.
    pub(super) fn read(config: &PolicyConfig) -> Result<Self, PolicyError> {
        let mut paths: Vec<PathBuf> = config.file.iter().cloned().collect();
        for directory in &config.dirs {
            paths.extend(
                list(directory).map_err(|source| PolicyError::Unreadable {
                    path: directory.clone(),
                    source,
                })?,
            );
        }
        paths
            .into_iter()
            .map(|path| read_file(&path).map(|text| (path, text)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Compiles the built-in rules with these put over them.
    pub(super) fn compile(&self) -> Result<RuleTable, PolicyError> {
        let mut overrides = Vec::new();
        let mut warnings = Vec::new();
        for (path, text) in &self.0 {
            let is_json =
                path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
            let document = document::read(text, is_json)
                .map_err(|source| PolicyError::Malformed { path: path.clone(), source })?;
            warnings.extend(document.repeated.iter().map(|name| {
                format!(
                    "rule \"{name}\" stands more than once in {}; the last one counts",
                    path.display()
                )
            }));
            overrides.extend(document.rules.into_iter().map(|(name, source)| Override {
                name,
                source,
                origin: Origin::File(path.clone()),
            }));
        }
        let mut table = RuleTable::new(overrides);
        table.warnings.extend(warnings);
        Ok(table)
    }
}

/// The files of a directory that are not hidden, sorted.
fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // Following links: Kubernetes mounts each file as one.
        if !is_hidden && !entry.path().is_dir() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path) -> Result<String, PolicyError> {
    let unreadable = |source| PolicyError::Unreadable { path: path.to_owned(), source };
    // A pipe would be waited for.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("expected a regular file")));
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    let length = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(PolicyError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}
