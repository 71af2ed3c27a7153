//! The metadata in a request.

use abaca_store::metadata::Pairs;
use serde_json::Value;

use super::resource::Resource;
use crate::api::{ApiError, Call, Fields};
use crate::app::Target;

/// Reads `{"metadata": {"key": "value"}}`.
///
/// # Errors
/// 400 that says what is wrong.
pub(in crate::api) fn read(fields: &Fields<'_>) -> Result<Pairs, ApiError> {
    Ok(read_under(fields, "metadata")?.unwrap_or_default())
}

fn read_under(fields: &Fields<'_>, key: &str) -> Result<Option<Pairs>, ApiError> {
    let Some(given) = fields.object(key)? else { return Ok(None) };
    let pairs = given.iter().map(|(key, value)| Ok((key.clone(), checked(key, value)?)));
    pairs.collect::<Result<_, _>>().map(Some)
}

/// The metadata in the body of a request about `resource`; `None` stands for null.
///
/// # Errors
/// 400
pub(super) fn given(call: &Call, resource: Resource) -> Result<Option<Pairs>, ApiError> {
    let body = call.json().and_then(Value::as_object).map(Fields);
    let body = body.filter(|body| body.has("metadata"));
    let body = body.ok_or_else(|| ApiError::bad_request("Malformed request body"))?;
    let pairs = read_under(&body, "metadata")?;
    check_names(resource, pairs.iter().flat_map(Pairs::keys))?;
    Ok(pairs)
}

/// The one pair in a body that is to set the pair the path names. Clients may call it `meta`.
///
/// # Errors
/// 400
pub(super) fn one(call: &Call, resource: Resource) -> Result<Pairs, ApiError> {
    let body = call.json().and_then(Value::as_object).map(Fields);
    let pairs = match &body {
        Some(body) if body.has("metadata") => read_under(body, "metadata")?,
        Some(body) => read_under(body, "meta")?,
        None => None,
    };
    let pairs = pairs.ok_or_else(|| ApiError::bad_request("Malformed request body"))?;
    check_names(resource, pairs.keys())?;
    if !pairs.contains_key(call.path("key")) {
        return Err(ApiError::bad_request("Request body and URI mismatch"));
    }
    if pairs.len() > 1 {
        return Err(ApiError::bad_request("Request body contains too many items"));
    }
    Ok(pairs)
}

/// The reference takes fewer names for export locations.
fn check_names<'a>(
    resource: Resource,
    names: impl IntoIterator<Item = &'a String>,
) -> Result<(), ApiError> {
    let is_fine = |name: &String| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | ' '))
    };
    if resource == Resource::ExportLocation
        && let Some(name) = names.into_iter().find(|name| !is_fine(name))
    {
        return Err(ApiError::bad_request(format!(
            "Invalid metadata key {name}. Expecting letters, digits, '-', '_', ':', '.' and blanks."
        )));
    }
    Ok(())
}

/// The rule to be asked when `names` has one that only administrators may set.
pub(super) fn names_admin_only(
    call: &Call,
    resource: Resource,
    names: impl IntoIterator<Item = impl AsRef<str>>,
) -> Option<&'static str> {
    let (reserved, rule) = resource.admin_only(call)?;
    let mut names = names.into_iter();
    names.any(|name| reserved.iter().any(|one| one == name.as_ref())).then_some(rule)
}

/// Refuses the metadata of a resource to be made when the caller may not set all of it.
///
/// # Errors
/// 403 that names the rule.
pub(in crate::api) async fn authorise(
    call: &Call,
    resource: Resource,
    given: &Pairs,
    target: Option<&Target>,
) -> Result<(), ApiError> {
    match names_admin_only(call, resource, given.keys()) {
        Some(rule) => call.authorise(rule, target).await,
        None => Ok(()),
    }
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
