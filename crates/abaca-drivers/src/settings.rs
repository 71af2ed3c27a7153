//! A driver's own settings: a table of keys that each driver declares and reads strictly.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

/// The driver's own part of a `[[backend]]` table.
pub type Settings = Map<String, Value>;

/// What a setting's value looks like, for messages and for `abaca config show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number of zero or more.
    Integer,
    /// A number, with or without a fraction.
    Number,
    /// A string.
    Text,
    /// A path of a file or directory.
    Path,
    /// A table of further keys.
    Table,
    /// An array of tables.
    Tables,
}

impl SettingKind {
    /// The kind in words, such as "a whole number of zero or more".
    pub fn description(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number of zero or more",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Path => "a path",
            Self::Table => "a table",
            Self::Tables => "an array of tables",
        }
    }

    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_u64(),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::Path => value.as_str().is_some_and(|path| !path.is_empty()),
            Self::Table => value.is_object(),
            Self::Tables => {
                value.as_array().is_some_and(|items| items.iter().all(Value::is_object))
            }
        }
    }
}

/// One key of a driver's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SettingKey {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: SettingKind,
    /// Without it the backend can't be built.
    pub required: bool,
    /// The default, if there is one, in what is both TOML and JSON.
    pub default: Option<&'static str>,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// The keys inside, when the value is a table or an array of tables with fixed keys.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub keys: &'static [SettingKey],
}

/// What is wrong with a backend's settings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// No such driver.
    #[error("driver: there is no driver named {name:?}{}; there are: {}", did_you_mean(nearest), known.join(", "))]
    UnknownDriver {
        /// The name that was asked for.
        name: String,
        /// The known name that is nearest to it.
        nearest: Option<&'static str>,
        /// All known names.
        known: Vec<&'static str>,
    },
    /// The driver has no such key.
    #[error("{key}: the driver {driver} has no such key{}", did_you_mean(nearest))]
    UnknownKey {
        /// The driver.
        driver: &'static str,
        /// The unknown key, with the table it is in.
        key: String,
        /// The known key that is nearest to it.
        nearest: Option<&'static str>,
    },
    /// A required key is missing.
    #[error("{key}: the driver {driver} needs this key, {expected}")]
    MissingKey {
        /// The driver.
        driver: &'static str,
        /// The missing key.
        key: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A key has a value that makes no sense.
    #[error("{key}: {problem}")]
    BadValue {
        /// The key.
        key: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
}

impl SettingsError {
    /// The key that the error is about.
    pub fn key(&self) -> &str {
        match self {
            Self::UnknownDriver { .. } => "driver",
            Self::UnknownKey { key, .. }
            | Self::MissingKey { key, .. }
            | Self::BadValue { key, .. } => key,
        }
    }

    pub(crate) fn bad_value(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::BadValue { key: key.into(), problem: problem.into() }
    }
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

/// The known name that a person most likely meant, if any is near enough.
pub(crate) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Checks the keys of `table` against `keys`, then reads it into `T`. `prefix` names the table in
/// messages (`pools[0].`); it is empty for the backend's own table.
pub(crate) fn read<T: DeserializeOwned>(
    driver: &'static str,
    prefix: &str,
    keys: &[SettingKey],
    table: &Settings,
) -> Result<T, SettingsError> {
    for (name, value) in table {
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            let known: Vec<_> = keys.iter().map(|key| key.name).collect();
            let nearest = nearest(name, &known);
            return Err(SettingsError::UnknownKey {
                driver,
                key: format!("{prefix}{name}"),
                nearest,
            });
        };
        if !key.kind.accepts(value) {
            let problem = format!("expected {}, got {value}", key.kind.description());
            return Err(SettingsError::bad_value(format!("{prefix}{name}"), problem));
        }
    }
    if let Some(key) = keys.iter().find(|key| key.required && !table.contains_key(key.name)) {
        return Err(SettingsError::MissingKey {
            driver,
            key: format!("{prefix}{}", key.name),
            expected: key.kind.description(),
        });
    }
    serde_json::from_value(Value::Object(table.clone()))
        .map_err(|error| SettingsError::bad_value(prefix.trim_end_matches('.'), error.to_string()))
}
