//! Many clients at once, with an engine at work: all of it comes to rest, as asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca::config::{Config, Overrides};
use abaca::engine::Engine;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::TestServer;

const CLIENTS: usize = 24;

async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allows_and_denies_at_once_come_to_rest() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = Some(data.path().to_str().unwrap().to_owned());
    let config = Config::load_from(&Overrides { data_dir, ..Overrides::default() }, []).unwrap();
    let api = Arc::new(TestServer::start().await);
    let specs = json!({ "driver_handles_share_servers": "False", "snapshot_support": "True" });
    let default = json!({ "share_type": { "name": "default", "extra_specs": specs } });
    api.post("/v2/types", default).await.expect(200);
    let (db, queue) = (api.app.db.clone(), Arc::clone(&api.app.queue));
    let engine = Engine::open(db, config.worker, &config.backends, queue).await.unwrap();
    let shutdown = CancellationToken::new();
    let engine = tokio::spawn(Arc::new(engine).run(shutdown.clone()));
    let body = json!({ "share": { "share_proto": "NFS", "size": 1 } });
    let share = api.post("/v2/shares", body).await.expect(200)["share"]["id"].clone();
    let path = format!("/v2/shares/{}", share.as_str().unwrap());
    until("a share", async || {
        (api.get(&path).await.expect(200)["share"]["status"] == "available").then_some(())
    })
    .await;

    let clients =
        (0..CLIENTS).map(|number| tokio::spawn(client(Arc::clone(&api), path.clone(), number)));
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let list = format!("/v2/share-access-rules?share_id={}", share.as_str().unwrap());
    let rules = until("rest", async || {
        let rules = api.get(&list).await.expect(200)["access_list"].as_array().unwrap().clone();
        let at_rest = rules.iter().all(|rule| rule["state"] == "active");
        let status = api.get(&path).await.expect(200)["share"]["access_rules_status"].clone();
        (at_rest && status == "active" && rules.len() == CLIENTS).then_some(rules)
    })
    .await;
    let mut wanted: Vec<_> = rules.iter().map(in_force).collect();
    wanted.sort_by_key(|rule| rule["id"].to_string());
    let exports = api.get(&format!("{path}/export_locations")).await.expect(200);
    let export = exports["export_locations"][0]["path"].as_str().unwrap().to_owned();
    let file = std::path::Path::new(&export).with_file_name("access.json");
    let held: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(held["rules"], json!(wanted));
    for (number, rule) in rules.iter().enumerate() {
        let level = if number.is_multiple_of(2) { "ro" } else { "rw" };
        let mine = rules.iter().find(|rule| rule["access_to"] == format!("10.0.{number}.1"));
        assert_eq!(mine.unwrap()["access_level"], level, "{rule}");
    }
    shutdown.cancel();
    engine.await.unwrap();
}

/// Lets one address in and out again, another one in, and changes its level.
async fn client(api: Arc<TestServer>, path: String, number: usize) {
    let action = format!("{path}/action");
    let allow = async |address: String| {
        let rule = json!({ "access_type": "ip", "access_to": address });
        let shown = api.post(&action, json!({ "allow_access": rule })).await.expect(200);
        shown["access"]["id"].as_str().unwrap().to_owned()
    };
    let passing = allow(format!("10.1.{number}.1")).await;
    let lasting = allow(format!("10.0.{number}.1")).await;
    let deny = json!({ "deny_access": { "access_id": passing } });
    api.post(&action, deny).await.expect(202);
    if number.is_multiple_of(2) {
        let level = json!({ "update_access": { "access_level": "ro" } });
        api.put(&format!("/v2/share-access-rules/{lasting}"), level).await.expect(200);
    }
}

/// A rule of the API as the backend keeps it.
fn in_force(rule: &Value) -> Value {
    json!({
        "id": rule["id"], "type": rule["access_type"], "to": rule["access_to"],
        "level": rule["access_level"],
    })
}
