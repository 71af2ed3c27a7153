//! `/resource-locks`, and what locks forbid to do with shares. Those of access rules are tried with
//! the rules.

mod bodies;
mod lists;
mod shares;
mod who;

use abaca::api::V;
use abaca_model::{Share, ShareInstance};
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, seed};

const PATH: &str = "/v2/resource-locks";
const ALICE: &str = "alice:project:member";
const CARL: &str = "carl:project:member";
const BOB: &str = "bob:other:member";
const ROOT: &str = "root:admin:admin";
/// A service of the cloud that has no more to say than that.
const SERVICE: &str = "nova:services:service";

/// A server with an available share of `project`.
async fn one_share() -> (TestServer, Share, ShareInstance) {
    let server = TestServer::start().await;
    let (share, place) = seed::share(1, "project");
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    (server, share, place)
}

/// Asks for a lock.
async fn post(server: &TestServer, token: &str, lock: Value) -> Answer {
    let body = json!({ "resource_lock": lock });
    server.request(Method::POST, PATH).token(token).json(&body).send().await
}

/// Locks a share; the lock as it is shown.
async fn locked(server: &TestServer, token: &str, share: &Share, reason: &str) -> Value {
    let lock = json!({ "resource_id": share.id, "lock_reason": reason });
    post(server, token, lock).await.expect(200)["resource_lock"].clone()
}

/// The URL of a lock.
fn path(lock: &Value) -> String {
    format!("{PATH}/{}", lock["id"].as_str().unwrap())
}

async fn remove(server: &TestServer, token: &str, lock: &Value) -> Answer {
    server.request(Method::DELETE, &path(lock)).token(token).send().await
}

async fn change(server: &TestServer, token: &str, lock: &Value, change: Value) -> Answer {
    let body = json!({ "resource_lock": change });
    server.request(Method::PUT, &path(lock)).token(token).json(&body).send().await
}

async fn delete_share(server: &TestServer, token: &str, share: &Share) -> Answer {
    let path = format!("/v2/shares/{}", share.id);
    server.request(Method::DELETE, &path).token(token).send().await
}

async fn act(server: &TestServer, token: &str, path: &str, action: Value) -> Answer {
    let path = format!("/v2/{path}/action");
    server.request(Method::POST, &path).token(token).at(V::MAX).json(&action).send().await
}
