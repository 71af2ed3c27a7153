//! The recycle bin is emptied by the workers, each share once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca::config::{Config, Overrides};
use abaca::engine::Engine;
use abaca_model::{OperationKind, ShareId, Timestamp};
use abaca_store::{operations, shares};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{ALICE, DEFAULT_SPECS, act, add_type, create, instance_of};
use crate::support::TestServer;

/// The API, and workers of one database, each with a directory of its own.
struct Service {
    api: TestServer,
    workers: Vec<Arc<Engine>>,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    _data: Vec<TempDir>,
}

impl Service {
    async fn start(hosts: &[&str]) -> Self {
        let api = TestServer::start().await;
        let specs = DEFAULT_SPECS.into_iter().chain([("mount_point_name_support", "True")]);
        add_type(&api, 0, "default", &specs.collect::<Vec<_>>()).await;
        let shutdown = CancellationToken::new();
        let (mut workers, mut tasks, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for host in hosts {
            let data = tempfile::tempdir().unwrap();
            let data_dir = Some(data.path().to_str().unwrap().to_owned());
            let mut config =
                Config::load_from(&Overrides { data_dir, ..Overrides::default() }, []).unwrap();
            config.worker.host = (*host).to_owned();
            config.worker.poll_interval = Duration::from_millis(50);
            let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
            let engine = Engine::open(db, config.worker, &config.backends, queue).await.unwrap();
            let engine = Arc::new(engine);
            tasks.push(tokio::spawn(Arc::clone(&engine).run(shutdown.clone())));
            workers.push(engine);
            all.push(data);
        }
        Self { api, workers, shutdown, tasks, _data: all }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    async fn wait(&self, id: ShareId, status: u16, text: &str) {
        let began = Instant::now();
        loop {
            let answer = self.api.get(&format!("/v2/shares/{id}")).await;
            if answer.status == status && answer.text.contains(text) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it stays {}", answer.text);
            for worker in &self.workers {
                worker.reconcile();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A share, and the directory a client would mount.
    async fn share(&self, name: Option<&str>) -> (ShareId, PathBuf) {
        let body = json!({ "share_proto": "NFS", "size": 1, "mount_point_name": name });
        let share = create(&self.api, ALICE, body).await.expect(200);
        let id: ShareId = share["share"]["id"].as_str().unwrap().parse().unwrap();
        self.wait(id, 200, "\"status\":\"available\"").await;
        let path = format!("/v2/shares/{id}/export_locations");
        let exports = self.api.get(&path).await.expect(200);
        (id, PathBuf::from(exports["export_locations"][0]["path"].as_str().unwrap()))
    }

    /// Puts a share into the recycle bin, for a time that is over `ago`, or not yet.
    async fn bin(&self, id: ShareId, ago: Option<Duration>) {
        act(&self.api, ALICE, id, json!({ "soft_delete": null })).await.expect(202);
        let Some(ago) = ago else { return };
        let now = Timestamp::now();
        let mut tx = self.api.app.db.write().await.unwrap();
        shares::set_deletion(&mut tx, id, Some(now.before(ago)), now).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn holds(path: &Path) -> bool {
    path.join("file").exists()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_share_is_deleted_once_when_its_time_is_over() {
    let service = Service::start(&["one", "two"]).await;
    let (kept, kept_path) = service.share(None).await;
    let mut over = Vec::new();
    for number in 0..4 {
        let (id, path) = service.share(Some(&format!("name{number}"))).await;
        assert!(path.ends_with(format!("project_name{number}")), "{}", path.display());
        std::fs::write(path.join("file"), "bytes").unwrap();
        let instance = instance_of(&service.api, id).await;
        over.push((id, path, instance.id));
    }
    std::fs::write(kept_path.join("file"), "bytes").unwrap();
    service.bin(kept, None).await;
    for (id, ..) in &over {
        service.bin(*id, Some(Duration::from_millis(1))).await;
    }
    for (id, path, instance) in &over {
        service.wait(*id, 404, "").await;
        assert!(!holds(path), "{}", path.display());
        let mut tx = service.api.app.db.read().await.unwrap();
        let all = operations::of_resource(&mut tx, instance.uuid()).await.unwrap();
        let deletions: Vec<_> =
            all.iter().filter(|operation| operation.kind == OperationKind::DeleteShare).collect();
        assert_eq!(deletions.len(), 1, "two workers looked, one began: {all:?}");
        let deletion = deletions[0];
        assert_eq!((&*deletion.project_id, &*deletion.user_id), ("project", "alice"));
        assert!(deletion.request_id.starts_with("req-"), "{}", deletion.request_id);
    }
    service.wait(kept, 200, "\"is_soft_deleted\":true").await;
    assert!(holds(&kept_path), "its time is not over");
    act(&service.api, ALICE, kept, json!({ "restore": null })).await.expect(202);
    service.wait(kept, 200, "\"is_soft_deleted\":false").await;
    assert!(holds(&kept_path));
    service.stop().await;
}
