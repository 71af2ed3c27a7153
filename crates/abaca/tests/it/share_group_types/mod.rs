//! `/share-group-types`

mod access;
mod bodies;
mod create;
mod group_specs;

use serde_json::{Value, json};

use crate::support::TestServer;

/// A share type to make group types of; its id.
async fn share_type(server: &TestServer, name: &str) -> String {
    let specs = json!({ "driver_handles_share_servers": false });
    let body = json!({ "share_type": { "name": name, "extra_specs": specs } });
    let made = server.post("/v2/types", body).await.expect(200);
    made["share_type"]["id"].as_str().unwrap().to_owned()
}

/// Creates a group type of the share type `plain` and returns it.
async fn create(server: &TestServer, name: &str, is_public: bool, specs: Value) -> Value {
    if server.get("/v2/types").await.expect(200)["share_types"] == json!([]) {
        share_type(server, "plain").await;
    }
    let body = json!({ "share_group_type": {
        "name": name, "is_public": is_public, "group_specs": specs, "share_types": ["plain"],
    }});
    server.post("/v2/share-group-types", body).await.expect(200)["share_group_type"].clone()
}

/// The URL of a group type.
fn path(group_type: &Value) -> String {
    format!("/v2/share-group-types/{}", group_type["id"].as_str().unwrap())
}
