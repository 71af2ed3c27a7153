//! Quota sets, quota classes, limits, and requests that take quota.

mod bodies;
mod classes;
mod crowd;
mod refusals;
mod scopes;

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer};

pub(crate) const ALICE: &str = "alice:project:member";
/// Another user of the same project.
pub(crate) const AMY: &str = "amy:project:member";

/// Sets limits as an administrator at the last version. `whose`: the rest of the URL.
async fn put(server: &TestServer, whose: &str, limits: Value) -> Answer {
    server.put(&format!("/v2/quota-sets/{whose}"), json!({ "quota_set": limits })).await
}

/// As [`put`], and it must go well.
async fn set(server: &TestServer, whose: &str, limits: Value) -> Value {
    put(server, whose, limits).await.expect(200)["quota_set"].take()
}

/// What an administrator is shown under this URL.
async fn shown(server: &TestServer, whose: &str) -> Value {
    server.get(&format!("/v2/quota-sets/{whose}")).await.expect(200)["quota_set"].take()
}

/// What the detailed set of `whose` says of one resource: limit, in use, reserved.
async fn detail(server: &TestServer, whose: &str, resource: &str) -> [i64; 3] {
    let whose = match whose.split_once('?') {
        Some((project, query)) => format!("{project}/detail?{query}"),
        None => format!("{whose}/detail"),
    };
    let detail = &shown(server, &whose).await[resource];
    ["limit", "in_use", "reserved"].map(|key| detail[key].as_i64().unwrap())
}

/// A request without a body, as `token` at `version`.
async fn ask(server: &TestServer, method: Method, version: V, token: &str, path: &str) -> Answer {
    server.request(method, path).token(token).at(version).send().await
}
