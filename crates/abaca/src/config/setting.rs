//! The kinds of values a setting can have: how each is read, checked and shown.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use url::Url;

/// A kind of value.
pub(super) trait Setting: Sized {
    /// What a good value looks like, to stand after "expected".
    const EXPECTED: &'static str;
    /// Hidden wherever the value would be shown.
    const SECRET: bool = false;

    /// Reads text, as the environment and the command line give it.
    fn from_text(text: &str) -> Option<Self>;

    /// Reads what the config file gives.
    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::from_text)
    }

    /// The value to show, in a form that can be read again.
    fn to_json(&self) -> Value;
}

impl Setting for String {
    const EXPECTED: &'static str = "a string that is not empty";

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn to_json(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_text(text: &str) -> Option<Self> {
        text.to_ascii_lowercase().parse().ok()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn to_json(&self) -> Value {
        Value::from(*self)
    }
}

impl Setting for NonZeroU32 {
    const EXPECTED: &'static str = "a whole number from 1 to 4294967295";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_u64().and_then(|number| u32::try_from(number).ok()).and_then(Self::new)
    }

    fn to_json(&self) -> Value {
        Value::from(self.get())
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = "a number of seconds from 0.001 to 31536000";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().and_then(seconds)
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_f64().and_then(seconds)
    }

    fn to_json(&self) -> Value {
        if self.subsec_nanos() == 0 {
            Value::from(self.as_secs())
        } else {
            self.as_secs_f64().into()
        }
    }
}

fn seconds(number: f64) -> Option<Duration> {
    const YEAR: f64 = 31_536_000.0;
    (0.001..=YEAR).contains(&number).then(|| Duration::from_secs_f64(number))
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an IP address and a port, such as 127.0.0.1:8786 or [::1]:8786";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_json(&self) -> Value {
        Value::from(self.to_string())
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }

    fn to_json(&self) -> Value {
        Value::from(self.to_string_lossy())
    }
}

impl Setting for Vec<PathBuf> {
    const EXPECTED: &'static str = "an array of paths (in the environment: separated by commas)";

    fn from_text(text: &str) -> Option<Self> {
        text.split(',').filter(|part| !part.is_empty()).map(PathBuf::from_text).collect()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(PathBuf::from_json).collect()
    }

    fn to_json(&self) -> Value {
        self.iter().map(PathBuf::to_json).collect()
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &'static str = "an array of strings (in the environment: separated by commas)";

    fn from_text(text: &str) -> Option<Self> {
        text.split(',').filter(|part| !part.is_empty()).map(String::from_text).collect()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(String::from_json).collect()
    }

    fn to_json(&self) -> Value {
        self.iter().map(String::to_json).collect()
    }
}

/// The address of a service, `http` or `https`, without user, query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(Url);

impl HttpUrl {
    /// The address, as text that has no character beyond ASCII.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl Setting for HttpUrl {
    const EXPECTED: &'static str =
        "http://HOST:PORT/PATH or https://HOST:PORT/PATH, without user, query and fragment";
    // A bad one may hold a password.
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare = url.username().is_empty() && url.password().is_none();
        let whole = url.query().is_none() && url.fragment().is_none();
        let good = matches!(url.scheme(), "http" | "https") && url.has_host() && bare && whole;
        good.then_some(Self(url))
    }

    fn to_json(&self) -> Value {
        Value::from(self.as_str())
    }
}

/// How the service tells who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Trust the token's own word; loopback only.
    NoAuth,
    /// Ask Keystone.
    Keystone,
}

impl Setting for Strategy {
    const EXPECTED: &'static str = "\"noauth\" or \"keystone\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "noauth" => Some(Self::NoAuth),
            "keystone" => Some(Self::Keystone),
            _ => None,
        }
    }

    fn to_json(&self) -> Value {
        Value::from(match self {
            Self::NoAuth => "noauth",
            Self::Keystone => "keystone",
        })
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Setting for LogFormat {
    const EXPECTED: &'static str = "\"text\" or \"json\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn to_json(&self) -> Value {
        Value::from(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Which log lines are written: `LEVEL` and `MODULE=LEVEL`, separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogLevel {
    /// The directives, in the syntax of `tracing_subscriber`'s targets.
    pub fn directives(&self) -> &str {
        &self.0
    }

    /// The level for everything.
    pub(super) fn info() -> Self {
        Self("info".to_owned())
    }
}

impl Setting for LogLevel {
    const EXPECTED: &'static str = "off, error, warn, info, debug or trace, optionally for one \
                                    module, as in \"info,abaca::engine=debug\"";

    fn from_text(text: &str) -> Option<Self> {
        // Checked here because the subscriber takes a mistyped level for a module's name.
        let level = |part: &str| tracing::level_filters::LevelFilter::from_str(part).is_ok();
        let good = |part: &str| match part.split_once('=') {
            Some((module, own)) => !module.is_empty() && level(own),
            None => !part.is_empty() && part.parse::<u8>().is_err() && level(part),
        };
        text.split(',').all(good).then(|| Self(text.to_owned()))
    }

    fn to_json(&self) -> Value {
        Value::from(self.0.as_str())
    }
}
