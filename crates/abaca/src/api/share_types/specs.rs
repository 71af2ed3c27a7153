//! The extra specs the service itself knows: their names, and what they may say.

use serde_json::{Map, Value};

use crate::api::{ApiError, Call, strict_bool};

/// Every type has to say this.
pub(in crate::api) const DRIVER_HANDLES_SHARE_SERVERS: &str = "driver_handles_share_servers";
/// Snapshots may be taken.
pub(in crate::api) const SNAPSHOT_SUPPORT: &str = "snapshot_support";
/// The zones shares of the type may be in, separated by commas.
pub(in crate::api) const AVAILABILITY_ZONES: &str = "availability_zones";
/// A spec of a later version than the others, hidden from older ones.
pub(super) const SNAPSHOT_INHERIT_SHARE_ACCESS_SUPPORT: &str =
    "snapshot_inherit_share_access_support";

/// What a tenant is told of a type that doesn't say it: false.
pub(super) const FALSE_BY_DEFAULT: [&str; 4] = [
    SNAPSHOT_SUPPORT,
    "create_share_from_snapshot_support",
    "revert_to_snapshot_support",
    "mount_snapshot_support",
];

/// What a known spec may say.
enum Kind {
    Boolean,
    OneOf(&'static [&'static str]),
    Names,
    Text,
    PositiveInteger,
}

/// The known specs beside [`DRIVER_HANDLES_SHARE_SERVERS`].
const OPTIONAL: [(&str, Kind); 14] = [
    (SNAPSHOT_SUPPORT, Kind::Boolean),
    ("create_share_from_snapshot_support", Kind::Boolean),
    ("revert_to_snapshot_support", Kind::Boolean),
    ("mount_snapshot_support", Kind::Boolean),
    ("mount_point_name_support", Kind::Boolean),
    (SNAPSHOT_INHERIT_SHARE_ACCESS_SUPPORT, Kind::Boolean),
    ("replication_type", Kind::OneOf(&["writable", "readable", "dr"])),
    (AVAILABILITY_ZONES, Kind::Names),
    ("encryption_support", Kind::OneOf(&["share", "share_server"])),
    ("provisioning:max_share_size", Kind::PositiveInteger),
    ("provisioning:min_share_size", Kind::PositiveInteger),
    ("provisioning:max_share_extend_size", Kind::PositiveInteger),
    ("provisioning:mount_point_prefix", Kind::Text),
    ("default_qos_type", Kind::Text),
];

/// Whether tenants are shown the spec `key`.
pub(super) fn is_tenant_visible(key: &str) -> bool {
    key == DRIVER_HANDLES_SHARE_SERVERS || OPTIONAL.iter().any(|(known, _)| *known == key)
}

/// What is wrong with the value of a known spec; `None` when it is fine, or the spec is not known.
pub(super) fn problem(key: &str, value: &str) -> Option<&'static str> {
    if key == DRIVER_HANDLES_SHARE_SERVERS {
        return strict_bool(value).is_none().then_some("a boolean");
    }
    let (_, kind) = OPTIONAL.iter().find(|(known, _)| *known == key)?;
    let (fine, expected) = match kind {
        Kind::Boolean => (boolean(value).is_some(), "a boolean, as \"True\" or \"<is> True\""),
        Kind::OneOf(words) => (words.contains(&value), "one of the words the API knows"),
        Kind::Names => {
            (value.split(',').all(|name| !name.trim().is_empty()), "names separated by commas")
        }
        Kind::Text => (true, "a string"),
        Kind::PositiveInteger => {
            (value.trim().parse::<u32>().is_ok_and(|number| number > 0), "an integer from 1 up")
        }
    };
    (!fine).then_some(expected)
}

/// `True`, `<is> False` and the like.
pub(in crate::api) fn boolean(value: &str) -> Option<bool> {
    let value = value.trim();
    let scoped = value.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("<is>"));
    strict_bool(scoped.map_or(value, |_| value.get(4..).unwrap_or_default()))
}

/// The text a spec's JSON value is kept as; `None` for what can't be one.
pub(in crate::api) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Refuses names that can't stand in a path.
pub(in crate::api) fn check_names<'a>(
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), ApiError> {
    let is_word = |character: char| character.is_alphanumeric() || "_.-:".contains(character);
    if !names.all(|name| name.chars().all(is_word)) {
        return Err(ApiError::bad_request(
            "Key names can only contain alphanumeric characters, underscores, periods, colons and \
             hyphens.",
        ));
    }
    Ok(())
}

/// The body of a request that sets the spec its path names: that spec and no other.
pub(in crate::api) fn one_of_path(call: &Call) -> Result<&Map<String, Value>, ApiError> {
    let body = call.json().and_then(Value::as_object).filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| ApiError::bad_request("Request body empty"))?;
    if !body.contains_key(call.path("key")) {
        return Err(ApiError::bad_request("Request body and URI mismatch"));
    }
    if body.len() > 1 {
        return Err(ApiError::bad_request("Request body contains too many items"));
    }
    Ok(body)
}

/// The value as it is kept: zones without spaces around them.
pub(super) fn normal(key: &str, value: String) -> String {
    if key != AVAILABILITY_ZONES {
        return value;
    }
    value.split(',').map(str::trim).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_specs_are_checked() {
        let fine = [
            ("driver_handles_share_servers", "yes"),
            ("snapshot_support", "<is> True"),
            ("snapshot_support", "<IS>false"),
            ("mount_snapshot_support", "1"),
            ("replication_type", "dr"),
            ("availability_zones", " a , b"),
            ("provisioning:max_share_size", "5"),
            ("default_qos_type", ""),
            ("anything", "else"),
        ];
        for (key, value) in fine {
            assert_eq!(problem(key, value), None, "{key}={value}");
        }
        let wrong = [
            ("driver_handles_share_servers", "<is> True"),
            ("driver_handles_share_servers", ""),
            ("snapshot_support", "maybe"),
            ("snapshot_support", "<é> True"),
            ("replication_type", "bogus"),
            ("availability_zones", "a,,b"),
            ("provisioning:min_share_size", "0"),
            ("provisioning:min_share_size", "x"),
            ("encryption_support", "x"),
        ];
        for (key, value) in wrong {
            assert!(problem(key, value).is_some(), "{key}={value}");
        }
    }
}
