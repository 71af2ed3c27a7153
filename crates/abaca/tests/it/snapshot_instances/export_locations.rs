//! Export locations of an instance.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::one_snapshot;
use crate::support::seed;

#[tokio::test]
async fn an_administrator_sees_all_and_each() {
    let (server, _, instance) = one_snapshot().await;
    let path = format!("/v2/snapshot-instances/{}/export-locations", instance.id);
    let empty = server.get(&path).await.expect(200);
    assert_eq!(empty, json!({ "share_snapshot_export_locations": [] }));
    let mut tx = server.app.db.write().await.unwrap();
    let id = seed::export_snapshot(&mut tx, &instance, "/data/a", true).await.to_string();
    tx.commit().await.unwrap();
    let list = server.get(&path).await.expect(200);
    let expected = json!({
        "id": id,
        "path": "/data/a",
        "links": [
            {
                "rel": "self",
                "href": format!("http://127.0.0.1:8786/v2/share_snapshot_export_locations/{id}"),
            },
            {
                "rel": "bookmark",
                "href": format!("http://127.0.0.1:8786/share_snapshot_export_locations/{id}"),
            },
        ],
        "share_snapshot_instance_id": instance.id,
        "is_admin_only": true,
    });
    assert_eq!(list, json!({ "share_snapshot_export_locations": [expected] }));
    let one = server.get(&format!("{path}/{id}")).await.expect(200);
    let mut shown = expected;
    shown["created_at"] = json!("2017-08-04T00:44:52.000000");
    shown["updated_at"] = json!(null);
    assert_eq!(one, json!({ "share_snapshot_export_location": shown }));
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let (server, _, instance) = one_snapshot().await;
    for id in ["nope", "0abaca00-0000-4000-8000-00000000ffff"] {
        for path in ["", "/1"] {
            let path = format!("/v2/snapshot-instances/{id}/export-locations{path}");
            let message = server.get(&path).await.fault(404, "itemNotFound");
            assert_eq!(message, format!("Snapshot instance '{id}' not found."));
        }
        let path = format!("/v2/snapshot-instances/{}/export-locations/{id}", instance.id);
        let message = server.get(&path).await.fault(404, "itemNotFound");
        assert_eq!(message, "NotFound: Resource could not be found.");
    }
    let path = format!("/v2/snapshot-instances/{}/export-locations", instance.id);
    server.request(Method::GET, &path).at(V(2, 31)).send().await.fault(404, "itemNotFound");
    server.request(Method::GET, &path).at(V(2, 32)).send().await.expect(200);
    let tenant = server.request(Method::GET, &path).token("alice:project:member").send().await;
    tenant.fault(403, "forbidden");
}
