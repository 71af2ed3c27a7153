//! What a backend tells of an export, and what was set since, both last.

use abaca_model::ShareInstanceId;
use abaca_store::export_work::NewExportLocation;
use abaca_store::share_work;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, Scene, seed};

/// The backend exports the share again, and says this of its only path.
async fn exported(scene: &Scene, path: &str, preferred: bool, rack: &str) -> Value {
    let export = NewExportLocation {
        path: path.to_owned(),
        is_admin_only: false,
        preferred,
        metadata: [("rack".to_owned(), rack.to_owned())].into(),
    };
    let mut tx = scene.server.app.db.write().await.unwrap();
    let instance = ShareInstanceId::from(seed::uuid(1_000));
    share_work::record_exports(&mut tx, instance, &[export], seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
    scene.get(&format!("{}/export_locations", scene.share)).await["export_locations"][0].take()
}

#[tokio::test]
async fn metadata_outlives_a_new_export() {
    let scene = Scene::new().await;
    let first = exported(&scene, "/exports/2", true, "7").await;
    assert_eq!(first["metadata"], json!({ "rack": "7" }));
    assert_eq!(first["preferred"], true, "as the backend says");
    let path =
        format!("{}/export_locations/{}/metadata", scene.share, first["id"].as_str().unwrap());
    let mine = json!({ "metadata": { "mine": "1", "rack": "8" } });
    scene.ask(ALICE, Method::POST, &path, mine).await.expect(200);
    let theirs = json!({ "metadata": { "preferred": "False" } });
    scene.ask("root:admin:admin", Method::POST, &path, theirs).await.expect(200);

    let again = exported(&scene, "/exports/2", true, "9").await;
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["metadata"], json!({ "mine": "1", "rack": "9" }), "the backend knows its own");
    assert_eq!(again["preferred"], false, "the administrator's word stands");

    let other = exported(&scene, "/exports/3", false, "1").await;
    assert_ne!(other["id"], first["id"]);
    assert_eq!(other["metadata"], json!({ "rack": "1" }), "another path, another location");
    assert_eq!(other["preferred"], false);
}
