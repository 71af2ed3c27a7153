//! Backends that hang.

use std::time::Duration;

use abaca_model::{OperationState, Timestamp};
use serde_json::Value;

use super::{Service, fault, set_faults, simulated};
use crate::support::Answer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_calls_of_one_backend_leave_another_alone() {
    let backends = [simulated("a"), simulated("b")].concat();
    let service = Service::start("", &backends, |_| {}).await;
    service.reported(&["a", "b"]).await;
    service.set_faults("a", &fault("create_share", "hang"));
    let mut hung = Vec::new();
    for _ in 0..9 {
        hung.push(service.share("w@a#p", "default").await);
    }
    let other = service.share("w@b#p", "default").await;
    service.share_is(&other, "available").await;
    for share in &hung {
        service.share_is(share, "creating").await;
    }
    service.set_faults("a", "");
    for share in &hung {
        service.share_is(share, "available").await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_starts_and_works_beside_a_backend_that_hangs() {
    let backends = [simulated("a"), simulated("b")].concat();
    let service = Service::start("", &backends, |data| set_faults(data, "a", &fault("*", "hang")));
    let service = service.await;
    service.reported(&["b"]).await;
    // No pool named: where it goes is the scheduler's choice.
    let body = serde_json::json!({ "share": { "share_proto": "NFS", "size": 1 } });
    let share = service.api.post("/v2/shares", body).await.expect(200);
    service.share_is(share["share"]["id"].as_str().unwrap(), "available").await;

    // Its heartbeat goes on.
    let heartbeat = |answer: &Answer| {
        let shown = answer.expect(200)["services"][0].clone();
        (shown["state"] == "up").then(|| shown["updated_at"].clone())
    };
    let path = "/v2/services?host=w@b";
    let first: Value = service.api.wait(path, heartbeat).await;
    service.api.wait(path, |answer| heartbeat(answer).filter(|next| *next != first)).await;
    let none = service.api.get("/v2/services?host=w@a").await.expect(200);
    assert_eq!(none["services"].as_array().unwrap().len(), 0);

    service.set_faults("a", "");
    service.reported(&["a", "b"]).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_an_answer_is_made_again() {
    let worker = "driver_call_deadline = 0.2";
    let service = Service::start(worker, &simulated("a"), |_| {}).await;
    service.reported(&["a"]).await;
    service.set_faults("a", &fault("create_share", "hang"));
    let share = service.share("w@a#p", "default").await;
    let instance = service.instance(&share).await;
    let waits = |operation: &abaca_model::Operation| {
        operation.state == OperationState::Queued
            && operation.error.as_deref().is_some_and(|error| error.contains("does not answer"))
    };
    service.operation(&instance, waits).await;
    service.share_is(&share, "creating").await;
    service.set_faults("a", "");
    service.share_is(&share, "available").await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_down_is_asked_for_nothing_until_it_answers() {
    let worker = "driver_call_deadline = 0.1";
    let backends = [simulated("a"), simulated("b")].concat();
    let service = Service::start(worker, &backends, |_| {}).await;
    service.reported(&["a", "b"]).await;
    let placed = service.share("w@a#p", "default").await;
    service.share_is(&placed, "available").await;
    let instance = service.instance(&placed).await;
    service.set_faults("a", &fault("*", "hang"));
    let body = serde_json::json!({ "extend": { "new_size": 2 } });
    service.act(&format!("shares/{placed}"), body).await.expect(202);
    // Due for long, where a worker that would ask looks twenty times a second.
    let left_alone = |operation: &abaca_model::Operation| {
        let waited = Timestamp::now().since(operation.run_at);
        operation.state == OperationState::Queued && waited > Duration::from_millis(500)
    };
    service.operation(&instance, left_alone).await;
    // Another backend goes on, and so does this one when it answers.
    let other = service.share("w@b#p", "default").await;
    service.share_is(&other, "available").await;
    service.set_faults("a", "");
    service.share_is(&placed, "available").await;
    service.stop().await;
}
