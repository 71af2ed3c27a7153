//! Share replicas.

mod beside;
mod failures;
mod from_snapshots;
mod life;
mod lost;
mod promote;
mod repair;
mod requests;
mod service;

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use crate::shares::{ALICE, add, server};
use crate::support::{TestServer, seed};

const ROOT: &str = "root:admin:admin";

fn ids(list: &Value) -> Vec<&str> {
    let replicas = list["share_replicas"].as_array().unwrap();
    replicas.iter().map(|replica| replica["id"].as_str().unwrap()).collect()
}

/// A share with a replica in `project`, one elsewhere, and a share that is not replicated.
async fn three() -> (TestServer, [String; 2]) {
    let server = server().await;
    let mut replicas = Vec::new();
    for (number, project, state) in
        [(1, "project", Some("active")), (2, "other", Some("in_sync")), (3, "project", None)]
    {
        let (share, mut instance) = seed::share(number, project);
        instance.replica_state = state.map(str::to_owned);
        replicas.push(instance.id.to_string());
        add(&server, &[(share, instance)]).await;
    }
    replicas.truncate(2);
    (server, replicas.try_into().unwrap())
}

#[tokio::test]
async fn replicas_alone_are_listed_by_project_and_share() {
    let (server, [own, foreign]) = three().await;
    let all = server.get("/v2/share-replicas").await.expect(200);
    assert_eq!(ids(&all), [own.as_str(), foreign.as_str()]);
    let alices = server.get_as(ALICE, V::MAX, "/v2/share-replicas").await.expect(200);
    assert_eq!(ids(&alices), [own.as_str()]);
    let first = &alices["share_replicas"][0];
    let share_id = first["share_id"].as_str().unwrap();
    let expected =
        json!({"id": own, "share_id": share_id, "status": "available", "replica_state": "active"});
    assert_eq!(*first, expected);
    let of_share = format!("/v2/share-replicas?share_id={share_id}");
    assert_eq!(ids(&server.get(&of_share).await.expect(200)), [own.as_str()]);
    let plain = seed::uuid(3);
    for share_id in [plain.to_string(), "no-such-share".to_owned()] {
        let path = format!("/v2/share-replicas/detail?share_id={share_id}");
        assert_eq!(server.get(&path).await.expect(200), json!({"share_replicas": []}));
    }
}

#[tokio::test]
async fn replicas_are_listed_in_pages() {
    let (server, [first, second]) = three().await;
    let both = [first.as_str(), second.as_str()];
    for (query, expected) in
        [("limit=1", &both[..1]), ("offset=1", &both[1..]), ("limit=0", &both), ("offset=2", &[])]
    {
        for path in ["/v2/share-replicas", "/v2/share-replicas/detail"] {
            let list = server.get(&format!("{path}?{query}")).await.expect(200);
            assert_eq!(ids(&list), expected, "{path}?{query}");
            let next = &list["share_replica_links"][0]["href"];
            assert_eq!(next.is_string(), query == "limit=1", "{path}?{query}: {list}");
            if let Some((_, next)) = next.as_str().and_then(|href| href.split_once("8786")) {
                assert_eq!(ids(&server.get(next).await.expect(200)), both[1..]);
            }
        }
    }
    // Another project's replica is no place in a list.
    let at = async |marker| {
        server.get_as(ALICE, V::MAX, &format!("/v2/share-replicas?marker={marker}")).await
    };
    at(&first).await.expect(200);
    at(&second).await.fault(400, "badRequest");
    for query in ["limit=-1", "limit=x", "offset=-1", "offset=x", "marker=x"] {
        let answer = server.get(&format!("/v2/share-replicas?{query}")).await;
        answer.fault(400, "badRequest");
    }
}

#[tokio::test]
async fn details_come_with_versions_and_administrators() {
    let (server, [own, _]) = three().await;
    let detail = |token, version| {
        let request = server.request(Method::GET, "/v2/share-replicas/detail");
        let request = request.header("x-openstack-manila-api-experimental", "true");
        request.token(token).at(version).send()
    };
    let keys = |list: &Value| {
        assert_eq!(ids(list)[0], own);
        let first = list["share_replicas"][0].as_object().unwrap();
        first.keys().cloned().collect::<Vec<_>>()
    };
    let alice = detail(ALICE, V::MAX).await.expect(200);
    let root = detail(ROOT, V(2, 29)).await.expect(200);
    let later = detail(ROOT, V(2, 30)).await.expect(200);
    let has = |list: &Value, key: &str| keys(list).iter().any(|own| own == key);
    assert!(!has(&alice, "host") && !has(&alice, "cast_rules_to_readonly"));
    assert!(has(&root, "host") && !has(&root, "cast_rules_to_readonly"));
    assert!(has(&later, "share_server_id") && has(&later, "cast_rules_to_readonly"));
    let first = &alice["share_replicas"][0];
    assert_eq!(first["availability_zone"], "nova");
    assert_eq!(first["created_at"], "2017-08-04T00:44:52.000000");

    detail(ROOT, V(2, 10)).await.fault(404, "itemNotFound");
    let plain = server.get_as(ROOT, V(2, 55), "/v2/share-replicas").await;
    plain.fault(404, "itemNotFound");
    server.get_as(ROOT, V(2, 56), "/v2/share-replicas").await.expect(200);
}
