//! Bodies and headers at each version that changes them, and lists.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::{create, path, share_type};
use crate::support::{TestServer, assert_like_sample, sample};

const ADMIN: &str = "admin:admin:admin";

#[tokio::test]
async fn bodies_by_version() {
    let server = TestServer::start().await;
    let made = create(&server, "default", true, json!({"a": "b"})).await;
    for version in [V(2, 31), V(2, 45), V(2, 46), V(2, 54), V(2, 55), V(2, 99)] {
        for path in [path(&made).as_str(), "/v2/share-group-types/default"] {
            let request = server.request(Method::GET, path).at(version);
            let experimental = "x-openstack-manila-api-experimental";
            let body = request.header(experimental, "true").send().await.expect(200);
            insta::assert_json_snapshot!(format!("{version}"), body, {
                ".share_group_type.id" => "[id]",
                ".share_group_type.share_types[]" => "[id]",
            });
            // Without the header the path is not there before 2.55.
            let plain = server.get_as(ADMIN, version, path).await.status;
            assert_eq!(plain, if version < V(2, 55) { 404 } else { 200 }, "{version}");
        }
    }
    assert_eq!(server.get_as(ADMIN, V(2, 30), &path(&made)).await.status, 404);
}

#[tokio::test]
async fn bodies_are_like_the_examples() {
    let server = TestServer::start().await;
    let share_type = share_type(&server, "plain").await;
    let mut request = sample("share-group-type-create-request");
    request["share_group_type"]["share_types"] = json!([share_type]);
    request["share_group_type"]["name"] = json!("default");
    let made = server.post("/v2/share-group-types", request).await.expect(200);
    let free = ["group_specs"];
    assert_like_sample(&made, "share-group-type-create-response", &free);
    assert_eq!(made["share_group_type"]["group_specs"], json!({"snapshot_support": "True"}));
    let default = server.get("/v2/share-group-types/default").await.expect(200);
    assert_like_sample(&default, "share-group-types-default-list-response", &free);
    assert_eq!(default, made);
    assert_eq!(server.get(&path(&made["share_group_type"])).await.expect(200), made);
    let listed = server.get("/v2/share-group-types").await.expect(200);
    assert_like_sample(&listed, "share-group-types-list-response", &free);
    let specs = path(&made["share_group_type"]) + "/group-specs";
    let all = server.get(&specs).await.expect(200);
    assert_like_sample(&all, "share-group-types-group-specs-list-response", &[]);
    let set = sample("share-group-type-set-request");
    let answer = server.post(&specs, set.clone()).await.expect(200);
    assert_like_sample(&answer, "share-group-type-set-response", &[]);
    assert_eq!(answer, set);
}

async fn names(server: &TestServer, token: &str, query: &str) -> Vec<String> {
    let path = format!("/v2/share-group-types?{query}");
    let body = server.get_as(token, V::MAX, &path).await.expect(200);
    let types = body["share_group_types"].as_array().unwrap();
    types.iter().map(|listed| listed["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_show_what_may_be_used_and_what_fits() {
    let server = TestServer::start().await;
    create(&server, "b", true, json!({"tier": "gold"})).await;
    create(&server, "a", true, json!({})).await;
    create(&server, "secret", false, json!({"tier": "gold"})).await;
    for (query, expected) in [
        ("", &["a", "b"][..]),
        ("is_public=true", &["a", "b"]),
        ("is_public=0", &["secret"]),
        ("is_public=ALL", &["a", "b", "secret"]),
        ("group_specs={'tier':'gold'}", &["b"]),
        ("is_public=all&group_specs={'tier':'gold'}", &["b", "secret"]),
        ("group_specs={'tier':'gold','x':'y'}", &[]),
    ] {
        assert_eq!(names(&server, ADMIN, query).await, expected, "{query}");
        if query != "is_public=0" {
            let public: Vec<&str> =
                expected.iter().copied().filter(|name| *name != "secret").collect();
            assert_eq!(names(&server, "u:p:member", query).await, public, "{query}");
        }
    }
    for bad in ["is_public=x", "group_specs=x", "group_specs={1"] {
        let path = format!("/v2/share-group-types?{bad}");
        server.get(&path).await.fault(400, "badRequest");
    }
    let old = server.get_as(ADMIN, V(2, 65), "/v2/share-group-types?group_specs={'a':'b'}").await;
    old.fault(400, "badRequest");
}

#[tokio::test]
async fn an_unknown_group_type_is_not_found() {
    let server = TestServer::start().await;
    server.get("/v2/share-group-types/default").await.fault(404, "itemNotFound");
    let hidden = create(&server, "hidden", false, json!({"a": "b"})).await;
    let tenant = server.get_as("u:p:member", V::MAX, &path(&hidden)).await;
    tenant.fault(404, "itemNotFound");
    for id in ["nope", "detail", "1874d9cf-fe37-4062-ac8e-00488554a0e1"] {
        let path = format!("/v2/share-group-types/{id}");
        server.get(&path).await.fault(404, "itemNotFound");
        server.delete(&path).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/access")).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/group-specs")).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/group-specs/a")).await.fault(404, "itemNotFound");
        server.delete(&format!("{path}/group-specs/a")).await.fault(404, "itemNotFound");
        let specs = json!({"group_specs": {"a": "b"}});
        server.post(&format!("{path}/group-specs"), specs).await.fault(404, "itemNotFound");
        let spec = json!({"a": "b"});
        server.put(&format!("{path}/group-specs/a"), spec).await.fault(404, "itemNotFound");
        let grant = json!({"addProjectAccess": {"project": "p"}});
        server.post(&format!("{path}/action"), grant).await.fault(404, "itemNotFound");
    }
}
