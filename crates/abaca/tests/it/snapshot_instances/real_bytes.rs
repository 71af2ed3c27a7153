//! Snapshot instances of real bytes, made and removed by the engine in a directory backend.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use abaca::config::{Config, Overrides};
use abaca::engine::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, TestServer};

/// A whole service: the API, an engine, and a directory of its own below it.
struct Service {
    api: TestServer,
    shutdown: CancellationToken,
    engine: JoinHandle<()>,
    _data: TempDir,
}

impl Service {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let data_dir = Some(data.path().to_str().unwrap().to_owned());
        let config =
            Config::load_from(&Overrides { data_dir, ..Overrides::default() }, []).unwrap();
        let api = TestServer::start().await;
        let specs = json!({ "driver_handles_share_servers": "False", "snapshot_support": "True" });
        let default = json!({ "share_type": { "name": "default", "extra_specs": specs } });
        api.post("/v2/types", default).await.expect(200);
        let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
        let engine = Engine::open(db, config.worker, &config.backends, queue).await.unwrap();
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(Arc::new(engine).run(shutdown.clone()));
        Self { api, shutdown, engine, _data: data }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.engine.await.unwrap();
    }

    async fn settled(&self, path: &str, key: &str) -> Value {
        let status = |answer: &Answer| answer.expect(200)[key]["status"].clone();
        let settled = |answer: &Answer| (status(answer) == "available").then(|| answer.json());
        self.api.wait(path, settled).await[key].clone()
    }

    async fn gone(&self, path: &str) {
        self.api.wait(path, |answer| (answer.status == 404).then_some(())).await;
    }

    /// A share, and the directory a client would mount.
    async fn share(&self) -> (String, PathBuf) {
        let body = json!({ "share": { "share_proto": "NFS", "size": 1, "name": "s1" } });
        let share = self.api.post("/v2/shares", body).await.expect(200);
        let id = share["share"]["id"].as_str().unwrap().to_owned();
        self.settled(&format!("/v2/shares/{id}"), "share").await;
        let path = format!("/v2/shares/{id}/export_locations");
        let exports = self.api.get(&path).await.expect(200);
        (id, PathBuf::from(exports["export_locations"][0]["path"].as_str().unwrap()))
    }

    /// An available snapshot, and its instance as the detailed list shows it.
    async fn snapshot(&self, share: &str) -> (String, Value) {
        let body = json!({ "snapshot": { "share_id": share, "name": "n1" } });
        let snapshot = self.api.post("/v2/snapshots", body).await.expect(202);
        let id = snapshot["snapshot"]["id"].as_str().unwrap().to_owned();
        self.settled(&format!("/v2/snapshots/{id}"), "snapshot").await;
        let path = format!("/v2/snapshot-instances/detail?snapshot_id={id}");
        let list = self.api.get(&path).await.expect(200);
        assert_eq!(list["snapshot_instances"].as_array().unwrap().len(), 1);
        (id, list["snapshot_instances"][0].clone())
    }
}

fn location(instance: &Value) -> &Path {
    Path::new(instance["provider_location"].as_str().unwrap())
}

/// Whether any file below a snapshot's place is still there.
fn exists(instance: &Value) -> bool {
    location(instance).exists()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_leads_to_the_bytes_of_its_time() {
    let service = Service::start().await;
    let (share, mount) = service.share().await;
    std::fs::write(mount.join("file"), "old").unwrap();
    let (snapshot, instance) = service.snapshot(&share).await;
    std::fs::write(mount.join("file"), "new").unwrap();
    assert_eq!(std::fs::read_to_string(location(&instance).join("file")).unwrap(), "old");
    assert_eq!(instance["share_id"], *share);
    assert_eq!((&instance["status"], &instance["progress"]), (&json!("available"), &json!("100%")));
    assert!(instance["updated_at"].as_str() > instance["created_at"].as_str());
    let shown = service.api.get(&format!("/v2/snapshots/{snapshot}")).await.expect(200);
    assert_eq!(shown["snapshot"]["provider_location"], instance["provider_location"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_reset_to_error_can_be_deleted_with_its_bytes() {
    let service = Service::start().await;
    let (share, mount) = service.share().await;
    std::fs::write(mount.join("file"), "bytes").unwrap();
    let (snapshot, instance) = service.snapshot(&share).await;
    let path = format!("/v2/snapshot-instances/{}", instance["id"].as_str().unwrap());
    for status in ["error", "available", "error"] {
        let body = json!({ "reset_status": { "status": status } });
        service.api.post(&format!("{path}/action"), body).await.expect(202);
        let shown = service.api.get(&path).await.expect(200);
        assert_eq!(shown["snapshot_instance"]["status"], status);
        assert!(exists(&instance), "a reset leaves the bytes alone");
    }
    service.api.delete(&format!("/v2/snapshots/{snapshot}")).await.expect(202);
    service.gone(&path).await;
    service.api.get(&format!("/v2/snapshots/{snapshot}")).await.fault(404, "itemNotFound");
    assert!(!exists(&instance));
    assert_eq!(std::fs::read_to_string(mount.join("file")).unwrap(), "bytes");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_stuck_by_hand_goes_by_force() {
    let service = Service::start().await;
    let (share, _) = service.share().await;
    let (snapshot, instance) = service.snapshot(&share).await;
    let action = format!("/v2/snapshots/{snapshot}/action");
    let stuck = json!({ "reset_status": { "status": "creating" } });
    service.api.post(&action, stuck).await.expect(202);
    let refused = service.api.delete(&format!("/v2/snapshots/{snapshot}")).await;
    refused.fault(400, "badRequest");
    service.api.post(&action, json!({ "force_delete": null })).await.expect(202);
    service.gone(&format!("/v2/snapshots/{snapshot}")).await;
    assert!(!exists(&instance));
    service.stop().await;
}
