//! The body of a migration's progress, at each version that changes it.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::Service;
use crate::support::assert_like_sample;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_at_each_version() {
    let service = Service::start().await;
    let (share, mount) = service.share().await;
    std::fs::write(mount.join("file"), vec![1; 200_000]).unwrap();
    service.migrate(&share, "second", json!({})).await.expect(202);
    service.reaches(&share, "migration_driver_phase1_done").await;
    let path = format!("/v2/shares/{share}/action");
    for version in [V(2, 22), V(2, 58), V(2, 59), V(2, 97)] {
        let request = service.api.request(Method::POST, &path).at(version);
        let request = request.header("x-openstack-manila-api-experimental", "true");
        let answer = request.json(&json!({ "migration_get_progress": null })).send().await;
        let body = answer.expect(200);
        let mut expected =
            json!({ "task_state": "migration_driver_phase1_done", "total_progress": 100 });
        if version >= V(2, 59) {
            expected["details"] = json!({});
        }
        assert_eq!(body, expected, "{version}");
        if version < V(2, 59) {
            assert_like_sample(&body, "share-migration-get-progress-response", &[]);
        }
    }
    let body = service.api.get(&format!("/v2/shares/{share}/migration-progress")).await.expect(200);
    let expected = json!({ "task_state": "migration_driver_phase1_done", "total_progress": 100,
        "details": {} });
    assert_eq!(body, expected);
    service.stop().await;
}
