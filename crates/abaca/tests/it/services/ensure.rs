//! Having a backend ensure its shares.

use abaca::api::V;
use abaca_model::{Operation, OperationKind, Share, ShareInstance, ShareStatus, Timestamp};
use abaca_store::{Dialect, operations, services, share_instances};
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, seed};

const ADMIN: &str = "admin:admin:admin";
const HOST: &str = "seed@seed";

/// A service that is up and holds shares in these statuses, on another one a share.
async fn server(statuses: &[ShareStatus]) -> (TestServer, Vec<ShareInstance>) {
    let server = TestServer::start().await;
    let mut instances = Vec::new();
    for (number, status) in (1..).zip(statuses) {
        let (share, instance) = seed::share(number, "project");
        let instance = ShareInstance { status: *status, ..instance };
        seed::add_share(&server.app.db, &share, std::slice::from_ref(&instance)).await;
        instances.push(instance);
    }
    let (share, instance) = seed::share(999, "project");
    let elsewhere = ShareInstance { host: Some("seed@seed2#pool".to_owned()), ..instance };
    seed::add_share(&server.app.db, &share, &[elsewhere]).await;
    beat(&server, HOST, Timestamp::now()).await;
    (server, instances)
}

async fn beat(server: &TestServer, host: &str, now: Timestamp) {
    let mut tx = server.app.db.write().await.unwrap();
    services::heartbeat(&mut tx, host, "manila-share", "nova", now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn ensure(server: &TestServer, host: &str) -> Answer {
    let body = json!({ "ensure_shares": { "host": host } });
    server.post("/v2/services/ensure-shares", body).await
}

async fn listed(server: &TestServer, query: &str) -> Vec<Value> {
    let body = server.get(&format!("/v2/services?{query}")).await.expect(200);
    body["services"].as_array().unwrap().clone()
}

async fn operations_of(server: &TestServer, instance: &ShareInstance) -> Vec<Operation> {
    let mut tx = server.app.db.read().await.unwrap();
    operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap()
}

#[tokio::test]
async fn every_share_in_use_gets_an_operation_and_the_service_says_so() {
    use ShareStatus::{Available, Ensuring, Error, Extending};
    let (server, instances) = server(&[Available, Ensuring, Error, Extending]).await;
    let answer = ensure(&server, HOST).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let mut tx = server.app.db.read().await.unwrap();
    for (instance, taken) in instances.iter().zip([true, true, false, false]) {
        let now = share_instances::get(&mut tx, instance.id).await.unwrap().unwrap();
        let expected = if taken { (Ensuring, 2) } else { (instance.status, 1) };
        assert_eq!((now.status, now.fence), expected);
    }
    drop(tx);
    let operations = operations_of(&server, &instances[0]).await;
    let [operation] = &operations[..] else { panic!("{operations:?}") };
    assert_eq!(operation.kind, OperationKind::EnsureShare);
    assert_eq!((operation.resource_fence, operation.service.as_deref()), (2, Some(HOST)));

    assert_eq!(listed(&server, "ensuring=true").await[0]["ensuring"], true);
    assert!(listed(&server, "ensuring=false").await.is_empty());
    let earlier = server.get_as(ADMIN, V(2, 85), "/v2/services").await.expect(200);
    assert_eq!(earlier["services"][0].get("ensuring"), None);
    // Not twice at the same time.
    let message = ensure(&server, HOST).await.fault(409, "conflictingRequest");
    assert!(message.contains(HOST), "{message}");
    assert_eq!(operations_of(&server, &instances[0]).await.len(), 1);
}

#[tokio::test]
async fn many_shares_are_taken_over_batch_by_batch() {
    let (server, instances) = server(&[ShareStatus::Available; 201]).await;
    // Whoever holds the last share keeps the request waiting, but not the shares of other batches.
    // SQLite has no locks of rows, and which rows MariaDB locks of a small table is its own affair.
    let blocked = server.app.db.dialect() == Dialect::Postgres;
    let last = instances.iter().max_by_key(|instance| instance.id.to_string()).unwrap();
    let first = instances.iter().min_by_key(|instance| instance.id.to_string()).unwrap();
    let held = match blocked {
        true => {
            let mut tx = server.app.db.write().await.unwrap();
            share_instances::get_locked(&mut tx, last.id).await.unwrap();
            Some(tx)
        }
        false => None,
    };
    let released = async {
        while blocked && operations_of(&server, first).await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(operations_of(&server, last).await.len(), usize::from(!blocked));
        drop(held);
    };
    if blocked {
        let (answer, ()) = tokio::join!(ensure(&server, HOST), released);
        assert_eq!(answer.status, 202);
    } else {
        assert_eq!(ensure(&server, HOST).await.status, 202);
        released.await;
    }
    let mut tx = server.app.db.read().await.unwrap();
    for instance in &instances {
        let now = share_instances::get(&mut tx, instance.id).await.unwrap().unwrap();
        assert_eq!((now.status, now.fence), (ShareStatus::Ensuring, 2));
        let operations = operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap();
        assert_eq!(operations.len(), 1);
        assert_eq!(operations[0].resource_fence, 2);
    }
}

#[tokio::test]
async fn shares_in_the_recycle_bin_are_ensured_too() {
    let (server, _) = server(&[]).await;
    let (share, instance) = seed::share(1, "project");
    let share = Share { scheduled_to_be_deleted_at: Some(Timestamp::now()), ..share };
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&instance)).await;
    assert_eq!(ensure(&server, HOST).await.status, 202);
    assert_eq!(operations_of(&server, &instance).await.len(), 1);
}

#[tokio::test]
async fn a_service_without_shares_has_nothing_to_do() {
    let (server, _) = server(&[]).await;
    assert_eq!(ensure(&server, HOST).await.status, 202);
    // As the client writes it.
    let answer = server.post("/v2/services/ensure-shares", json!({ "host": HOST })).await;
    assert_eq!(answer.status, 202);
    assert_eq!(listed(&server, "ensuring=false").await.len(), 1);
}

#[tokio::test]
async fn it_must_be_there_and_up_and_named() {
    let (server, _) = server(&[ShareStatus::Available]).await;
    ensure(&server, "seed@nothing").await.fault(404, "itemNotFound");
    beat(&server, "h@down", seed::THEN).await;
    ensure(&server, "h@down").await.fault(409, "conflictingRequest");
    for body in [
        json!({}),
        json!({"host": HOST, "force": true}),
        json!({"ensure_shares": {}}),
        json!({"ensure_shares": {"host": 5}}),
        json!({"ensure_shares": {"host": HOST, "force": true}}),
        json!({"ensure_shares": {"host": HOST}, "more": 1}),
        json!([]),
    ] {
        let answer = server.post("/v2/services/ensure-shares", body).await;
        assert!(answer.fault(400, "badRequest").contains("host"));
    }
    let body = json!({"ensure_shares": {"host": HOST}});
    let early = server.request(Method::POST, "/v2/services/ensure-shares").at(V(2, 85));
    early.json(&body).send().await.fault(404, "itemNotFound");
}
