//! A share group type as the API shows it.

use abaca_model::ShareGroupType;
use serde_json::{Value, json};

use crate::api::{ApiError, Call, Reply, V};

/// 200 and one type.
pub(super) fn one(call: &Call, group_type: &ShareGroupType) -> Result<Reply, ApiError> {
    Reply::ok(&json!({ "share_group_type": view(call, group_type) }))
}

/// 200 and several types.
pub(super) fn many<'a>(
    call: &Call,
    group_types: impl Iterator<Item = &'a ShareGroupType>,
) -> Result<Reply, ApiError> {
    let views: Vec<Value> = group_types.map(|group_type| view(call, group_type)).collect();
    Reply::ok(&json!({ "share_group_types": views }))
}

fn view(call: &Call, group_type: &ShareGroupType) -> Value {
    let mut view = json!({
        "id": group_type.id,
        "name": group_type.name,
        "is_public": group_type.is_public,
        "group_specs": group_type.group_specs,
        "share_types": group_type.share_types,
    });
    if call.since(V(2, 46)) {
        let default = call.app.settings.default_share_group_type.as_ref();
        view["is_default"] = json!(default == Some(&group_type.name));
    }
    view
}
