//! A share type as the API shows it.

use abaca_model::ShareType;
use serde_json::{Map, Value, json};

use super::specs;
use crate::api::{ApiError, Call, Reply, V};

/// 200 and one type, under both its names.
pub(super) fn one(
    call: &Call,
    share_type: &ShareType,
    required: Option<&Value>,
) -> Result<Reply, ApiError> {
    let view = view(call, share_type, required);
    Reply::ok(&json!({ "volume_type": view, "share_type": view }))
}

/// 200 and several types, under both their names.
pub(super) fn many(call: &Call, share_types: &[ShareType]) -> Result<Reply, ApiError> {
    let views: Vec<Value> =
        share_types.iter().map(|share_type| view(call, share_type, None)).collect();
    Reply::ok(&json!({ "volume_types": views, "share_types": views }))
}

/// `required` is the required extra spec as the request had it: right after the creation it is
/// shown like that.
fn view(call: &Call, share_type: &ShareType, required: Option<&Value>) -> Value {
    let stored = share_type.extra_specs.get(specs::DRIVER_HANDLES_SHARE_SERVERS);
    let required = required.cloned().or_else(|| stored.map(|value| json!(value)));
    let required: Map<String, Value> = required
        .into_iter()
        .map(|value| (specs::DRIVER_HANDLES_SHARE_SERVERS.to_owned(), value))
        .collect();
    let mut view = json!({
        "id": share_type.id,
        "name": share_type.name,
        "extra_specs": extra_specs(call, share_type),
        "required_extra_specs": required,
    });
    let is_public = if call.since(V(2, 7)) {
        "share_type_access:is_public"
    } else {
        "os-share-type-access:is_public"
    };
    view[is_public] = json!(share_type.is_public);
    if call.since(V(2, 41)) {
        view["description"] = json!(share_type.description);
    }
    if call.since(V(2, 46)) {
        let default = &call.app.settings.default_share_type;
        view["is_default"] = json!(*default == share_type.name);
    }
    view
}

/// An administrator sees just what was set; a tenant only the specs that concern it, but these also
/// when they are not set, since that says how shares of the type will behave.
fn extra_specs(call: &Call, share_type: &ShareType) -> Map<String, Value> {
    let mut shown: Map<String, Value> = share_type
        .extra_specs
        .iter()
        .filter(|(key, _)| call.caller.is_admin || specs::is_tenant_visible(key))
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    if call.caller.is_admin {
        return shown;
    }
    let mut show_default = |key: &str| {
        shown.entry(key).or_insert(json!(false));
    };
    if call.since(V(2, 24)) {
        specs::FALSE_BY_DEFAULT.into_iter().for_each(&mut show_default);
    }
    if call.since(V(2, 99)) {
        show_default(specs::SNAPSHOT_INHERIT_SHARE_ACCESS_SUPPORT);
    }
    shown
}
