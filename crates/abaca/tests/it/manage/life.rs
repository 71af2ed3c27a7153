//! Real bytes that are given up and taken into use, by the engine in a directory backend.

use std::fs;
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
    engine: Arc<Engine>,
    running: JoinHandle<()>,
    pool: String,
    root: PathBuf,
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
        let small = json!({
            "driver_handles_share_servers": "False", "provisioning:max_share_size": "2",
        });
        let small = json!({ "share_type": { "name": "small", "extra_specs": small } });
        api.post("/v2/types", small).await.expect(200);
        let root = config.backends[0].settings["root"].as_str().unwrap().into();
        let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
        let engine = Engine::open(db, config.worker, &config.backends, queue).await.unwrap();
        let (engine, shutdown) = (Arc::new(engine), CancellationToken::new());
        let running = tokio::spawn(Arc::clone(&engine).run(shutdown.clone()));
        let pool = String::new();
        let mut service = Self { api, shutdown, engine, running, pool, root, _data: data };
        service.pool = service
            .api
            .wait("/v2/scheduler-stats/pools", |answer| {
                Some(answer.json()["pools"][0]["name"].as_str()?.to_owned())
            })
            .await;
        service
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }

    async fn becomes(&self, key: &str, id: &str, status: &str) -> Value {
        let found = |answer: &Answer| {
            let body = answer.expect(200)[key].clone();
            (body["status"] == status).then_some(body)
        };
        self.api.wait(&format!("/v2/{key}s/{id}"), found).await
    }

    async fn unmanage(&self, key: &str, id: &str) {
        let path = format!("/v2/{key}s/{id}");
        let body = json!({ "unmanage": null });
        assert_eq!(self.api.post(&format!("{path}/action"), body).await.status, 202);
        self.api.wait(&path, |answer| (answer.status == 404).then_some(())).await;
    }

    async fn manage(&self, export_path: &Path, share_type: &str) -> String {
        self.manage_by("NFS", export_path, share_type).await
    }

    async fn manage_by(&self, protocol: &str, export_path: &Path, share_type: &str) -> String {
        let share = json!({
            "export_path": export_path, "service_host": self.pool, "protocol": protocol,
            "share_type": share_type,
        });
        let answer = self.api.post("/v2/shares/manage", json!({ "share": share })).await;
        id(&answer.expect(200)["share"])
    }

    /// Where a share is mounted.
    async fn mount(&self, share: &str) -> PathBuf {
        let path = format!("/v2/shares/{share}/export_locations");
        let exports = self.api.get(&path).await.expect(200);
        exports["export_locations"][0]["path"].as_str().unwrap().into()
    }

    /// How many shares count against the quota, and their GiB.
    async fn used(&self) -> (Value, Value) {
        let set = self.api.get("/v2/quota-sets/admin/detail").await.expect(200);
        let of = |key: &str| set["quota_set"][key]["in_use"].clone();
        (of("shares"), of("gigabytes"))
    }
}

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_and_its_snapshot_come_back_with_their_bytes() {
    let service = Service::start().await;
    let body = json!({ "share": { "share_proto": "NFS", "size": 3 } });
    let share = id(&service.api.post("/v2/shares", body).await.expect(200)["share"]);
    service.becomes("share", &share, "available").await;
    let mount = service.mount(&share).await;
    fs::write(mount.join("file"), "old").unwrap();
    let body = json!({ "snapshot": { "share_id": share } });
    let snapshot = id(&service.api.post("/v2/snapshots", body).await.expect(202)["snapshot"]);
    let shown = service.becomes("snapshot", &snapshot, "available").await;
    let location = PathBuf::from(shown["provider_location"].as_str().unwrap());
    fs::write(mount.join("file"), "new").unwrap();

    service.unmanage("snapshot", &snapshot).await;
    service.unmanage("share", &share).await;
    assert_eq!(service.used().await, (json!(0), json!(0)));
    // Nobody takes what was given up for a leftover.
    service.engine.reconcile();
    assert_eq!(fs::read_to_string(mount.join("file")).unwrap(), "new");
    assert_eq!(fs::read_to_string(location.join("file")).unwrap(), "old");

    // A type that does not take its size, and then one that does.
    let refused = service.manage(&mount, "small").await;
    service.becomes("share", &refused, "manage_error").await;
    let messages = service.api.get("/v2/messages").await.expect(200);
    let told = messages["messages"][0]["user_message"].as_str().unwrap();
    assert!(told.contains("the share has 3 GiB, and its share type takes 0 to 2"), "{told}");
    service.unmanage("share", &refused).await;
    let share = service.manage(&mount, "default").await;
    let shown = service.becomes("share", &share, "available").await;
    assert_eq!(shown["size"], 3);
    assert!(shown["metadata"]["__managed_at"].is_string(), "{shown}");
    assert_eq!(service.used().await, (json!(1), json!(3)));
    let mount = service.mount(&share).await;
    assert_eq!(fs::read_to_string(mount.join("file")).unwrap(), "new");

    let body = json!({ "share_id": share, "provider_location": location });
    let answer = service.api.post("/v2/snapshots/manage", json!({ "snapshot": body })).await;
    let snapshot = id(&answer.expect(202)["snapshot"]);
    let shown = service.becomes("snapshot", &snapshot, "available").await;
    assert_eq!(shown["size"], 3);
    let location = Path::new(shown["provider_location"].as_str().unwrap());
    assert_eq!(fs::read_to_string(location.join("file")).unwrap(), "old");
    service.api.delete(&format!("/v2/snapshots/{snapshot}")).await.expect(202);
    service
        .api
        .wait(&format!("/v2/snapshots/{snapshot}"), |answer| (answer.status == 404).then_some(()))
        .await;
    assert!(!location.exists(), "it is the service's to delete");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_is_put_into_import_becomes_a_share() {
    let service = Service::start().await;
    let root = fs::canonicalize(&service.root).unwrap();
    let found = root.join("import/attic");
    fs::create_dir(&found).unwrap();
    fs::write(found.join("file"), "from the attic").unwrap();
    std::os::unix::fs::symlink(&found, root.join("import/link")).unwrap();
    // What is not there, what leads elsewhere, and what is not the backend's.
    for wrong in ["import/nothing", "import/link", "import/..", "import/attic/../attic", "tmp", ""]
    {
        let refused = service.manage(&root.join(wrong), "default").await;
        let shown = service.becomes("share", &refused, "manage_error").await;
        assert_eq!(shown["size"], Value::Null);
        service.unmanage("share", &refused).await;
    }
    let refused = service.manage_by("carrier_pigeon", &found, "default").await;
    service.becomes("share", &refused, "manage_error").await;
    service.unmanage("share", &refused).await;
    let share = service.manage(&found, "default").await;
    let shown = service.becomes("share", &share, "available").await;
    assert_eq!(shown["size"], 1);
    let mount = service.mount(&share).await;
    assert_eq!(fs::read_to_string(mount.join("file")).unwrap(), "from the attic");
    assert!(!found.exists());
    service.api.delete(&format!("/v2/shares/{share}")).await.expect(202);
    service
        .api
        .wait(&format!("/v2/shares/{share}"), |answer| (answer.status == 404).then_some(()))
        .await;
    assert!(!mount.exists());
    service.stop().await;
}
