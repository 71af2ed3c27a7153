//! What these routes show.

use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, boolean, list_under, object, pairs, text, time, under, uuid,
};

fn summary() -> Schema {
    object([
        ("id", uuid()),
        ("path", text()),
        ("preferred", boolean().since(V(2, 14))),
        ("metadata", pairs().since(V(2, 87))),
        ("share_instance_id", uuid().for_administrators()),
        ("is_admin_only", boolean().for_administrators()),
    ])
    .named("ExportLocationSummary")
}

fn location() -> Schema {
    object([
        ("id", uuid()),
        ("path", text()),
        ("created_at", time()),
        ("updated_at", time()),
        ("preferred", boolean().since(V(2, 14))),
        ("metadata", pairs().since(V(2, 87))),
        ("share_instance_id", uuid().for_administrators()),
        ("is_admin_only", boolean().for_administrators()),
    ])
    .named("ExportLocation")
}

pub(in crate::api) fn list() -> Contract {
    Contract::new("List the paths under which it can be mounted")
        .shows(list_under("export_locations", summary()))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a path under which it can be mounted")
        .shows(under("export_location", location()))
}
