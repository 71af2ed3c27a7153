//! Bodies, at the versions that change them, held against the samples.

use abaca::api::V;
use axum::http::Method;

use super::one_snapshot;
use crate::support::assert_like_sample;

#[tokio::test]
async fn lists_and_show_have_the_shape_of_the_samples() {
    let (server, snapshot, instance) = one_snapshot().await;
    let list = server.get("/v2/snapshot-instances").await.expect(200);
    assert_like_sample(&list, "snapshot-instances-list-response", &[]);
    insta::assert_json_snapshot!("list", list);
    let path = format!("/v2/snapshot-instances/detail?snapshot_id={}", snapshot.id);
    let detail = server.get(&path).await.expect(200);
    assert_like_sample(&detail, "snapshot-instances-list-with-detail-response", &[]);
    insta::assert_json_snapshot!("detail", detail);
    let show = server.get(&format!("/v2/snapshot-instances/{}", instance.id)).await.expect(200);
    assert_like_sample(&show, "snapshot-instance-show-response", &[]);
    insta::assert_json_snapshot!("show", show);
    assert_eq!(detail["snapshot_instances"][0], show["snapshot_instance"]);
}

#[tokio::test]
async fn an_empty_list_is_one() {
    let server = crate::support::TestServer::start().await;
    for path in ["", "/detail", "?snapshot_id=nope", "/detail?limit=5"] {
        let list = server.get(&format!("/v2/snapshot-instances{path}")).await.expect(200);
        assert_eq!(list, serde_json::json!({ "snapshot_instances": [] }), "{path}");
    }
}

#[tokio::test]
async fn they_are_there_since_2_19_and_look_the_same_ever_since() {
    let (server, _, instance) = one_snapshot().await;
    let id = instance.id;
    for path in ["".to_owned(), "/detail".to_owned(), format!("/{id}")] {
        let path = format!("/v2/snapshot-instances{path}");
        let at = |version| server.request(Method::GET, &path).at(version).send();
        let message = at(V(2, 18)).await.fault(404, "itemNotFound");
        assert_eq!(message, "The resource could not be found.");
        let first = at(V(2, 19)).await.expect(200);
        assert_eq!(first, at(V::MAX).await.expect(200), "{path}");
    }
    let path = format!("/v2/snapshot-instances/{id}/action");
    let body = serde_json::json!({ "reset_status": { "status": "error" } });
    let reset = |version| server.request(Method::POST, &path).at(version).json(&body).send();
    reset(V(2, 18)).await.fault(404, "itemNotFound");
    reset(V(2, 19)).await.expect(202);
}

#[tokio::test]
async fn the_project_may_stand_in_the_url() {
    let (server, _, instance) = one_snapshot().await;
    let with = server.get(&format!("/v2/admin/snapshot-instances/{}", instance.id)).await;
    let without = server.get(&format!("/v2/snapshot-instances/{}", instance.id)).await;
    assert_eq!(with.expect(200), without.expect(200));
    let answer = server.get("/v2/admin/snapshot-instances?limit=0").await;
    assert_eq!(answer.header("x-openstack-manila-api-version"), Some("2.99"));
    assert_eq!(answer.header("vary"), Some("X-OpenStack-Manila-API-Version"));
}
