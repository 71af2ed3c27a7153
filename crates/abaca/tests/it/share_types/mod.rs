//! `/types`

mod access;
mod bodies;
mod create;
mod extra_specs;
mod list;
mod update;

use serde_json::{Value, json};

use crate::support::TestServer;

/// Creates a type and returns it.
async fn create(server: &TestServer, name: &str, extra_specs: Value) -> Value {
    let mut specs = json!({ "driver_handles_share_servers": false });
    for (key, value) in extra_specs.as_object().unwrap() {
        specs[key] = value.clone();
    }
    let body = json!({ "share_type": { "name": name, "extra_specs": specs } });
    server.post("/v2/types", body).await.expect(200)["share_type"].clone()
}

/// The URL of a type.
fn path(share_type: &Value) -> String {
    format!("/v2/types/{}", share_type["id"].as_str().unwrap())
}

/// Makes a type private.
async fn hide(server: &TestServer, share_type: &Value) {
    let body = json!({ "share_type": { "share_type_access:is_public": false } });
    server.put(&path(share_type), body).await.expect(200);
}
