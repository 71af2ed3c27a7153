//! A backend that fails at what is done to a replica: for a while, after the effect, and for good.

use abaca_model::{OperationKind, OperationState};
use axum::http::Method;
use serde_json::json;

use super::service::Service;

/// What is done, by which call, and how the replica is when that fails for good.
const CALLS: [(OperationKind, &str, &str, &str); 4] = [
    (OperationKind::CreateReplica, "create_replica", "error", "error"),
    (OperationKind::UpdateReplica, "update_replica", "available", "out_of_sync"),
    (OperationKind::PromoteReplica, "promote_replica", "available", "out_of_sync"),
    (OperationKind::DeleteReplica, "delete_share", "error_deleting", "error"),
];

/// Asks for it while the backend has this fault; the service, the first replica and the one it is about.
async fn asked(kind: OperationKind, fault: &str) -> (Service, String, String) {
    let service = Service::start_simulated("readable").await;
    let (share, first, _) = service.share().await;
    service.allow(&share, "10.0.0.1").await;
    let mut replica = String::new();
    if kind != OperationKind::CreateReplica {
        replica = service.replica(&share).await.0;
    }
    service.set_faults(fault);
    match kind {
        OperationKind::CreateReplica => {
            let body = json!({ "share_id": share, "availability_zone": "two" });
            let body = json!({ "share_replica": body });
            let made = service.api.post("/v2/share-replicas", body).await.expect(202);
            made["share_replica"]["id"].as_str().unwrap().clone_into(&mut replica);
        }
        OperationKind::DeleteReplica => {
            let path = format!("/v2/share-replicas/{replica}");
            service.api.request(Method::DELETE, &path).send().await.expect(202);
        }
        OperationKind::PromoteReplica => {
            service.act(&replica, json!({ "promote": null }), 202).await;
        }
        _ => service.act(&replica, json!({ "resync": null }), 202).await,
    }
    (service, first, replica)
}

async fn passing(more: &str) {
    for (kind, method, ..) in CALLS {
        let fault = format!("[[fault]]\nmethod = {method:?}\nfail = \"transient\"\ntimes = 2\n");
        let (service, first, replica) = asked(kind, &(fault + more)).await;
        service
            .has(&replica, |one| one.kind == kind && one.state == OperationState::Succeeded)
            .await;
        match kind {
            OperationKind::DeleteReplica => {
                let gone = service.api.get(&format!("/v2/share-replicas/{replica}")).await;
                gone.fault(404, "itemNotFound");
            }
            OperationKind::PromoteReplica => {
                service.replica_is(&replica, "available", "active").await;
                service.replica_is(&first, "available", "in_sync").await;
            }
            _ => drop(service.replica_is(&replica, "available", "in_sync").await),
        }
        let told = service.api.get("/v2/messages").await.expect(200);
        assert_eq!(told["messages"], json!([]), "{kind}");
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_ones_are_tried_again() {
    passing("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_effect_they_do_it_once() {
    passing("after_effect = true\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lasting_ones_are_told_and_leave_the_active_one_as_it_was() {
    for (kind, method, status, state) in CALLS {
        let fault = format!("[[fault]]\nmethod = {method:?}\nfail = \"failed\"\n");
        let (service, first, replica) = asked(kind, &fault).await;
        service.replica_is(&replica, status, state).await;
        let active = service.replica_is(&first, "available", "active").await;
        assert_eq!(active["cast_rules_to_readonly"], false, "{kind}");
        let list = service.api.get("/v2/messages").await.expect(200);
        let [message] = &list["messages"].as_array().unwrap()[..] else { panic!("{list}") };
        let about = (&message["resource_type"], &message["resource_id"]);
        assert_eq!(about, (&json!("SHARE_REPLICA"), &json!(replica)), "{kind}");
        let text = message["user_message"].as_str().unwrap();
        assert!(text.contains("The storage backend failed."), "{kind}: {text}");
        service.stop().await;
    }
}
