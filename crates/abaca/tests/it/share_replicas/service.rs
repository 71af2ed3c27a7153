//! An engine with two directory backends, and what tests ask of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca::config::{BackendConfig, Config, Overrides, WorkerConfig};
use abaca::engine::Engine;
use abaca_model::{Operation, OperationKind};
use abaca_store::operations;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, TestServer};

/// The API, and an engine with the backends `one` and `two` in the zones of these names.
pub(super) struct Service {
    pub(super) api: TestServer,
    shutdown: CancellationToken,
    engines: Vec<JoinHandle<()>>,
    pub(super) data: TempDir,
    worker: WorkerConfig,
    /// Those and `three`.
    backends: Vec<BackendConfig>,
}

impl Service {
    pub(super) async fn start(replication_type: &str) -> Self {
        Self::start_updating(replication_type, Duration::from_secs(300)).await
    }

    /// One whose replicas are brought up to date every `interval`.
    pub(super) async fn start_updating(replication_type: &str, interval: Duration) -> Self {
        Self::start_on("directory", replication_type, interval).await
    }

    /// One with simulated backends, whose calls go as [`Self::set_faults`] says.
    pub(super) async fn start_simulated(replication_type: &str) -> Self {
        Self::start_on("simulated", replication_type, Duration::from_secs(300)).await
    }

    async fn start_on(driver: &str, replication_type: &str, interval: Duration) -> Self {
        let data = tempfile::tempdir().unwrap();
        let data_dir = Some(data.path().to_str().unwrap().to_owned());
        let config =
            Config::load_from(&Overrides { data_dir, ..Overrides::default() }, []).unwrap();
        let api = TestServer::start().await;
        let specs = json!({
            "driver_handles_share_servers": "False",
            "snapshot_support": "True",
            "create_share_from_snapshot_support": "True",
            "revert_to_snapshot_support": "True",
            "mount_snapshot_support": "True",
            "replication_type": replication_type,
        });
        let default = json!({ "share_type": { "name": "default", "extra_specs": specs } });
        api.post("/v2/types", default).await.expect(200);
        let backend = |name: &str| {
            let settings = match driver {
                "simulated" => json!({
                    "fault_file": data.path().join("faults.toml"),
                    "pools": [{ "name": "p", "replication_type": replication_type }],
                }),
                _ => json!({
                    "root": data.path().join(name), "replication_type": replication_type,
                }),
            };
            BackendConfig {
                name: name.to_owned(),
                driver: driver.to_owned(),
                availability_zone: name.to_owned(),
                replication_domain: Some("d".to_owned()),
                settings: settings.as_object().unwrap().clone(),
                ..config.backends[0].clone()
            }
        };
        let backends = ["one", "two", "three"].map(backend).to_vec();
        let worker = WorkerConfig { replica_update_interval: interval, ..config.worker };
        let shutdown = CancellationToken::new();
        let mut service = Self { api, shutdown, engines: Vec::new(), data, worker, backends };
        service.work(&["one", "two"]).await;
        service.until("/v2/scheduler-stats/pools", |pools| pools["pools"][1].is_object()).await;
        service
    }

    /// Has one more engine work, with these backends.
    pub(super) async fn work(&mut self, names: &[&str]) {
        let is_named = |backend: &&BackendConfig| names.contains(&backend.name.as_str());
        let backends: Vec<_> = self.backends.iter().filter(is_named).cloned().collect();
        let (db, queue) = (self.api.app.db.clone(), Arc::clone(&self.api.app.queue));
        let engine = Engine::open(db, self.worker.clone(), &backends, queue).await.unwrap();
        self.engines.push(tokio::spawn(Arc::new(engine).run(self.shutdown.clone())));
    }

    /// Lets all engines end.
    pub(super) async fn rest(&mut self) {
        self.shutdown.cancel();
        for engine in self.engines.drain(..) {
            engine.await.unwrap();
        }
        self.shutdown = CancellationToken::new();
    }

    pub(super) async fn stop(mut self) {
        self.rest().await;
    }

    /// Asks until the answer is as it shall be.
    pub(super) async fn until(&self, path: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let right =
            |answer: &Answer| (answer.status == 200).then(|| answer.json()).filter(&is_right);
        self.api.wait(path, right).await
    }

    pub(super) async fn replica_is(&self, id: &str, status: &str, state: &str) -> Value {
        let replica = |shown: &Value| {
            let replica = &shown["share_replica"];
            replica["status"] == status && replica["replica_state"] == state
        };
        self.until(&format!("/v2/share-replicas/{id}"), replica).await["share_replica"].clone()
    }

    /// A share in the zone `one`, its active replica, and where its files are.
    pub(super) async fn share(&self) -> (String, String, PathBuf) {
        let share = json!({ "share_proto": "NFS", "size": 1, "availability_zone": "one" });
        let share = self.api.post("/v2/shares", json!({ "share": share })).await.expect(200);
        let id = share["share"]["id"].as_str().unwrap().to_owned();
        let available = |shown: &Value| shown["share"]["status"] == "available";
        self.until(&format!("/v2/shares/{id}"), available).await;
        let list = self.api.get(&format!("/v2/share-replicas?share_id={id}")).await.expect(200);
        let active = list["share_replicas"][0]["id"].as_str().unwrap().to_owned();
        let path = self.path("one", "shares", &active);
        (id, active, path)
    }

