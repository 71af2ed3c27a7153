//! An administrator says where a share's migration stands.

use abaca::api::V;
use abaca_model::{ShareId, TaskState};
use abaca_store::audit;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, act, act_at, created, instance_of, server, settle};
use crate::support::{Answer, TestServer};

const ROOT: &str = "root:admin:admin";

async fn reset(server: &TestServer, id: ShareId, state: Value) -> Answer {
    act(server, ROOT, id, json!({ "reset_task_state": { "task_state": state } })).await
}

async fn shown(server: &TestServer, minor: u32, id: ShareId) -> Option<Value> {
    let answer = server.get_as(ALICE, V(2, minor), &format!("/v2/shares/{id}")).await;
    answer.expect(200)["share"].get("task_state").cloned()
}

#[tokio::test]
async fn every_state_is_kept_shown_and_recorded() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    assert_eq!(shown(&server, 4, id).await, None);
    assert_eq!(shown(&server, 5, id).await, Some(Value::Null));
    let states: Vec<_> = TaskState::ALL.iter().map(|state| json!(state)).collect();
    for state in states.iter().chain([&Value::Null]) {
        for _ in ["a change", "the same again"] {
            let answer = reset(&server, id, state.clone()).await;
            assert_eq!((answer.status, answer.text.as_str()), (202, ""));
        }
        assert_eq!(shown(&server, 5, id).await.as_ref(), Some(state));
        let list = server.get_as(ALICE, V(2, 5), "/v2/shares/detail").await.expect(200);
        assert_eq!(&list["shares"][0]["task_state"], state);
    }
    let mut tx = server.app.db.read().await.unwrap();
    let records = audit::of_resource(&mut tx, &id.to_string()).await.unwrap();
    assert_eq!(records.len(), states.len() + 1);
    let (first, last) = (&records[0], records.last().unwrap());
    assert_eq!((&*first.action, &*first.resource_type), ("reset_task_state", "share"));
    assert_eq!((&*first.status_from, &*first.status_to), ("none", "migration_starting"));
    assert_eq!((&*last.status_from, &*last.status_to), ("data_copying_error", "none"));
    assert_eq!(instance_of(&server, id).await.fence, 1, "no work on the share is overtaken");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    for value in [json!(null), json!({}), json!("x"), json!([])] {
        let answer = act(&server, ROOT, id, json!({ "reset_task_state": value })).await;
        assert_eq!(answer.fault(400, "badRequest"), "Must specify 'task_state'");
    }
    for state in [json!("nope"), json!(""), json!("None"), json!(5), json!([]), json!({})] {
        let message = reset(&server, id, state).await.fault(400, "badRequest");
        assert!(message.contains("Valid states: migration_starting, "), "{message}");
    }
    let body = json!({ "reset_task_state": { "task_state": null } });
    for (minor, experimental, status) in
        [(21, true, 404), (22, false, 404), (22, true, 202), (95, false, 404), (96, false, 202)]
    {
        let path = format!("/v2/shares/{id}/action");
        let request = server.request(Method::POST, &path).token(ROOT).at(V(2, minor)).json(&body);
        let header = "x-openstack-manila-api-experimental";
        let request = if experimental { request.header(header, "true") } else { request };
        assert_eq!(request.send().await.status, status, "2.{minor} {experimental}");
    }
    act_at(&server, V::MAX, ALICE, id, body).await.fault(403, "forbidden");
}

#[tokio::test]
async fn a_share_that_migrates_is_left_alone() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let path = format!("/v2/shares/{id}");
    let all_refused = async |message: &str| {
        let delete = server.request(Method::DELETE, &path).token(ALICE).send().await;
        let extend = act(&server, ALICE, id, json!({ "extend": { "new_size": 2 } })).await;
        let force = act(&server, ROOT, id, json!({ "force_delete": null })).await;
        let body = json!({ "snapshot": { "share_id": id, "force": true } });
        let snapshot = server.post("/v2/snapshots", body).await;
        for answer in [delete, extend, force, snapshot] {
            let told = answer.fault(400, "badRequest");
            assert!(told.contains(message), "{told}");
        }
    };
    for state in TaskState::ALL.iter().filter(|state| state.is_busy()) {
        reset(&server, id, json!(state)).await.expect(202);
        all_refused(&format!("busy as part of an active task: {state}.")).await;
    }
    for state in TaskState::ALL.iter().filter(|state| !state.is_busy()) {
        reset(&server, id, json!(state)).await.expect(202);
        let shrink = act(&server, ALICE, id, json!({ "shrink": { "new_size": 1 } })).await;
        let message = shrink.fault(400, "badRequest");
        assert!(message.contains("New size for shrink"), "{state}: {message}");
    }
    server.request(Method::DELETE, &path).token(ALICE).send().await.expect(202);
}
