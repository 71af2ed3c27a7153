//! Workers whose backends hang, copy for long, or are out of reach: the rest goes on.

mod busy;
mod copies;
mod forced;
mod hung;
mod opened;
mod taken_over;

use std::fs;
use std::sync::Arc;

use abaca::config::{Config, Overrides};
use abaca::engine::{BackendError, Engine};
use abaca_model::Operation;
use abaca_store::operations;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, TestServer};

/// The API, and a worker `w` whose backends a config file describes.
struct Service {
    api: TestServer,
    data: TempDir,
    shutdown: CancellationToken,
    engine: JoinHandle<()>,
}

/// A simulated backend with the pool `p`, whose faults can be set.
fn simulated(name: &str) -> String {
    format!(
        "[[backend]]\nname = {name:?}\ndriver = \"simulated\"\nreplication_domain = \"d\"\n\
         fault_file = \"DATA/{name}.toml\"\n\
         pools = [{{ name = \"p\", replication_type = \"readable\" }}]\n"
    )
}

fn fault(method: &str, fail: &str) -> String {
    format!("[[fault]]\nmethod = {method:?}\nfail = {fail:?}\n")
}

impl Service {
    /// Starts with these lines of `[worker]` and backends. `DATA` in them is the test's directory,
    /// which `prepare` is given first.
    async fn start(worker: &str, backends: &str, prepare: impl FnOnce(&TempDir)) -> Self {
        let started = Self::try_start(worker, backends, prepare).await;
        started.unwrap_or_else(|error| panic!("{error:?}"))
    }

    async fn try_start(
        worker: &str,
        backends: &str,
        prepare: impl FnOnce(&TempDir),
    ) -> Result<Self, BackendError> {
        let data = tempfile::tempdir().unwrap();
        prepare(&data);
        let text = format!(
            "[worker]\nhost = \"w\"\npoll_interval = 0.05\nstats_interval = 0.1\n{worker}\n{backends}"
        );
        let file = data.path().join("abaca.toml");
        fs::write(&file, text.replace("DATA", data.path().to_str().unwrap())).unwrap();
        let overrides = Overrides { file: Some(file), ..Overrides::default() };
        let config = Config::load_from(&overrides, []).unwrap();
        let api = TestServer::start().await;
        for (name, replication_type) in [("default", None), ("replicated", Some("readable"))] {
            let mut specs =
                json!({ "driver_handles_share_servers": "False", "snapshot_support": "True" });
            if let Some(kind) = replication_type {
                specs["replication_type"] = json!(kind);
            }
            let body = json!({ "share_type": { "name": name, "extra_specs": specs } });
            api.post("/v2/types", body).await.expect(200);
        }
        let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
        let engine = Engine::open(db, config.worker, &config.backends, queue).await?;
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(Arc::new(engine).run(shutdown.clone()));
        Ok(Self { api, data, shutdown, engine })
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.engine.await.unwrap();
    }

    /// Has a simulated backend fail as `faults` says, from its next call on.
    fn set_faults(&self, backend: &str, faults: &str) {
        set_faults(&self.data, backend, faults);
    }

    /// Waits until these backends have reported a pool, and no other.
    async fn reported(&self, expected: &[&str]) {
        let reported = |answer: &Answer| {
            let pools = answer.expect(200)["pools"].as_array().unwrap().clone();
            let backends: Vec<_> = pools.iter().map(|pool| pool["backend"].clone()).collect();
            (backends == expected).then_some(())
        };
        self.api.wait("/v2/scheduler-stats/pools", reported).await;
    }

    /// Asks for a share in the pool; its id.
    async fn share(&self, pool: &str, share_type: &str) -> String {
        let hints = json!({ "only_host": pool });
        let share = json!({ "share_proto": "NFS", "size": 1, "share_type": share_type,
            "scheduler_hints": hints });
        let share = self.api.post("/v2/shares", json!({ "share": share })).await.expect(200);
        share["share"]["id"].as_str().unwrap().to_owned()
    }

    async fn share_is(&self, id: &str, status: &str) {
        let reached =
            |answer: &Answer| (answer.expect(200)["share"]["status"] == status).then_some(());
        self.api.wait(&format!("/v2/shares/{id}"), reached).await;
    }

    async fn gone(&self, path: &str) {
        self.api.wait(path, |answer| (answer.status == 404).then_some(())).await;
    }

    /// The only instance of a share.
    async fn instance(&self, share: &str) -> String {
        let list = self.api.get(&format!("/v2/shares/{share}/instances")).await.expect(200);
        list["share_instances"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the newest operation of an instance is as it shall be.
    async fn operation(&self, instance: &str, found: impl Fn(&Operation) -> bool) -> Operation {
        let began = std::time::Instant::now();
        loop {
            let mut tx = self.api.app.db.read().await.unwrap();
            let all = operations::of_resource(&mut tx, instance.parse().unwrap()).await.unwrap();
            drop(tx);
            if let Some(last) = all.last().filter(|last| found(last)) {
                return last.clone();
            }
            assert!(began.elapsed() < std::time::Duration::from_secs(20), "{all:?}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn act(&self, path: &str, body: Value) -> Answer {
        self.api.post(&format!("/v2/{path}/action"), body).await
    }
}

fn set_faults(data: &TempDir, backend: &str, faults: &str) {
    let new = data.path().join("new");
    fs::write(&new, faults).unwrap();
    fs::rename(new, data.path().join(format!("{backend}.toml"))).unwrap();
}
