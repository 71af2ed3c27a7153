//! Replicas of real bytes, made, promoted and removed by the engine in two directory backends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca::config::{BackendConfig, Config, Overrides};
use abaca::engine::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::TestServer;

/// The API, and an engine with the backends `one` and `two` in the zones of these names.
struct Service {
    api: TestServer,
    shutdown: CancellationToken,
    engine: JoinHandle<()>,
    data: TempDir,
}

impl Service {
    async fn start(replication_type: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let data_dir = Some(data.path().to_str().unwrap().to_owned());
        let config =
            Config::load_from(&Overrides { data_dir, ..Overrides::default() }, []).unwrap();
        let api = TestServer::start().await;
        let specs = json!({
            "driver_handles_share_servers": "False",
            "snapshot_support": "True",
            "revert_to_snapshot_support": "True",
            "replication_type": replication_type,
        });
        let default = json!({ "share_type": { "name": "default", "extra_specs": specs } });
        api.post("/v2/types", default).await.expect(200);
        let backend = |name: &str| {
            let root = data.path().join(name);
            let settings = json!({ "root": root, "replication_type": replication_type });
            BackendConfig {
                name: name.to_owned(),
                availability_zone: name.to_owned(),
                replication_domain: Some("d".to_owned()),
                settings: settings.as_object().unwrap().clone(),
                ..config.backends[0].clone()
            }
        };
        let backends = [backend("one"), backend("two")];
        let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
        let engine = Engine::open(db, config.worker, &backends, queue).await.unwrap();
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(Arc::new(engine).run(shutdown.clone()));
        let service = Self { api, shutdown, engine, data };
        service.until("/v2/scheduler-stats/pools", |pools| pools["pools"][1].is_object()).await;
        service
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.engine.await.unwrap();
    }

