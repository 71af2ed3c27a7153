//! Settings that hold a secret: neither shown nor logged.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::setting::Setting;

/// A string that is never shown or logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

/// What stands in place of a secret.
const HIDDEN: &str = "********";

/// `sqlite:PATH`, `postgres://...` or `mysql://...`. `Debug` and `Display` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password, for the one place that connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The file, when it is SQLite's.
    pub fn sqlite_file(&self) -> Option<&Path> {
        let path = self.0.strip_prefix("sqlite:")?;
        Some(Path::new(path.strip_prefix("//").unwrap_or(path)))
    }

    /// SQLite in this file.
    pub(super) fn sqlite(path: &Path) -> Self {
        Self(format!("sqlite:{}", path.display()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with("sqlite:") {
            return out.write_str(&self.0);
        }
        out.write_str(hide_password(&self.0).as_deref().unwrap_or(HIDDEN))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

/// Hides `user:password@` and `?password=`; none when the text is no URL.
fn hide_password(text: &str) -> Option<String> {
    let mut url = url::Url::parse(text).ok()?;
    if url.password().is_some() {
        url.set_password(Some(HIDDEN)).ok()?;
    }
    let is_secret = |key: &str| key.to_ascii_lowercase().contains("pass");
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if pairs.iter().any(|(key, _)| is_secret(key)) {
        for (_, value) in pairs.iter_mut().filter(|(key, _)| is_secret(key)) {
            HIDDEN.clone_into(value);
        }
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    Some(url.to_string())
}

impl Setting for DatabaseUrl {
    const EXPECTED: &'static str =
        "sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let good = match scheme {
            "sqlite" => !rest.is_empty(),
            "postgres" | "postgresql" | "mysql" | "mariadb" => {
                url::Url::parse(text).is_ok_and(|url| url.has_host())
            }
            _ => false,
        };
        good.then(|| Self(text.to_owned()))
    }

    fn to_json(&self) -> Value {
        Value::from(self.to_string())
    }
}

impl Setting for Secret {
    const EXPECTED: &'static str = "a string";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    fn to_json(&self) -> Value {
        Value::from(HIDDEN)
    }
}
