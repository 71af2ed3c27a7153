//! Moving shares between backends.

mod bodies;
mod cancelled;
mod completed;
mod errors;
mod left_behind;
mod quota;
mod taken_over;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca::config::{Config, Overrides};
use abaca::engine::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, TestServer};

/// Backends with real bytes.
const DIRECTORIES: [&str; 2] = ["first", "second"];

/// A whole service with two directories for its backends, and three simulated ones: `near` and `far`
/// fail as [`Service::set_faults`] says.
struct Service {
    api: TestServer,
    host: String,
    shutdown: CancellationToken,
    engine: JoinHandle<()>,
    data: TempDir,
}

impl Service {
    async fn start() -> Self {
        Self::on(TestServer::start().await).await
    }

    async fn on(api: TestServer) -> Self {
        let data = tempfile::tempdir().unwrap();
        let data_dir = Some(data.path().to_str().unwrap().to_owned());
        let config =
            Config::load_from(&Overrides { data_dir, ..Overrides::default() }, []).unwrap();
        let mut backends = Vec::new();
        for name in ["first", "second", "void", "near", "far"] {
            let mut backend = config.backends[0].clone();
            backend.name = name.to_owned();
            if DIRECTORIES.contains(&name) {
                backend.settings.insert("root".to_owned(), json!(data.path().join(name)));
            } else {
                backend.driver = "simulated".to_owned();
                backend.settings.clear();
            }
            if matches!(name, "near" | "far") {
                let faults = data.path().join(format!("{name}.toml"));
                std::fs::write(&faults, "").unwrap();
                backend.settings.insert("fault_file".to_owned(), json!(faults));
            }
            backends.push(backend);
        }
        for name in ["default", "other", "plain", "mountable"] {
            let mut specs = json!({ "driver_handles_share_servers": "False" });
            if name != "plain" {
                specs["snapshot_support"] = json!("True");
                specs["create_share_from_snapshot_support"] = json!("True");
            }
            if name == "mountable" {
                specs["mount_snapshot_support"] = json!("True");
            }
            let body = json!({ "share_type": { "name": name, "extra_specs": specs } });
            api.post("/v2/types", body).await.expect(200);
        }
        let host = config.worker.host.clone();
        let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
        let engine = Engine::open(db, config.worker, &backends, queue).await.unwrap();
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(Arc::new(engine).run(shutdown.clone()));
        let service = Self { api, host, shutdown, engine, data };
        service
            .wait("/v2/scheduler-stats/pools", |answer| {
                let pools = answer.expect(200);
                (pools["pools"].as_array().unwrap().len() == 5).then_some(())
            })
            .await;
        service
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.engine.await.unwrap();
    }

    fn pool(&self, backend: &str) -> String {
        let pool = if DIRECTORIES.contains(&backend) { "directory" } else { "simulated" };
        format!("{}@{backend}#{pool}", self.host)
    }

    /// From its next call on, this method of the simulated `backend` fails so, and no other.
    fn set_fault(&self, backend: &str, method: &str, fail: &str) {
        let fault = format!("[[fault]]\nmethod = \"{method}\"\nfail = \"{fail}\"\n");
        self.set_faults(backend, &fault);
    }

    fn set_faults(&self, backend: &str, faults: &str) {
        let new = self.data.path().join("faults.new");
        std::fs::write(&new, faults).unwrap();
        std::fs::rename(new, self.data.path().join(format!("{backend}.toml"))).unwrap();
    }