    /// Asks until the answer is as it shall be.
    async fn until(&self, path: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.api.get(path).await;
            if answer.status == 200 && is_right(&answer.json()) {
                return answer.json();
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{path} stays {}", answer.text);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn replica_is(&self, id: &str, status: &str, state: &str) -> Value {
        let replica = |shown: &Value| {
            let replica = &shown["share_replica"];
            replica["status"] == status && replica["replica_state"] == state
        };
        self.until(&format!("/v2/share-replicas/{id}"), replica).await["share_replica"].clone()
    }

    /// A share in the zone `one`, its active replica, and where its files are.
    async fn share(&self) -> (String, String, PathBuf) {
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
    async fn replica(&self, share: &str) -> (String, PathBuf) {
        let replica = json!({ "share_id": share, "availability_zone": "two" });
        let body = json!({ "share_replica": replica });
        let replica = self.api.post("/v2/share-replicas", body).await.expect(202);
        let id = replica["share_replica"]["id"].as_str().unwrap().to_owned();
        self.replica_is(&id, "available", "in_sync").await;
        let path = self.path("two", "shares", &id);
        (id, path)
    }

    async fn snapshot(&self, share: &str) -> String {
        let body = json!({ "snapshot": { "share_id": share } });
        let snapshot = self.api.post("/v2/snapshots", body).await.expect(202);
        let id = snapshot["snapshot"]["id"].as_str().unwrap().to_owned();
        let available = |shown: &Value| shown["snapshot"]["status"] == "available";
        self.until(&format!("/v2/snapshots/{id}"), available).await;
        id
    }

    /// The available instances of a snapshot by their share instances, so many.
    async fn instances(&self, snapshot: &str, count: usize) -> Vec<(String, PathBuf)> {
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

    async fn act(&self, replica: &str, body: Value, status: u16) {
        let path = format!("/v2/share-replicas/{replica}/action");
        assert_eq!(self.api.post(&path, body).await.status, status);
    }

    /// Whom the backend lets in, and with which level.
    async fn let_in(&self, backend: &str, id: &str, expected: &[(&str, &str)]) {
        let file = self.data.path().join(backend).join("shares").join(id).join("access.json");
        let began = Instant::now();
        loop {
            let list: Value = std::fs::read(&file)
                .map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
            let rules = list["rules"].as_array().cloned().unwrap_or_default();
            let found: Vec<_> = rules
                .iter()
                .map(|rule| (rule["to"].as_str().unwrap(), rule["level"].as_str().unwrap()))
                .collect();
            if found == expected {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{backend} lets in {found:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn path(&self, backend: &str, kind: &str, id: &str) -> PathBuf {
        self.data.path().join(backend).join(kind).join(id).join("data")
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path.join("file")).unwrap()
}

fn write(path: &Path, text: &str) {
    std::fs::write(path.join("file"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_follows_becomes_active_and_is_followed() {
    let service = Service::start("readable").await;
    let (share, first, one) = service.share().await;
    write(&one, "early");
    let before = service.snapshot(&share).await;
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.1" } });
    service.api.post(&format!("/v2/shares/{share}/action"), rule).await.expect(200);
    service.let_in("one", &first, &[("10.0.0.1", "rw")]).await;
    write(&one, "late");

    // A new replica has the bytes, the snapshots of before, and lets clients read.
    let (second, two) = service.replica(&share).await;
    assert_eq!(read(&two), "late");
    for (_, path) in service.instances(&before, 2).await {
        assert_eq!(read(&path), "early");
    }
    service.let_in("two", &second, &[("10.0.0.1", "ro")]).await;
    let conflict = service.api.delete(&format!("/v2/shares/{share}")).await;
    conflict.fault(409, "conflictingRequest");

    // A snapshot is taken in both, of the same moment.
    let after = service.snapshot(&share).await;
    write(&one, "latest");
    for (_, path) in service.instances(&after, 2).await {
        assert_eq!(read(&path), "late");
    }

    // The promotion brings the last bytes over, and turns everything round.
    service.act(&second, json!({ "promote": null }), 202).await;
    let shown = service.replica_is(&second, "available", "active").await;
    assert_eq!(shown["cast_rules_to_readonly"], false);
    assert_eq!(read(&two), "latest");
    service.replica_is(&first, "available", "in_sync").await;
    service.let_in("two", &second, &[("10.0.0.1", "rw")]).await;
    service.let_in("one", &first, &[("10.0.0.1", "ro")]).await;
    let shown = service.api.get(&format!("/v2/shares/{share}")).await.expect(200);
    assert!(shown["share"]["host"].as_str().unwrap().contains("@two#"), "{shown}");
    assert_eq!(shown["share"]["has_replicas"], true);
    let exports = service.api.get(&format!("/v2/shares/{share}/export_locations")).await;
    let exports = exports.expect(200);
    assert_eq!(exports["export_locations"][0]["path"], json!(two));
    write(&two, "written after the promotion");
    service.act(&first, json!({ "resync": null }), 202).await;
    service
        .until(&format!("/v2/share-replicas/{first}"), |_| {
            read(&one) == "written after the promotion"
        })
        .await;

    // A revert is of the active replica.
    let body = json!({ "revert": { "snapshot_id": after } });
    service.api.post(&format!("/v2/shares/{share}/action"), body).await.expect(202);
    let available = |shown: &Value| shown["share"]["status"] == "available";
    service.until(&format!("/v2/shares/{share}"), available).await;
    assert_eq!(read(&two), "late");

    // The last active replica stays; the other goes with its snapshot instances.
    let last = service.api.delete(&format!("/v2/share-replicas/{second}")).await;
    last.fault(400, "badRequest");
    service.api.delete(&format!("/v2/share-replicas/{first}")).await.expect(202);
    let left = service.instances(&after, 1).await;
    assert_eq!(left[0].0, second);
    service.instances(&before, 1).await;
    service.api.get(&format!("/v2/share-replicas/{first}")).await.fault(404, "itemNotFound");
    for kind in ["shares", "snapshots"] {
        let left = std::fs::read_dir(service.data.path().join("one").join(kind)).unwrap().count();
        assert_eq!(left, 0, "{kind} are left in the backend");
    }
    assert_eq!(read(&two), "late");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_in_one_place_leaves_the_other_usable_and_is_repaired() {
    let service = Service::start("dr").await;
    let (share, first, one) = service.share().await;
    write(&one, "bytes");
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.1" } });
    service.api.post(&format!("/v2/shares/{share}/action"), rule).await.expect(200);
    let snapshot = service.snapshot(&share).await;
    let (second, two) = service.replica(&share).await;
    service.instances(&snapshot, 2).await;
    // Nobody mounts a replica for disasters, but its rules wait for it.
    service.let_in("two", &second, &[]).await;

    // The replica's snapshot fails: the tenant's is as it was once the replica is stale.
    let list = format!("/v2/snapshot-instances/detail?snapshot_id={snapshot}");
    let instances = service.api.get(&list).await.expect(200);
    let instances = instances["snapshot_instances"].as_array().unwrap().clone();
    let own = instances.iter().find(|one| one["share_instance_id"] == *second).unwrap();
    let path = format!("/v2/snapshot-instances/{}/action", own["id"].as_str().unwrap());
    let reset = json!({ "reset_status": { "status": "error" } });
    service.api.post(&path, reset.clone()).await.expect(202);
    let shown = format!("/v2/snapshots/{snapshot}");
    assert_eq!(service.api.get(&shown).await.expect(200)["snapshot"]["status"], "error");
    let stale = json!({ "reset_replica_state": { "replica_state": "out_of_sync" } });
    service.act(&second, stale, 202).await;
    assert_eq!(service.api.get(&shown).await.expect(200)["snapshot"]["status"], "available");

    // A resync repairs the replica, its bytes and its snapshots.
    service.act(&second, reset, 202).await;
    std::fs::remove_dir_all(two.parent().unwrap()).unwrap();
    service.act(&second, json!({ "resync": null }), 202).await;
    service.replica_is(&second, "available", "in_sync").await;
    assert_eq!(read(&two), "bytes");
    for (_, path) in service.instances(&snapshot, 2).await {
        assert_eq!(read(&path), "bytes");
    }

    // The active one is lost: the replica takes its place with what it has.
    std::fs::rename(service.data.path().join("one"), service.data.path().join("lost")).unwrap();
    service.act(&second, json!({ "promote": { "quiesce_wait_time": 5 } }), 202).await;
    service.replica_is(&second, "available", "active").await;
    assert_eq!(read(&two), "bytes");
    service.let_in("two", &second, &[("10.0.0.1", "rw")]).await;
    let list = format!("/v2/share-replicas?share_id={share}");
    let replicas = service.api.get(&list).await.expect(200);
    let active = replicas["share_replicas"].as_array().unwrap().iter();
    let active: Vec<_> = active.filter(|one| one["replica_state"] == "active").collect();
    assert_eq!((active.len(), &active[0]["id"]), (1, &json!(second)));
    std::fs::rename(service.data.path().join("lost"), service.data.path().join("one")).unwrap();
    assert_ne!(first, second);
    service.stop().await;
}
