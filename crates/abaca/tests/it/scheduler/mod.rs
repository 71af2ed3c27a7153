//! Where shares go: the whole service over simulated backends.

mod functions;
mod hints;
mod pools;
mod room;
mod zones;

use std::fs;
use std::sync::Arc;

use abaca::api::V;
use abaca::config::{Config, Overrides};
use abaca::engine::Engine;
use axum::http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, TestServer};

const ADMIN: &str = "admin:admin:admin";
const ALICE: &str = "alice:project:member";
const BOB: &str = "bob:other:member";

/// The API, and an engine whose backends a config file describes.
struct Service {
    api: TestServer,
    config: Config,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Service {
    /// Two backends in the zone `nova` and one in `far`, each with a pool `p` of 1000 GiB.
    async fn with_three_backends() -> Self {
        let backend = |name: &str, zone: &str| {
            format!(
                "[[backend]]\nname = {name:?}\ndriver = \"simulated\"\n\
                 availability_zone = {zone:?}\npools = [{{ name = \"p\" }}]\n"
            )
        };
        let backends = [backend("a", "nova"), backend("b", "nova"), backend("c", "far")];
        Self::start(&backends.concat()).await
    }

    async fn start(backends: &str) -> Self {
        let mut service = Self::stopped(backends).await;
        service.run().await;
        service
    }

    /// The engine does not run yet.
    async fn stopped(backends: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("abaca.toml");
        fs::write(&file, format!("[worker]\nhost = \"w\"\npoll_interval = 0.05\n{backends}"))
            .unwrap();
        let overrides = Overrides { file: Some(file), ..Overrides::default() };
        let config = Config::load_from(&overrides, []).unwrap();
        let api = TestServer::start().await;
        let service = Self { api, config, running: None };
        service.add_type("default", json!({})).await;
        service
    }

    async fn run(&mut self) {
        let (db, queue) = (self.api.app.db.clone(), Arc::clone(&self.api.app.queue));
        let (worker, backends) = (self.config.worker.clone(), &self.config.backends);
        let engine = Engine::open(db, worker, backends, queue).await.unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(Arc::new(engine).run(shutdown.clone()));
        self.running = Some((shutdown, task));
        let ready = |answer: &Answer| {
            let pools = answer.expect(200)["pools"].as_array().unwrap().len();
            (pools == self.config.backends.len()).then_some(())
        };
        self.api.wait("/v2/scheduler-stats/pools", ready).await;
    }

    async fn stop(mut self) {
        let (shutdown, task) = self.running.take().unwrap();
        shutdown.cancel();
        task.await.unwrap();
    }

    async fn add_type(&self, name: &str, specs: Value) {
        let mut all = json!({
            "driver_handles_share_servers": "False", "snapshot_support": "True",
            "create_share_from_snapshot_support": "True",
        });
        all.as_object_mut().unwrap().extend(specs.as_object().unwrap().clone());
        let body = json!({ "share_type": { "name": name, "extra_specs": all } });
        self.api.post("/v2/types", body).await.expect(200);
    }

    async fn create_at(&self, version: V, token: &str, given: Value) -> Answer {
        let mut share = json!({ "size": 1, "share_proto": "NFS" });
        share.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        let request = self.api.request(Method::POST, "/v2/shares").token(token).at(version);
        request.json(&json!({ "share": share })).send().await
    }

    async fn create(&self, token: &str, given: Value) -> Answer {
        self.create_at(V::MAX, token, given).await
    }

    /// Alice creates a share; its id.
    async fn created(&self, given: Value) -> String {
        let share = self.create(ALICE, given).await.expect(200);
        share["share"]["id"].as_str().unwrap().to_owned()
    }

    /// As [`Self::created`], and waits for it.
    async fn share(&self, given: Value) -> Value {
        let id = self.created(given).await;
        self.settled(&id, "available").await
    }

    /// The share, as an administrator sees it once it has this status.
    async fn settled(&self, id: &str, status: &str) -> Value {
        let reached = |answer: &Answer| {
            let share = answer.expect(200)["share"].take();
            (share["status"] == status).then_some(share)
        };
        self.api.wait(&format!("/v2/shares/{id}"), reached).await
    }

    /// What the tenant was told last about this share: action and detail.
    async fn told(&self, id: &str) -> (String, String) {
        let list = self.api.get_as(ALICE, V::MAX, &format!("/v2/messages?resource_id={id}")).await;
        let message = list.expect(200)["messages"][0].take();
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        (text("action_id"), text("detail_id"))
    }
}

fn id(share: &Value) -> &str {
    share["id"].as_str().unwrap()
}
