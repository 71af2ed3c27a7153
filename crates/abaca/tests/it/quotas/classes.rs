//! Quota classes.

use abaca::api::V;
use serde_json::{Value, json};

use super::{ALICE, shown};
use crate::shares::prepared;
use crate::support::{Answer, TestServer};

async fn put(server: &TestServer, name: &str, body: Value) -> Answer {
    server.put(&format!("/v2/quota-class-sets/{name}"), body).await
}

#[tokio::test]
async fn only_the_default_class_has_an_effect() {
    let server = prepared(TestServer::start().await).await;
    let limits =
        json!({ "quota_class_set": { "snapshots": 5, "class_name": "x", "pigs": "many" } });
    let updated = put(&server, "gold", limits).await.expect(200);
    assert_eq!(updated["quota_class_set"]["snapshots"], 5);
    assert!(updated["quota_class_set"].get("id").is_none());
    let class = async |name: &str| {
        let path = format!("/v2/quota-class-sets/{name}");
        server.get(&path).await.expect(200)["quota_class_set"].take()
    };
    let gold = class("gold").await;
    assert_eq!((&gold["id"], &gold["snapshots"]), (&json!("gold"), &json!(5)));
    assert_eq!(class("default").await["snapshots"], 50);
    assert_eq!(shown(&server, "project").await["snapshots"], 50);
    put(&server, "default", json!({ "quota_class_set": { "gigabytes": 7 } })).await.expect(200);
    assert_eq!(class("gold").await["gigabytes"], 1000, "a class takes nothing from another");
    assert_eq!(shown(&server, "project").await["gigabytes"], 7);
    let nothing = put(&server, "default", json!({ "quota_class_set": {} })).await.expect(200);
    assert_eq!(nothing["quota_class_set"]["gigabytes"], 7);
}

#[tokio::test]
async fn bad_limits_are_named() {
    let server = prepared(TestServer::start().await).await;
    for value in
        [json!(-2), json!("x"), json!(1.5), json!(null), json!([]), json!(2_147_483_648_i64)]
    {
        let body = json!({ "quota_class_set": { "shares": value } });
        let message = put(&server, "default", body).await.fault(400, "badRequest");
        assert!(message.starts_with("Quota for shares should be"), "{message}");
    }
    for body in [json!({}), json!({ "quota_class_set": 1 }), json!([]), json!({ "quota_set": {} })]
    {
        let message = put(&server, "default", body).await.fault(400, "badRequest");
        assert!(message.contains("quota_class_set"), "{message}");
    }
    let long = "x".repeat(256);
    put(&server, &long, json!({ "quota_class_set": { "shares": 1 } }))
        .await
        .fault(400, "badRequest");
}

#[tokio::test]
async fn a_class_is_of_no_project() {
    let server = prepared(TestServer::start().await).await;
    let answer = server.get_as(ALICE, V::MAX, "/v2/quota-class-sets/default").await;
    answer.fault(403, "forbidden");
    let rules = json!({ "quota_class_set:show": "role:auditor" });
    let policy = abaca::policy::Policy::from_rules(&rules).unwrap();
    let server = prepared(TestServer::with_policy(policy).await).await;
    server.get_as("a:b:auditor", V::MAX, "/v2/quota-class-sets/default").await.expect(200);
}
