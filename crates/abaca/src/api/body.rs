//! The JSON body of a request.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::ApiError;

/// Reads a request's body.
///
/// # Errors
/// 415 for a body that is not said to be JSON; 400 for one that isn't, is nested too deep, or has a
/// NUL, which no database takes.
pub(super) fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Value>, ApiError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or(value).trim());
    if !media_type.is_some_and(|name| name.eq_ignore_ascii_case("application/json")) {
        return Err(ApiError::UnsupportedMediaType);
    }
    match serde_json::from_slice(bytes) {
        Ok(value) if !has_nul(&value) => Ok(Some(value)),
        _ => Err(malformed_body()),
    }
}

pub(super) fn malformed_body() -> ApiError {
    ApiError::bad_request("Malformed request body")
}

/// No recursion to fear: the parser has bounded the depth.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The fields of a JSON object in a request, read with errors that name them.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(pub &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The value of `key`, `None` when it is absent or null.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Whether `key` is there at all, even with null.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A text, `None` when it is absent or null.
    ///
    /// # Errors
    /// 400 that names `key` when it is anything else.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, ApiError> {
        self.read(key, "a string", Value::as_str)
    }

    /// A text of at most `max` characters.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn text_up_to(&self, key: &str, max: usize) -> Result<Option<&'a str>, ApiError> {
        let text = self.text(key)?;
        if text.is_some_and(|text| text.chars().count() > max) {
            let message =
                format!("Invalid input received: {key} can only be {max} characters long.");
            return Err(ApiError::bad_request(message));
        }
        Ok(text)
    }

    /// A boolean, given as one or as a text or number that stands for one.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, ApiError> {
        self.read(key, "a boolean", |value| match value {
            Value::Bool(value) => Some(*value),
            Value::String(text) => strict_bool(text),
            Value::Number(number) => strict_bool(&number.to_string()),
            _ => None,
        })
    }

    /// An integer, given as a number or as a text of digits.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, ApiError> {
        self.read(key, "an integer", |value| match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// An object.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn object(&self, key: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        self.read(key, "an object", Value::as_object)
    }

    /// The value of `key` read by `read`; `what` it should be for the message.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn read<T>(
        &self,
        key: &str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        self.value(key)
            .map(|value| {
                read(value).ok_or_else(|| {
                    ApiError::bad_request(format!("Invalid value for {key}. Expecting {what}."))
                })
            })
            .transpose()
    }
}

/// What the field takes for a boolean: 1, t, true, on, y, yes and 0, f, false, off, n, no.
#[must_use]
pub fn strict_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}

/// As [`strict_bool`], anything unknown is false.
pub(super) fn lenient_bool(text: &str) -> bool {
    strict_bool(text).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn json_headers() -> HeaderMap {
        HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        )])
    }

    #[test]
    fn refuses_bodies_that_would_hurt_further_in() {
        let deep = "[".repeat(2_000) + &"]".repeat(2_000);
        for text in [deep.as_str(), "{", "\"\\u0000\"", "{\"a\\u0000\": 1}", "NaN"] {
            let refused = parse(&json_headers(), text.as_bytes());
            assert!(matches!(refused, Err(ApiError::BadRequest(_))), "{text}");
        }
        assert!(matches!(parse(&json_headers(), b"\xff"), Err(ApiError::BadRequest(_))));
    }

    #[test]
    fn a_body_must_be_said_to_be_json() {
        let refused = parse(&HeaderMap::new(), b"{}");
        assert!(matches!(refused, Err(ApiError::UnsupportedMediaType)));
        assert!(parse(&HeaderMap::new(), b"").is_ok());
        assert!(parse(&json_headers(), b"{}").is_ok());
    }

    #[test]
    fn fields_name_what_is_wrong() {
        let body = serde_json::json!({"name": 1, "force": "yes", "size": "12", "none": null});
        let fields = Fields(body.as_object().unwrap());
        assert!(matches!(fields.text("name"), Err(ApiError::BadRequest(message))
            if message == "Invalid value for name. Expecting a string."));
        assert_eq!(fields.boolean("force").unwrap(), Some(true));
        assert_eq!(fields.integer("size").unwrap(), Some(12));
        assert_eq!(fields.text("none").unwrap(), None);
    }
}
