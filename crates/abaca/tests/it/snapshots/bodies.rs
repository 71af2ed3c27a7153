//! Bodies, at the versions that change them, held against the samples.

use abaca::api::V;
use axum::http::Method;
use serde_json::Value;

use super::{ALICE, one_snapshot};
use crate::support::assert_like_sample;

/// Since which version a detailed body has a member.
const ADDED: [(&str, V); 4] = [
    ("provider_location", V(2, 12)),
    ("user_id", V(2, 17)),
    ("project_id", V(2, 17)),
    ("metadata", V(2, 73)),
];

/// `body` as the samples, which are older than metadata and not an administrator's, have it.
fn as_in_samples(body: &Value) -> Value {
    let mut body = body.clone();
    let strip = |snapshot: &mut Value| {
        let members = snapshot.as_object_mut().unwrap();
        members.retain(|key, _| key != "metadata" && key != "provider_location");
    };
    match body.get_mut("snapshots") {
        Some(list) => list.as_array_mut().unwrap().iter_mut().for_each(strip),
        None => strip(&mut body["snapshot"]),
    }
    body
}

#[tokio::test]
async fn each_version_shows_what_it_knows() {
    let (server, snapshot, _) = one_snapshot().await;
    let show = format!("/v2/snapshots/{}", snapshot.id);
    for version in [V(2, 0), V(2, 11), V(2, 12), V(2, 16), V(2, 17), V(2, 72), V(2, 73), V::MAX] {
        let get = |path: &str| server.request(Method::GET, path).at(version).send();
        let shown = get(&show).await.expect(200)["snapshot"].clone();
        for (key, since) in ADDED {
            assert_eq!(shown.get(key).is_some(), version >= since, "{key} at {version}");
        }
        let path = "/v2/snapshots/detail?all_tenants=1";
        let detailed = get(path).await.expect(200)["snapshots"][0].clone();
        assert_eq!(detailed, shown, "{version}");
        insta::assert_json_snapshot!(format!("show_{}_{}", version.0, version.1), shown);
    }
}

#[tokio::test]
async fn lists_and_show_have_the_shape_of_the_samples() {
    let (server, snapshot, _) = one_snapshot().await;
    let list = server.get("/v2/snapshots?all_tenants=1").await.expect(200);
    assert_like_sample(&list, "snapshots-list-response", &[]);
    insta::assert_json_snapshot!("list", list);
    let detail = server.get("/v2/snapshots/detail?all_tenants=1").await.expect(200);
    assert_like_sample(&as_in_samples(&detail), "snapshots-list-detailed-response", &[]);
    let show = server.get(&format!("/v2/snapshots/{}", snapshot.id)).await.expect(200);
    assert_like_sample(&as_in_samples(&show), "snapshot-show-response", &[]);
    let update = server
        .request(Method::PUT, &format!("/v2/snapshots/{}", snapshot.id))
        .json(&serde_json::json!({ "snapshot": {} }))
        .send()
        .await
        .expect(200);
    assert_like_sample(&as_in_samples(&update), "snapshot-update-response", &[]);
    assert_eq!(update, show);
}

#[tokio::test]
async fn only_administrators_are_shown_where_the_bytes_are() {
    let (server, snapshot, _) = one_snapshot().await;
    let path = format!("/v2/snapshots/{}", snapshot.id);
    let show = server.request(Method::GET, &path).token("admin:project:admin").send().await;
    let location = snapshot_location(&show.expect(200));
    assert!(location.is_some_and(|location| location.starts_with("/data/snapshots/")));
    let show = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
    assert_eq!(show["snapshot"].get("provider_location"), None);
}

fn snapshot_location(body: &Value) -> Option<String> {
    body["snapshot"]["provider_location"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn links_are_as_the_client_wrote_the_url() {
    let (server, snapshot, _) = one_snapshot().await;
    let id = snapshot.id;
    let path = format!("/v2/project/snapshots/{id}");
    let show = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
    let links = &show["snapshot"]["links"];
    assert_eq!(links[0]["href"], format!("http://127.0.0.1:8786/v2/project/snapshots/{id}"));
    assert_eq!(links[1]["href"], format!("http://127.0.0.1:8786/project/snapshots/{id}"));
}

#[tokio::test]
async fn what_one_may_not_see_is_not_there() {
    let (server, snapshot, _) = one_snapshot().await;
    for (token, id) in [
        ("bob:other:member", snapshot.id.to_string()),
        (ALICE, "nope".to_owned()),
        (ALICE, "0abaca00-0000-4000-8000-00000000ffff".to_owned()),
    ] {
        let path = format!("/v2/snapshots/{id}");
        let message =
            server.request(Method::GET, &path).token(token).send().await.fault(404, "itemNotFound");
        assert_eq!(message, "The resource could not be found.", "{token} {id}");
    }
}
