//! Where settings come from: the config file, the environment, the command line. Later ones win.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin, Problem};

/// Environment variables with this prefix are settings: `ABACA__SECTION__KEY`.
pub(super) const PREFIX: &str = "ABACA__";

/// A value as it was given: typed by TOML, or plain text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    /// From the file.
    Typed(Value),
    /// From the environment or the command line.
    Text(String),
}

impl fmt::Display for Raw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(value) => write!(out, "{value}"),
            Self::Text(text) => write!(out, "{text:?}"),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// The given keys of one table.
pub(super) type Table = BTreeMap<String, Given>;

/// A `[section]`, or the keys above the first one (the section named "").
#[derive(Clone, Debug)]
pub(super) struct GivenSection {
    pub(super) origin: Origin,
    pub(super) keys: Table,
}

/// `ABACA__BACKEND__<NAME>__<KEY>`.
#[derive(Clone, Debug)]
pub(super) struct BackendVariable {
    pub(super) backend: String,
    pub(super) key: String,
    pub(super) given: Given,
}

/// Everything that was set, before anybody looked at what it means.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    pub(super) sections: BTreeMap<String, GivenSection>,
    pub(super) backends: Vec<GivenSection>,
    pub(super) backend_variables: Vec<BackendVariable>,
    pub(super) problems: Vec<Problem>,
}

impl Sources {
    /// Adds the config file.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let document = DeTable::parse(&text).map_err(|error| {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            let message = error.message().to_owned();
            ConfigError::Syntax { path: path.to_owned(), line, column, message }
        })?;
        let file = File { path: Arc::new(path.to_owned()), text: &text };
        for (key, value) in document.get_ref() {
            let origin = file.origin(key.span().start);
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("backend", DeValue::Array(backends)) => {
                    for backend in backends.iter() {
                        let origin = file.origin(backend.span().start);
                        match backend.get_ref() {
                            DeValue::Table(table) => {
                                self.backends.push(GivenSection { origin, keys: file.table(table) })
                            }
                            other => self.problems.push(not_backends(origin, other)),
                        }
                    }
                }
                ("backend", other) => self.problems.push(not_backends(origin, other)),
                (section, DeValue::Table(table)) => {
                    let keys = file.table(table);
                    self.sections.insert(section.to_owned(), GivenSection { origin, keys });
                }
                (key, value) => self.set("", key, Given { raw: Raw::Typed(json(value)), origin }),
            }
        }
        Ok(())
    }

    /// Adds the variables of the environment that begin with `ABACA__`.
    pub(super) fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) {
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let origin = Origin::Environment(name.clone());
            let Ok(text) = value.into_string() else {
                let key = key.to_ascii_lowercase().replace("__", ".");
                let what = "the value is not valid UTF-8".to_owned();
                self.problems.push(Problem::Refused { origin, key, what });
                continue;
            };
            let given = Given { raw: Raw::Text(text), origin };
            if let Some((backend, key)) =
                key.strip_prefix("BACKEND__").and_then(|rest| rest.rsplit_once("__"))
            {
                let (backend, key) = (backend.to_owned(), key.to_ascii_lowercase());
                self.backend_variables.push(BackendVariable { backend, key, given });
            } else {
                let key = key.to_ascii_lowercase();
                let (section, key) = key.split_once("__").unwrap_or(("", key.as_str()));
                self.set(section, key, given);
            }
        }
    }

    /// Sets one key from an option of the command line.
    pub(super) fn add_flag(
        &mut self,
        section: &str,
        key: &str,
        flag: &'static str,
        text: Option<String>,
    ) {
        if let Some(text) = text {
            self.set(section, key, Given { raw: Raw::Text(text), origin: Origin::Flag(flag) });
        }
    }

    /// Takes a section's keys out; none were given when it is absent.
    pub(super) fn take(&mut self, section: &str) -> Table {
        self.sections.remove(section).map(|given| given.keys).unwrap_or_default()
    }

    fn set(&mut self, section: &str, key: &str, given: Given) {
        let origin = given.origin.clone();
        let new = || GivenSection { origin, keys: Table::new() };
        self.sections.entry(section.to_owned()).or_insert_with(new).keys.insert(key.into(), given);
    }
}

fn not_backends(origin: Origin, value: &DeValue<'_>) -> Problem {
    Problem::BadValue {
        origin,
        key: "backend".to_owned(),
        value: format!("a TOML {}", value.type_str()),
        expected: "one [[backend]] table, in double brackets, for each backend".to_owned(),
    }
}

struct File<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
}

impl File<'_> {
    fn origin(&self, offset: usize) -> Origin {
        Origin::File { path: self.path.clone(), line: position(self.text, offset).0 }
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let given = |(key, value): (&toml::Spanned<_>, &toml::Spanned<_>)| {
            let key: &toml::Spanned<std::borrow::Cow<'_, str>> = key;
            let origin = self.origin(key.span().start);
            (key.get_ref().to_string(), Given { raw: Raw::Typed(json(value.get_ref())), origin })
        };
        table.iter().map(given).collect()
    }
}

/// Line and column of a byte offset, counted from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// A TOML value as JSON, which the drivers read. Dates become text; numbers beyond 64 bits too.
fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::from(number.to_string()), Value::from),
        DeValue::Float(number) => number
            .as_str()
            .parse::<f64>()
            .map_or_else(|_| Value::from(number.to_string()), Value::from),
        DeValue::Boolean(yes) => Value::from(*yes),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .map(|(key, item)| (key.get_ref().to_string(), json(item.get_ref())))
                .collect(),
        ),
    }
}

/// Text of an environment variable as a driver's key takes it: a TOML value, else a string.
pub(super) fn json_from_text(text: &str) -> Value {
    DeValue::parse(text).map_or_else(|_| Value::from(text), |value| json(value.get_ref()))
}
