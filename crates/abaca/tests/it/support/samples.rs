//! The API's own example bodies, in `tests/it/samples`.

use serde_json::Value;

/// The example `name`.
pub(crate) fn sample(name: &str) -> Value {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/samples");
    let path = format!("{directory}/{name}.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Checks that `actual` has the keys of the example `name`, no others, and values of the same
/// types. Null fits every type. What stands under the keys in `free` may be any object.
pub(crate) fn assert_like_sample(actual: &Value, name: &str, free: &[&str]) {
    compare(actual, &sample(name), free, name);
}

fn compare(actual: &Value, sample: &Value, free: &[&str], path: &str) {
    match (actual, sample) {
        (Value::Object(actual), Value::Object(sample)) => {
            let keys: Vec<_> = actual.keys().collect();
            assert_eq!(keys, sample.keys().collect::<Vec<_>>(), "{path}");
            for (key, value) in actual {
                let path = format!("{path}.{key}");
                if free.contains(&key.as_str()) {
                    assert!(value.is_object(), "{path} is {value}");
                } else {
                    compare(value, &sample[key], free, &path);
                }
            }
        }
        (Value::Array(actual), Value::Array(sample)) => {
            assert!(!actual.is_empty(), "{path}: nothing to compare");
            for item in actual {
                compare(item, &sample[0], free, &format!("{path}[]"));
            }
        }
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => panic!("{path} is {actual}, in the example {sample}"),
    }
}
