//! The metadata of a share or a snapshot in a request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ApiError, Fields};

/// Reads `{"metadata": {"key": "value"}}`.
///
/// # Errors
/// 400 that says what is wrong.
pub(super) fn read(fields: &Fields<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(given) = fields.object("metadata")? else { return Ok(BTreeMap::new()) };
    given.iter().map(|(key, value)| Ok((key.clone(), checked(key, value)?))).collect()
}

fn checked(key: &str, value: &Value) -> Result<String, ApiError> {
    let value = value.as_str();
    let problem = match value {
        _ if key.is_empty() => "Metadata property key is blank.",
        _ if key.chars().count() > 255 => "Metadata property key is greater than 255 characters.",
        None => "Metadata property value is no string.",
        Some("") => "Metadata property value is blank.",
        Some(value) if value.chars().count() > 1023 => {
            "Metadata property value is greater than 1023 characters."
        }
        Some(value) => return Ok(value.to_owned()),
    };
    Err(ApiError::bad_request(problem))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_taken_and_anything_else_is_told_why_not() {
        let long = |length| "x".repeat(length);
        let table = [
            (json!({}), None),
            (json!({ "metadata": null }), None),
            (json!({ "metadata": { long(255): long(1023) } }), None),
            (json!({ "metadata": { "": "b" } }), Some("key is blank")),
            (json!({ "metadata": { "a": "" } }), Some("value is blank")),
            (json!({ "metadata": { "a": 1 } }), Some("value is no string")),
            (json!({ "metadata": { "a": null } }), Some("value is no string")),
            (json!({ "metadata": { long(256): "b" } }), Some("key is greater than 255")),
            (json!({ "metadata": { "a": long(1024) } }), Some("value is greater than 1023")),
            (json!({ "metadata": ["a"] }), Some("for metadata. Expecting an object")),
            (json!({ "metadata": "a" }), Some("for metadata. Expecting an object")),
        ];
        for (body, problem) in table {
            let read = read(&Fields(body.as_object().unwrap()));
            match (read, problem) {
                (Ok(_), None) => {}
                (Err(ApiError::BadRequest(message)), Some(problem)) => {
                    assert!(message.contains(problem), "{body}: {message}");
                }
                (read, _) => panic!("{body}: {read:?}"),
            }
        }
    }
}
