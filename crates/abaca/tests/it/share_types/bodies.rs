//! Bodies at each version that changes them, for administrators and for tenants.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::{create, path};
use crate::support::{TestServer, assert_like_sample, sample};

const SPECS: &[&str] = &["extra_specs"];

#[tokio::test]
async fn bodies_by_version() {
    let server = TestServer::start().await;
    let specs = json!({
        "snapshot_support": "<is> True", "secret": "x", "availability_zones": " a , b ",
    });
    let made = create(&server, "default", specs).await;
    for (who, token) in [("admin", "admin:admin:admin"), ("tenant", "u:p:member")] {
        for version in [V(2, 0), V(2, 7), V(2, 24), V(2, 41), V(2, 46), V(2, 99)] {
            let body = server.get_as(token, version, &path(&made)).await.expect(200);
            assert_eq!(body["volume_type"], body["share_type"]);
            insta::assert_json_snapshot!(format!("{who}_{version}"), body["share_type"], {
                ".id" => "[id]",
            });
            let list = server.get_as(token, version, "/v2/types").await.expect(200);
            assert_eq!(list["share_types"], json!([body["share_type"]]));
            assert_eq!(list["volume_types"], list["share_types"]);
            let default = server.get_as(token, version, "/v2/types/default").await.expect(200);
            assert_eq!(default, body);
        }
    }
}

#[tokio::test]
async fn bodies_are_like_the_examples() {
    let server = TestServer::start().await;
    let request = sample("share-type-create-request");
    let made = server.post("/v2/types", request).await.expect(200);
    // The example shows a type that was given just these specs.
    assert_like_sample(&made, "share-type-create-response", &[]);
    let path = path(&made["share_type"]);
    let shown = server.get(&path).await.expect(200);
    assert_like_sample(&shown, "share-type-show-response", SPECS);
    let listed = server.get("/v2/types").await.expect(200);
    assert_like_sample(&listed, "share-types-list-response", SPECS);
    let specs = server.get(&format!("{path}/extra_specs")).await.expect(200);
    assert_like_sample(&specs, "share-types-extra-specs-list-response", &[]);
    let set = sample("share-type-set-request");
    let answer = server.post(&format!("{path}/extra_specs"), set.clone()).await.expect(200);
    assert_like_sample(&answer, "share-type-set-response", &[]);
    assert_eq!(answer, set);
    let update = sample("share-type-update-request");
    let updated = server.put(&path, update).await.expect(200);
    // The example has the required spec as the request that made the type; the reference has not.
    let free = ["extra_specs", "required_extra_specs"];
    assert_like_sample(&updated, "share-type-update-response", &free);
}

#[tokio::test]
async fn the_default_type_is_the_configured_one() {
    let server = TestServer::start().await;
    assert_eq!(
        server.get("/v2/types/default").await.fault(404, "itemNotFound"),
        "Default share type not found."
    );
    create(&server, "other", json!({})).await;
    server.get("/v2/types/default").await.fault(404, "itemNotFound");
    create(&server, "default", json!({})).await;
    let default = server.get("/v2/types/default").await.expect(200);
    assert_like_sample(&default, "share-types-default-list-response", SPECS);
    assert_eq!(default["share_type"]["is_default"], true);
}

#[tokio::test]
async fn an_unknown_type_is_not_found() {
    let server = TestServer::start().await;
    for id in ["nope", "1874d9cf-fe37-4062-ac8e-00488554a0e1"] {
        let path = format!("/v2/types/{id}");
        assert_eq!(server.get(&path).await.fault(404, "itemNotFound"), "Share type not found.");
        server.delete(&path).await.fault(404, "itemNotFound");
        let body = json!({"share_type": {"name": "x"}});
        server.put(&path, body).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/extra_specs")).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/extra_specs/x")).await.fault(404, "itemNotFound");
        server.delete(&format!("{path}/extra_specs/x")).await.fault(404, "itemNotFound");
        let specs = json!({"extra_specs": {"a": "b"}});
        server.post(&format!("{path}/extra_specs"), specs).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/share_type_access")).await.fault(404, "itemNotFound");
        let grant = json!({"addProjectAccess": {"project": "p"}});
        server.post(&format!("{path}/action"), grant).await.fault(404, "itemNotFound");
    }
    // There is no such method at this version.
    let answer = server.request(Method::PUT, "/v2/types/nope").at(V(2, 49)).send().await;
    assert_eq!(answer.status, 404);
    let id = "/v2/types/00000000-0000-4000-8000-000000000001";
    let answer = server.request(Method::PUT, id).at(V(2, 49)).send().await;
    answer.fault(405, "badMethod");
    assert_eq!(answer.header("allow"), Some("DELETE, GET, HEAD"));
}
