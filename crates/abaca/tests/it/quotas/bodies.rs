//! Bodies, at the versions that change them, held against the samples.

use abaca::api::V;
use serde_json::{Map, Value, json};

use super::{ALICE, put, set};
use crate::shares::{DEFAULT_SPECS, add_type, prepared};
use crate::support::{TestServer, assert_like_sample, sample};

/// What each version shows otherwise than the one before it.
async fn changes(server: &TestServer, path: impl Fn(V) -> String, token: &str) -> Value {
    let mut changes = Map::new();
    let mut before = Map::new();
    for minor in 0..=V::MAX.1 {
        let version = V(2, minor);
        let answer = server.get_as(token, version, &path(version)).await;
        if answer.status == 404 {
            continue;
        }
        let body = answer.expect(200);
        let (_, now) = body.as_object().unwrap().iter().next().unwrap();
        let now = now.as_object().unwrap();
        let mut change: Map<String, Value> = now
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for name in before.keys().filter(|name| !now.contains_key(*name)) {
            change.insert(format!("{name} is gone"), Value::Null);
        }
        if !change.is_empty() {
            changes.insert(format!("2.{minor:02}"), Value::Object(change));
        }
        before = now.clone();
    }
    Value::Object(changes)
}

fn old(version: V) -> &'static str {
    if version < V(2, 7) { "os-" } else { "" }
}

#[tokio::test]
async fn each_version_has_its_resources() {
    let server = prepared(TestServer::start().await).await;
    let sets = async |rest: &str| {
        let path = |version| format!("/v2/{}quota-sets/project{rest}", old(version));
        changes(&server, path, ALICE).await
    };
    insta::assert_json_snapshot!("show", sets("").await);
    assert_eq!(sets("").await, sets("/defaults").await);
    assert_eq!(sets("").await, sets("?user_id=alice").await);
    insta::assert_json_snapshot!("detail", sets("/detail").await);
    let class = |version| format!("/v2/{}quota-class-sets/default", old(version));
    insta::assert_json_snapshot!("class", changes(&server, class, "root:admin:admin").await);
    insta::assert_json_snapshot!(
        "limits",
        changes(&server, |_| "/v2/limits".to_owned(), ALICE).await
    );
}

#[tokio::test]
async fn a_share_types_set_leaves_out_what_has_no_type() {
    let server = prepared(TestServer::start().await).await;
    let whole = super::shown(&server, "project").await;
    let of_type = super::shown(&server, "project?share_type=default").await;
    let missing: Vec<_> = whole
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| of_type.get(key.as_str()).is_none())
        .collect();
    assert_eq!(missing, ["share_group_snapshots", "share_groups", "share_networks"]);
}

/// The samples are of a version before encryption keys.
#[tokio::test]
async fn bodies_are_like_the_samples() {
    let server = prepared(TestServer::start().await).await;
    let get =
        async |path: &str| server.get_as("root:admin:admin", V(2, 89), path).await.expect(200);
    assert_like_sample(&get("/v2/quota-sets/project").await, "quota-show-response", &[]);
    let detail = get("/v2/quota-sets/project/detail").await;
    assert_like_sample(&detail, "quota-show-detail-response", &[]);
    let class = get("/v2/quota-class-sets/default").await;
    assert_like_sample(&class, "quota-classes-show-response", &[]);
    // The sample lacks the share groups of 2.58.
    let mut limits = server.get_as(ALICE, V::MAX, "/v2/limits").await.expect(200);
    let absolute = limits["limits"]["absolute"].as_object_mut().unwrap();
    absolute.retain(|name, _| !name.contains("ShareGroup"));
    let mut expected = sample("limits-response");
    for (name, value) in expected["limits"]["absolute"].as_object_mut().unwrap() {
        assert!(absolute.contains_key(name), "{name}");
        *value = absolute[name].clone();
    }
    assert_eq!(limits, expected);

    let put = async |path: &str, name: &str| {
        let request = server.request(axum::http::Method::PUT, path).at(V(2, 89));
        request.json(&sample(name)).send().await.expect(200)
    };
    let updated = put("/v2/quota-sets/project", "quota-update-request").await;
    assert_like_sample(&updated, "quota-update-response", &[]);
    for (key, value) in sample("quota-update-request")["quota_set"].as_object().unwrap() {
        assert_eq!(updated["quota_set"][key], *value, "{key}");
    }
    let updated = put("/v2/quota-class-sets/gold", "quota-classes-update-request").await;
    assert_like_sample(&updated, "quota-classes-update-response", &[]);
    assert_eq!(updated["quota_class_set"]["gigabytes"], 20);
}

#[tokio::test]
async fn each_route_has_its_versions() {
    let server = prepared(TestServer::start().await).await;
    for (path, first, last) in [
        ("os-quota-sets/project", 0, 6),
        ("os-quota-sets/project/defaults", 0, 6),
        ("quota-sets/project", 7, V::MAX.1),
        ("quota-sets/project/defaults", 7, V::MAX.1),
        ("quota-sets/project/detail", 25, V::MAX.1),
        ("os-quota-class-sets/default", 0, 6),
        ("quota-class-sets/default", 7, V::MAX.1),
    ] {
        for minor in [0, 6, 7, 24, 25, V::MAX.1] {
            let answer =
                server.get_as("root:admin:admin", V(2, minor), &format!("/v2/{path}")).await;
            let expected = if (first..=last).contains(&minor) { 200 } else { 404 };
            assert_eq!(answer.status, expected, "{path} at 2.{minor}");
        }
    }
    assert_eq!(server.get("/v2/quota-sets/").await.status, 404);
    assert_eq!(server.get("/v2/quota-sets").await.status, 404);
}

#[tokio::test]
async fn a_project_may_stand_in_the_url() {
    let server = prepared(TestServer::start().await).await;
    add_type(&server, 1, "gold", &DEFAULT_SPECS).await;
    let body = json!({ "quota_set": { "shares": "3", "tenant_id": "x", "gigabytes": null } });
    let path = "/v2/admin/quota-sets/project?share_type=gold";
    let updated = server.put(path, body).await.expect(200);
    assert_eq!(updated["quota_set"]["shares"], 3);
    assert!(updated["quota_set"].get("id").is_none());
    assert_eq!(set(&server, "project", json!({ "shares": 60 })).await["shares"], 60);
    let message = put(&server, "project?share_type=gold&user_id=alice", json!({ "shares": 1 }))
        .await
        .fault(400, "badRequest");
    assert_eq!(message, "'user_id' and 'share_type' values are mutually exclusive");
}
