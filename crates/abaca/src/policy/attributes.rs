//! What a check may ask: the caller's credentials and the object's attributes.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::python;

/// One attribute, borrowed.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<'a> {
    /// Python's `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// Text.
    Text(&'a str),
    /// A list of texts, such as the roles.
    TextList(&'a [String]),
    /// Anything.
    Json(&'a Value),
}

impl<'a> Attribute<'a> {
    /// Text, or `None`.
    pub fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    /// As Python's `str()` shows it.
    pub(super) fn shown(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed("None"),
            Self::Bool(true) => Cow::Borrowed("True"),
            Self::Bool(false) => Cow::Borrowed("False"),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(value) => python::str_of(value),
            Self::TextList(_) => Cow::Owned(python::str_of(&self.to_json()).into_owned()),
        }
    }

    /// A copy as JSON.
    pub fn to_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Text(text) => Value::from(text),
            Self::TextList(list) => Value::from(list),
            Self::Json(value) => value.clone(),
        }
    }

    /// Whether Python's `if` takes it for true.
    pub(super) fn is_truthy(self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => value,
            Self::Text(text) => !text.is_empty(),
            Self::TextList(list) => !list.is_empty(),
            Self::Json(value) => match value {
                Value::Null => false,
                Value::Bool(value) => *value,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(list) => !list.is_empty(),
                Value::Object(map) => !map.is_empty(),
            },
        }
    }
}

/// Credentials by name, as the `creds` dictionary of `oslo.policy`.
///
/// The service uses [`super::Credentials`]; a JSON object serves `abaca policy check` and the
/// tests.
pub trait CredentialAttributes: Sync {
    /// The attribute of this name.
    fn attribute(&self, name: &str) -> Option<Attribute<'_>>;
    /// All of them, as remote checks send them.
    fn to_map(&self) -> Map<String, Value>;
}

impl CredentialAttributes for Map<String, Value> {
    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        let value = match name {
            // oslo.policy copies a system_scope that is set to the older name.
            "system" => self
                .get("system_scope")
                .filter(|value| Attribute::Json(value).is_truthy())
                .or_else(|| self.get("system")),
            _ => self.get(name),
        };
        value.map(Attribute::Json)
    }

    fn to_map(&self) -> Map<String, Value> {
        let mut map = self.clone();
        if let Some(system) = self.attribute("system") {
            map.insert("system".to_owned(), system.to_json());
        }
        map
    }
}

/// The object of an operation.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// Its attributes.
    Attributes(&'a Map<String, Value>),
    /// None was given: the caller's own project and user, as the reference has it.
    Caller(&'a dyn CredentialAttributes),
}

impl<'a> Target<'a> {
    pub(super) fn get(self, key: &str) -> Option<Attribute<'a>> {
        match self {
            Self::Attributes(map) => map.get(key).map(Attribute::Json),
            Self::Caller(credentials) if matches!(key, "project_id" | "user_id") => {
                Some(credentials.attribute(key).unwrap_or(Attribute::Null))
            }
            Self::Caller(_) => None,
        }
    }

    pub(super) fn to_json(self) -> Value {
        match self {
            Self::Attributes(map) => Value::Object((*map).clone()),
            Self::Caller(_) => ["project_id", "user_id"]
                .into_iter()
                .filter_map(|key| self.get(key).map(|value| (key.to_owned(), value.to_json())))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}
