//! Extra specs of a share type, held against what a pool reports.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::operators::{matches, parse_bool};
use super::{Purpose, Refusal, Request};

/// Specs that hold a bool; a plain one is read as `<is>`, so that any spelling of it matches.
const BOOLEANS: [&str; 7] = [
    "driver_handles_share_servers",
    "snapshot_support",
    "create_share_from_snapshot_support",
    "revert_to_snapshot_support",
    "mount_snapshot_support",
    "mount_point_name_support",
    "snapshot_inherit_share_access_support",
];

const QOS: &str = "default_qos_type";
const ZONES: [&str; 2] = ["availability_zones", "capabilities:availability_zones"];

/// Whether a pool offers what a share type asks for, as pool lists filter it.
///
/// Looks at plain keys and at those in the scope `capabilities:`; keys in another scope are for
/// drivers. A list that is reported matches by any of its values.
///
/// # Errors
///
/// The [`Refusal`] that names the first extra spec, by name, which `report` does not meet.
pub fn satisfies(
    report: &Map<String, Value>,
    extra_specs: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    if extra_specs.get(QOS).is_some_and(|qos| !qos.is_empty()) {
        let offered = report.get("qos_type_support");
        if !offered.is_some_and(is_truthy) {
            let (key, wanted) = ("qos_type_support".into(), "<is> True".into());
            return Err(Refusal::NotOffered { key, wanted });
        }
    }
    for (key, wanted) in extra_specs {
        if key == QOS || ZONES.contains(&key.as_str()) {
            continue;
        }
        let name = match key.split_once(':') {
            Some(("capabilities", name)) => name,
            Some(_) => continue,
            None => key,
        };
        let offered = lookup(report, name)
            .ok_or_else(|| Refusal::NotOffered { key: key.clone(), wanted: wanted.clone() })?;
        let met = match offered {
            Value::Array(values) => values.iter().any(|value| matches(value, wanted)),
            value => matches(value, wanted),
        };
        if !met {
            let (key, wanted, offered) = (key.clone(), wanted.clone(), offered.clone());
            return Err(Refusal::Mismatch { key, wanted, offered });
        }
    }
    Ok(())
}

/// `a:b` is the member `b` of the object `a`; a null counts as not reported.
fn lookup<'a>(report: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut path = name.split(':');
    let mut value = report.get(path.next()?)?;
    for member in path {
        value = value.as_object()?.get(member)?;
    }
    (!value.is_null()).then_some(value)
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// The extra specs a request is scheduled by: those of its type, bools spelled out, and its
/// protocol.
pub(super) fn of_request(request: &Request) -> BTreeMap<String, String> {
    let mut specs = request.extra_specs.clone();
    for name in BOOLEANS {
        if let Some(wanted) = specs.get_mut(name).filter(|wanted| !wanted.starts_with("<is>")) {
            *wanted = format!("<is> {wanted}");
        }
    }
    if let Some(protocol) = &request.share_proto {
        // A pool may report several protocols in one word, as NFS_CIFS.
        specs.entry("storage_protocol".into()).or_insert_with(|| format!("<in> {protocol}"));
    }
    if matches!(request.purpose, Purpose::CreateFromSnapshot { .. }) {
        // Where the snapshot is decides, even if the type now names another backend.
        specs.remove("share_backend_name");
    }
    specs
}

/// Whether the over-subscription rules apply: unless the type says that it wants no thin share.
pub(super) fn allow_thin(specs: &BTreeMap<String, String>) -> bool {
    let wanted =
        specs.get("thin_provisioning").or_else(|| specs.get("capabilities:thin_provisioning"));
    wanted.is_none_or(|wanted| {
        parse_bool(wanted).unwrap_or_else(|| matches(&Value::Bool(true), wanted))
    })
}

/// The zones a share type allows; `None`: any.
pub(super) fn zones(specs: &BTreeMap<String, String>) -> Option<Vec<&str>> {
    let names = specs.get("availability_zones")?.split(',').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(report: &Value, key: &str, wanted: &str) -> Result<(), Refusal> {
        let specs = BTreeMap::from([(key.to_owned(), wanted.to_owned())]);
        satisfies(report.as_object().unwrap(), &specs)
    }

    #[test]
    fn keys_are_looked_up_by_scope() {
        let report = json!({
            "dedupe": [true, false],
            "disk": "ssd",
            "vendor": {"raid": {"level": "10"}},
            "domain": null,
            "empty": [],
        });
        let cases = [
            ("dedupe", "<is> True", true),
            ("dedupe", "<is> False", true),
            ("capabilities:dedupe", "True", true),
            ("disk", "SSD", true),
            ("disk", "hdd", false),
            ("missing", "x", false),
            ("netapp:missing", "x", true),
            ("capabilities:missing", "x", false),
            ("capabilities:vendor:raid:level", ">= 10", true),
            ("capabilities:vendor:raid:level:deeper", "1", false),
            ("vendor:raid:level", "not looked at", true),
            ("domain", "<is> False", false),
            ("empty", "s!= x", false),
            ("availability_zones", "nova", true),
            ("capabilities:availability_zones", "nova", true),
            ("default_qos_type", "gold", false),
        ];
        for (key, wanted, expected) in cases {
            assert_eq!(check(&report, key, wanted).is_ok(), expected, "{key}={wanted}");
        }
        assert!(check(&json!({"qos_type_support": true}), "default_qos_type", "gold").is_ok());
    }

    #[test]
    fn thin_unless_the_type_refuses_it() {
        let cases = [
            (None, true),
            (Some(("thin_provisioning", "True")), true),
            (Some(("thin_provisioning", "<is> True")), true),
            (Some(("capabilities:thin_provisioning", "<is> True")), true),
            (Some(("thin_provisioning", "False")), false),
            (Some(("thin_provisioning", "<is> False")), false),
            (Some(("capabilities:thin_provisioning", "no")), false),
            (Some(("thin_provisioning", "nonsense")), false),
        ];
        for (spec, expected) in cases {
            let specs = spec.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            assert_eq!(allow_thin(&specs), expected, "{spec:?}");
        }
    }
}