    /// Asks until `found` finds what it waits for.
    async fn wait<T>(&self, path: &str, found: impl Fn(&Answer) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let answer = self.api.get(path).await;
            if let Some(value) = found(&answer) {
                return value;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{path} stays {}", answer.text);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The share once its task state is this.
    async fn reaches(&self, share: &str, state: &str) -> Value {
        let path = format!("/v2/shares/{share}");
        let reached = |answer: &Answer| {
            let shown = answer.expect(200)["share"].clone();
            (shown["task_state"] == state).then_some(shown)
        };
        self.wait(&path, reached).await
    }

    /// A share at the first backend, and the directory a client would mount.
    async fn share(&self) -> (String, PathBuf) {
        let id = self.share_at("first", "default").await;
        let mount = self.mount(&id).await;
        (id, mount)
    }

    async fn share_at(&self, backend: &str, share_type: &str) -> String {
        let hints = json!({ "only_host": self.pool(backend) });
        let body = json!({ "share": { "share_proto": "NFS", "size": 1, "share_type": share_type,
            "scheduler_hints": hints } });
        let share = self.api.post("/v2/shares", body).await.expect(200);
        let id = share["share"]["id"].as_str().unwrap().to_owned();
        self.available("shares", "share", &id).await;
        let shown = self.api.get(&format!("/v2/shares/{id}")).await.expect(200);
        assert_eq!(shown["share"]["host"], self.pool(backend));
        id
    }

    async fn available(&self, path: &str, key: &str, id: &str) {
        let path = format!("/v2/{path}/{id}");
        let settled =
            |answer: &Answer| (answer.expect(200)[key]["status"] == "available").then_some(());
        self.wait(&path, settled).await;
    }

    /// Where a tenant finds the share.
    async fn mount(&self, share: &str) -> PathBuf {
        let path = format!("/v2/shares/{share}/export_locations");
        let exports = self.api.get(&path).await.expect(200);
        let locations = exports["export_locations"].as_array().unwrap();
        assert_eq!(locations.len(), 1, "{locations:?}");
        PathBuf::from(locations[0]["path"].as_str().unwrap())
    }

    async fn snapshot(&self, share: &str) -> String {
        let body = json!({ "snapshot": { "share_id": share } });
        let snapshot = self.api.post("/v2/snapshots", body).await.expect(202);
        let id = snapshot["snapshot"]["id"].as_str().unwrap().to_owned();
        self.available("snapshots", "snapshot", &id).await;
        id
    }

    async fn migrate(&self, share: &str, backend: &str, more: Value) -> Answer {
        let mut wanted = json!({ "host": self.pool(backend), "writable": false,
            "nondisruptive": false, "preserve_metadata": false, "preserve_snapshots": false });
        let more = more.as_object().unwrap().clone();
        wanted.as_object_mut().unwrap().extend(more);
        self.action(share, json!({ "migration_start": wanted })).await
    }

    async fn action(&self, share: &str, body: Value) -> Answer {
        self.api.post(&format!("/v2/shares/{share}/action"), body).await
    }

    async fn complete(&self, share: &str) {
        self.action(share, json!({ "migration_complete": null })).await.expect(202);
        self.reaches(share, "migration_success").await;
    }

    /// Status, host and number of snapshot instances of each of the share's instances, in order.
    async fn instances(&self, share: &str) -> Vec<(String, String)> {
        let list = self.api.get(&format!("/v2/shares/{share}/instances")).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut found: Vec<_> = list["share_instances"]
            .as_array()
            .unwrap()
            .iter()
            .map(|instance| (text(&instance["status"]), text(&instance["host"])))
            .collect();
        found.sort();
        found
    }

    /// The statuses of a snapshot's instances, in order.
    async fn copies(&self, snapshot: &str) -> Vec<Value> {
        let path = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
        let list = self.api.get(&path).await.expect(200);
        let mut found = list["snapshot_instances"].as_array().unwrap().clone();
        found.sort_by_key(|copy| copy["status"].to_string());
        found
    }

    /// The id of the share's instance at a backend.
    async fn instance_at(&self, share: &str, backend: &str) -> Option<String> {
        let list = self.api.get(&format!("/v2/shares/{share}/instances")).await.expect(200);
        let instances = list["share_instances"].as_array().unwrap();
        let found = instances.iter().find(|instance| instance["host"] == self.pool(backend))?;
        Some(found["id"].as_str().unwrap().to_owned())
    }

    /// Waits until the share has one instance, there.
    async fn is_only_at(&self, share: &str, backend: &str) {
        let pool = self.pool(backend);
        let alone = |answer: &Answer| {
            let list = answer.expect(200)["share_instances"].as_array().unwrap().clone();
            (list.len() == 1 && list[0]["host"] == pool).then_some(())
        };
        self.wait(&format!("/v2/shares/{share}/instances"), alone).await;
    }

    /// Waits until a backend's directory holds so many shares and snapshots.
    async fn holds(&self, backend: &str, shares: usize, snapshots: usize) {
        let root = self.data.path().join(backend);
        let count = |part: &str| std::fs::read_dir(root.join(part)).unwrap().count();
        let began = Instant::now();
        while (count("shares"), count("snapshots")) != (shares, snapshots) {
            let found = (count("shares"), count("snapshots"));
            assert!(began.elapsed() < Duration::from_secs(30), "{backend} holds {found:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
