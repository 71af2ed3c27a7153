//! Projects don't see each other's shares, but for public ones, which they can't change.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::{ALICE, BOB, RITA, created, ids, server, settle};

#[tokio::test]
async fn another_projects_share_is_not_there() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let path = format!("/v2/shares/{id}");
    for token in [ALICE, RITA, "root:admin:admin"] {
        server.get_as(token, V::MAX, &path).await.expect(200);
    }
    let message = server.get_as(BOB, V::MAX, &path).await.fault(404, "itemNotFound");
    assert_eq!(message, "The resource could not be found.");
    let body = json!({ "share": { "display_name": "mine" } });
    let put = server.request(Method::PUT, &path).token(BOB).json(&body).send().await;
    put.fault(404, "itemNotFound");
    for query in ["", "?all_tenants=1", "?is_public=1", "?project_id=project&all_tenants=1"] {
        let list = server.get_as(BOB, V::MAX, &format!("/v2/shares{query}")).await.expect(200);
        assert_eq!(list, json!({ "shares": [] }), "{query}");
    }
    let message = server.get_as(BOB, V::MAX, &format!("{path}/export_locations")).await;
    assert_eq!(message.fault(404, "itemNotFound"), format!("Share '{id}' not found."));
    server.get_as(BOB, V::MAX, "/v2/project/shares").await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn a_public_share_is_seen_but_not_changed() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let path = format!("/v2/shares/{id}");
    let public = json!({ "share": { "is_public": "yes" } });
    server.put(&path, public.clone()).await.expect(200);
    let shown = server.get_as(BOB, V::MAX, &path).await.expect(200);
    assert_eq!(shown["share"]["is_public"], true);
    let exports = server.get_as(BOB, V::MAX, &format!("{path}/export_locations")).await;
    assert_eq!(exports.expect(200)["export_locations"].as_array().unwrap().len(), 1);
    let list = server.get_as(BOB, V::MAX, "/v2/shares?is_public=true").await.expect(200);
    assert_eq!(ids(&list), [id.to_string()]);
    let body = json!({ "share": { "display_name": "mine" } });
    let put = server.request(Method::PUT, &path).token(BOB).json(&body).send().await;
    let message = put.fault(403, "forbidden");
    assert_eq!(message, "Policy doesn't allow share:update to be performed.");
    let hide = json!({ "share": { "is_public": false } });
    let hidden = server.request(Method::PUT, &path).token(ALICE).json(&hide).send().await;
    assert_eq!(hidden.expect(200)["share"]["is_public"], false, "hiding needs no right of its own");
    server.get_as(BOB, V::MAX, &path).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn readers_only_read() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    let path = format!("/v2/shares/{id}");
    let body = json!({ "share": { "display_name": "n" } });
    let put = server.request(Method::PUT, &path).token(RITA).json(&body).send().await;
    assert_eq!(put.fault(403, "forbidden"), "Access was denied to this resource.");
    server.get_as(RITA, V::MAX, "/v2/shares/detail").await.expect(200);
    let instances = server.get_as(ALICE, V::MAX, &format!("{path}/instances")).await;
    assert_eq!(instances.fault(403, "forbidden"), "Access was denied to this resource.");
}
