//! The document of one version.

use serde_json::{Map, Value};

use super::EXTENSION;
use crate::api::V;

/// Leaves out what `version` lacks, and makes required what it always has.
pub(super) fn narrow(value: &mut Value, version: V) {
    match value {
        Value::Array(items) => {
            items.retain(|item| is_in(item, version));
            items.iter_mut().for_each(|item| narrow(item, version));
        }
        Value::Object(map) => {
            require(map, version);
            map.retain(|_, value| is_in(value, version));
            map.values_mut().for_each(|value| narrow(value, version));
            forget_versions(map);
        }
        _ => {}
    }
}

/// Properties that not every version has can't be required in the document of all.
fn require(map: &mut Map<String, Value>, version: V) {
    let Some(Value::Object(properties)) = map.get("properties") else { return };
    let is_there = |value: &Value| {
        let is_optional = value.pointer("/x-openstack/optional").is_some();
        let has_range = bound(value, "min-ver").or(bound(value, "max-ver")).is_some();
        has_range && !is_optional && is_in(value, version)
    };
    let there = properties.iter().filter(|(_, value)| is_there(value));
    let there: Vec<Value> = there.map(|(key, _)| Value::from(key.as_str())).collect();
    if let Some(Value::Array(required)) = map.get_mut("required") {
        required.extend(there);
    }
}

fn is_in(value: &Value, version: V) -> bool {
    bound(value, "min-ver").is_none_or(|first| first <= version)
        && bound(value, "max-ver").is_none_or(|last| version <= last)
}

fn bound(value: &Value, key: &str) -> Option<V> {
    value.get(EXTENSION)?.get(key)?.as_str()?.parse().ok()
}

fn forget_versions(map: &mut Map<String, Value>) {
    let Some(Value::Object(extension)) = map.get_mut(EXTENSION) else { return };
    for key in ["min-ver", "max-ver", "optional"] {
        extension.remove(key);
    }
    // Rows of other versions are not in the document.
    if let Some(experimental) = extension.get_mut("experimental") {
        *experimental = Value::Bool(true);
    }
    if extension.is_empty() {
        map.remove(EXTENSION);
    }
}
