//! Access rules of shares and snapshots.

mod bodies;
mod errors;
mod lists;
mod locks;
mod metadata;
mod snapshots;
mod statuses;
mod storm;
mod sync;
mod tenants;

use abaca::api::V;
use abaca_model::{AccessRule, Operation, Share, ShareInstance, Timestamp};
use abaca_store::access_rules::{self, Filter, Of};
use abaca_store::access_work::{self, Outcome};
use abaca_store::operations;
use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, TestServer, seed};

/// The tenant who owns what is seeded.
const ALICE: &str = "alice:project:member";
/// May only read in that project.
const RITA: &str = "rita:project:reader";
/// A member of another project.
const BOB: &str = "bob:other:member";

/// A server with an available share of `project`.
async fn one_share() -> (TestServer, Share, ShareInstance) {
    let server = TestServer::start().await;
    let (share, place) = seed::share(1, "project");
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    (server, share, place)
}

/// POSTs an action as `token` at `version`.
async fn act(server: &TestServer, token: &str, version: V, path: &str, body: Value) -> Answer {
    let path = format!("/v2/{path}/action");
    server.request(Method::POST, &path).token(token).at(version).json(&body).send().await
}

/// Asks as Alice to let a client in, at the last version.
async fn allow(server: &TestServer, share: &Share, rule: Value) -> Answer {
    let path = format!("shares/{}", share.id);
    act(server, ALICE, V::MAX, &path, json!({ "allow_access": rule })).await
}

/// As [`allow`], of an address; the rule as it is shown.
async fn allowed(server: &TestServer, share: &Share, address: &str) -> Value {
    let rule = json!({ "access_type": "ip", "access_to": address });
    allow(server, share, rule).await.expect(200)["access"].clone()
}

/// Asks as Alice to keep a client out, at the last version.
async fn deny(server: &TestServer, share: &Share, rule: &Value) -> Answer {
    let path = format!("shares/{}", share.id);
    act(server, ALICE, V::MAX, &path, json!({ "deny_access": { "access_id": rule["id"] } })).await
}

/// The rules of a share as Alice sees them, at the last version.
async fn listed(server: &TestServer, share: &Share) -> Vec<Value> {
    let path = format!("/v2/share-access-rules?share_id={}", share.id);
    let list = server.get_as(ALICE, V::MAX, &path).await.expect(200);
    list["access_list"].as_array().unwrap().clone()
}

/// Does what the engine does: begins a synchronisation and ends it. Clients in `refused` are.
async fn settle(server: &TestServer, of: Of, instance: Uuid, refused: &[&str]) -> bool {
    let mut tx = server.app.db.write().await.unwrap();
    let work = access_work::begin(&mut tx, of, instance).await.unwrap().unwrap();
    let outcomes = outcomes(&work.rules, refused);
    let now = Timestamp::now();
    let done = access_work::finish(&mut tx, of, &work, &outcomes, now).await.unwrap();
    tx.commit().await.unwrap();
    done
}

fn outcomes(rules: &[AccessRule], refused: &[&str]) -> Vec<Outcome> {
    let wanted = rules.iter().filter(|rule| !rule.state.as_str().contains("deny"));
    let wanted = wanted.filter(|rule| rule.state.as_str() != "error");
    wanted
        .map(|rule| Outcome {
            id: rule.id,
            is_applied: !refused.contains(&rule.access_to.as_str()),
            access_key: None,
        })
        .collect()
}

/// The operations of an instance, oldest first.
async fn operations_of(server: &TestServer, instance: Uuid) -> Vec<Operation> {
    let mut tx = server.app.db.read().await.unwrap();
    operations::of_resource(&mut tx, instance).await.unwrap()
}

/// The rows of the rules of a share or snapshot.
async fn rows(server: &TestServer, of: Of, resource: Uuid) -> Vec<AccessRule> {
    let mut tx = server.app.db.read().await.unwrap();
    access_rules::of_resource(&mut tx, of, resource, &Filter::default()).await.unwrap()
}

async fn share_status(server: &TestServer, share: &Share) -> Value {
    let shown = server.get(&format!("/v2/shares/{}", share.id)).await.expect(200);
    shown["share"]["access_rules_status"].clone()
}