    /// A replica in the zone `two`, in sync.
    pub(super) async fn replica(&self, share: &str) -> (String, PathBuf) {
        let replica = json!({ "share_id": share, "availability_zone": "two" });
        let body = json!({ "share_replica": replica });
        let replica = self.api.post("/v2/share-replicas", body).await.expect(202);
        let id = replica["share_replica"]["id"].as_str().unwrap().to_owned();
        self.replica_is(&id, "available", "in_sync").await;
        let path = self.path("two", "shares", &id);
        (id, path)
    }

    pub(super) async fn snapshot(&self, share: &str) -> String {
        let body = json!({ "snapshot": { "share_id": share } });
        let snapshot = self.api.post("/v2/snapshots", body).await.expect(202);
        let id = snapshot["snapshot"]["id"].as_str().unwrap().to_owned();
        let available = |shown: &Value| shown["snapshot"]["status"] == "available";
        self.until(&format!("/v2/snapshots/{id}"), available).await;
        id
    }

    /// The available instances of a snapshot by their share instances, so many.
    pub(super) async fn instances(&self, snapshot: &str, count: usize) -> Vec<(String, PathBuf)> {
        let path = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
        let all = |list: &Value| {
            let list = list["snapshot_instances"].as_array().unwrap();
            list.len() == count && list.iter().all(|one| one["status"] == "available")
        };
        let list = self.until(&path, all).await;
        let one = |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (text("share_instance_id"), PathBuf::from(text("provider_location")))
        };
        list["snapshot_instances"].as_array().unwrap().iter().map(one).collect()
    }

    pub(super) async fn act(&self, replica: &str, body: Value, status: u16) {
        let path = format!("/v2/share-replicas/{replica}/action");
        assert_eq!(self.api.post(&path, body).await.status, status);
    }

    /// Lets a client into a share, and waits until it is in.
    pub(super) async fn allow(&self, share: &str, client: &str) {
        let rule = json!({ "allow_access": { "access_type": "ip", "access_to": client } });
        self.api.post(&format!("/v2/shares/{share}/action"), rule).await.expect(200);
        let active = |shown: &Value| shown["share"]["access_rules_status"] == "active";
        self.until(&format!("/v2/shares/{share}"), active).await;
    }

    /// Has the simulated backends fail as `faults` says, from their next calls on.
    pub(super) fn set_faults(&self, faults: &str) {
        let new = self.data.path().join("faults.new");
        std::fs::write(&new, faults).unwrap();
        std::fs::rename(new, self.data.path().join("faults.toml")).unwrap();
    }

    /// Waits until an operation of this kind has found so many times that it can't go on yet.
    pub(super) async fn waits(&self, id: &str, kind: OperationKind, times: i64) {
        self.has(id, |one| one.kind == kind && one.attempts >= times).await;
    }

    /// Waits until the resource has such an operation.
    pub(super) async fn has(&self, id: &str, is_right: impl Fn(&Operation) -> bool) {
        let began = Instant::now();
        loop {
            let mut tx = self.api.app.db.read().await.unwrap();
            let all = operations::of_resource(&mut tx, id.parse().unwrap()).await.unwrap();
            drop(tx);
            if all.iter().any(&is_right) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "none is right: {all:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whom the backend lets in now, and with which level.
    pub(super) fn rules(&self, backend: &str, id: &str) -> Vec<(String, String)> {
        rules_beside(&self.path(backend, "shares", id))
    }

    /// Waits until the backend lets these in, with these levels.
    pub(super) async fn let_in(&self, backend: &str, id: &str, expected: &[(&str, &str)]) {
        self.let_in_by(&self.path(backend, "shares", id), expected).await;
    }

    /// As [`Self::let_in`], by the place of the files.
    pub(super) async fn let_in_by(&self, data: &Path, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(to, level)| ((*to).to_owned(), (*level).to_owned())).collect();
        let began = Instant::now();
        loop {
            let found = rules_beside(data);
            if found == expected {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{data:?} lets in {found:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) fn path(&self, backend: &str, kind: &str, id: &str) -> PathBuf {
        self.data.path().join(backend).join(kind).join(id).join("data")
    }
}

pub(super) fn read(path: &Path) -> String {
    std::fs::read_to_string(path.join("file")).unwrap()
}

pub(super) fn write(path: &Path, text: &str) {
    std::fs::write(path.join("file"), text).unwrap();
}

/// The rules that a backend keeps beside the bytes in `data`: whom, and with which level.
fn rules_beside(data: &Path) -> Vec<(String, String)> {
    let list: Value = std::fs::read(data.with_file_name("access.json"))
        .map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
    let rules = list["rules"].as_array().cloned().unwrap_or_default();
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
    rules.iter().map(|rule| (text(rule, "to"), text(rule, "level"))).collect()
}
