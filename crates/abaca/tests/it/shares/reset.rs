//! An administrator sets a share's status.

use abaca::api::V;
use abaca::policy::Policy;
use abaca_model::ShareStatus;
use abaca_store::audit;
use serde_json::json;

use super::{ALICE, BOB, RITA, act, act_at, created, instance_of, operations_of, server, settle};
use crate::support::TestServer;

const ROOT: &str = "root:admin:admin";

#[tokio::test]
async fn the_administrators_word_stands_and_is_on_record() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    let answer = act(&server, ROOT, id, json!({ "reset_status": { "status": "error" } })).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let instance = instance_of(&server, id).await;
    assert_eq!((instance.status, instance.fence), (ShareStatus::Error, 2));
    assert_eq!(operations_of(&server, id).await[0].resource_fence, 1, "its creation is overtaken");
    let mut tx = server.app.db.read().await.unwrap();
    let records = audit::of_resource(&mut tx, &instance.id.to_string()).await.unwrap();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!((record.user_id.as_str(), record.project_id.as_str()), ("root", "admin"));
    assert_eq!(
        (record.action.as_str(), record.resource_type.as_str()),
        ("reset_status", "share_instance")
    );
    assert_eq!((record.status_from.as_str(), record.status_to.as_str()), ("creating", "error"));
    assert!(record.request_id.starts_with("req-"));
}

#[tokio::test]
async fn eight_statuses_can_be_set() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let settable = [
        "creating",
        "available",
        "deleting",
        "error",
        "error_deleting",
        "migrating",
        "migrating_to",
        "server_migrating",
    ];
    for status in settable {
        let body = json!({ "reset_status": { "status": status, "more": 1 } });
        act(&server, ROOT, id, body).await.expect(202);
        let shown = server.get(&format!("/v2/shares/{id}")).await.expect(200);
        assert_eq!(shown["share"]["status"], status);
    }
    for value in
        [json!(null), json!({}), json!("error"), json!([]), json!({ "os-status": "error" })]
    {
        let answer = act(&server, ROOT, id, json!({ "reset_status": value })).await;
        assert_eq!(answer.fault(400, "badRequest"), "Must specify 'status'");
    }
    for status in [json!(null), json!(5), json!([]), json!("extending"), json!("ERROR"), json!("")]
    {
        let body = json!({ "reset_status": { "status": status } });
        let message = act(&server, ROOT, id, body).await.fault(400, "badRequest");
        for status in settable {
            assert!(message.contains(status), "{message}");
        }
    }
    let old = json!({ "os-reset_status": { "status": "error" } });
    act_at(&server, V(2, 6), ROOT, id, old).await.expect(202);
}

#[tokio::test]
async fn it_is_for_administrators_unless_the_policy_says_otherwise() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    let body = json!({ "reset_status": { "status": "error" } });
    for token in [ALICE, BOB, RITA] {
        let message = act(&server, token, id, body.clone()).await.fault(403, "forbidden");
        assert_eq!(message, "Access was denied to this resource.");
    }
    let open = json!({ "share:reset_status": "rule:project-member" });
    let open =
        super::prepared(TestServer::with_policy(Policy::from_rules(&open).unwrap()).await).await;
    let id = created(&open, ALICE).await;
    act(&open, BOB, id, body.clone()).await.fault(404, "itemNotFound");
    act(&open, ALICE, id, body).await.expect(202);
}
