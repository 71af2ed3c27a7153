//! Copies that take hours, beside what takes a moment.

use serde_json::json;

use super::{Service, fault, simulated};
use crate::support::Answer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_copies_takes_no_place() {
    let backends = [simulated("a"), simulated("b")].concat();
    let service = Service::start("concurrency = 1", &backends, |_| {}).await;
    service.reported(&["a", "b"]).await;
    let share = service.share("w@a#p", "default").await;
    service.share_is(&share, "available").await;
    service.set_faults("b", &fault("migrate", "hang"));
    let wanted = json!({ "host": "w@b#p", "writable": false, "nondisruptive": false,
        "preserve_metadata": false, "preserve_snapshots": false });
    let path = format!("shares/{share}");
    service.act(&path, json!({ "migration_start": wanted })).await.expect(202);
    let state = |state: &'static str| {
        move |answer: &Answer| (answer.expect(200)["share"]["task_state"] == state).then_some(())
    };
    let path = format!("/v2/{path}");
    service.api.wait(&path, state("migration_driver_in_progress")).await;
    for backend in ["a", "b"] {
        let other = service.share(&format!("w@{backend}#p"), "default").await;
        service.share_is(&other, "available").await;
    }
    service.set_faults("b", "");
    service.api.wait(&path, state("migration_driver_phase1_done")).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_copies_run_at_a_time() {
    let backends = [simulated("a"), simulated("b")].concat();
    let service = Service::start("copy_concurrency = 1", &backends, |_| {}).await;
    service.reported(&["a", "b"]).await;
    service.set_faults("b", &fault("create_replica", "hang"));
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let share = service.share("w@a#p", "replicated").await;
        service.share_is(&share, "available").await;
        let body = json!({ "share_replica": { "share_id": share } });
        let replica = service.api.post("/v2/share-replicas", body).await.expect(202);
        replicas.push(replica["share_replica"]["id"].as_str().unwrap().to_owned());
    }
    let waits = |operation: &abaca_model::Operation| {
        operation.error.as_deref().is_some_and(|error| error.contains("as much as it may"))
    };
    service.operation(&replicas[1], waits).await;
    let other = service.share("w@b#p", "default").await;
    service.share_is(&other, "available").await;
    service.set_faults("b", "");
    for replica in replicas {
        let available = |answer: &Answer| {
            (answer.expect(200)["share_replica"]["status"] == "available").then_some(())
        };
        service.api.wait(&format!("/v2/share-replicas/{replica}"), available).await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_deleted_while_it_is_copied() {
    let backends = [simulated("a"), simulated("b")].concat();
    let service = Service::start("concurrency = 1", &backends, |_| {}).await;
    service.reported(&["a", "b"]).await;
    let share = service.share("w@a#p", "replicated").await;
    service.share_is(&share, "available").await;
    service.set_faults("b", &fault("create_replica", "hang"));
    let body = json!({ "share_replica": { "share_id": share } });
    let replica = service.api.post("/v2/share-replicas", body).await.expect(202);
    let replica = replica["share_replica"]["id"].as_str().unwrap().to_owned();
    service.operation(&replica, |operation| operation.step == 2).await;
    service.api.delete(&format!("/v2/share-replicas/{replica}")).await.expect(202);
    service.gone(&format!("/v2/share-replicas/{replica}")).await;
    service.stop().await;
}
