//! The name a tenant wants a share to be mounted by.

use abaca::api::V;
use abaca_store::shares;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, BOB, DEFAULT_SPECS, add_type, create, ids, server};
use crate::support::{Answer, TestServer};

/// A server with share types that offer it, with prefixes of their own or without.
async fn offering() -> TestServer {
    let server = server().await;
    for (number, name, prefix) in [
        (10, "plain", None),
        (11, "none", Some("")),
        (12, "user", Some("u-{user_id}-{project_id}-")),
        (13, "odd", Some("{domain}_")),
    ] {
        let specs = DEFAULT_SPECS.into_iter().chain([("mount_point_name_support", "<is> True")]);
        let prefix = prefix.map(|prefix| ("provisioning:mount_point_prefix", prefix));
        add_type(&server, number, name, &specs.chain(prefix).collect::<Vec<_>>()).await;
    }
    server
}

async fn named(server: &TestServer, token: &str, share_type: &str, name: Value) -> Answer {
    let share = json!({
        "size": 1, "share_proto": "NFS", "share_type": share_type, "mount_point_name": name,
    });
    create(server, token, share).await
}

/// The whole name that a share was given.
async fn whole(server: &TestServer, made: &Value) -> Option<String> {
    let id = made["share"]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = server.app.db.read().await.unwrap();
    shares::get(&mut tx, id).await.unwrap().unwrap().mount_point_name
}

#[tokio::test]
async fn it_begins_as_the_type_says() {
    let server = offering().await;
    for (share_type, expected) in
        [("plain", "project_docs"), ("none", "docs"), ("user", "u-alice-project-docs")]
    {
        let made = named(&server, ALICE, share_type, json!("docs")).await.expect(200);
        assert_eq!(whole(&server, &made).await.as_deref(), Some(expected), "{share_type}");
        assert!(made["share"].get("mount_point_name").is_none(), "it is in the path alone");
        let id = made["share"]["id"].as_str().unwrap();
        let path = format!("/v2/shares?mount_point_name={expected}");
        let found = server.get_as(ALICE, V::MAX, &path).await.expect(200);
        assert_eq!(ids(&found), [id]);
    }
    let none = server.get_as(ALICE, V::MAX, "/v2/shares?mount_point_name=nope").await;
    assert!(ids(&none.expect(200)).is_empty());
    for name in [json!(null), json!("")] {
        let made = named(&server, ALICE, "plain", name).await.expect(200);
        assert_eq!(whole(&server, &made).await, None);
    }
}

#[tokio::test]
async fn what_can_be_no_part_of_a_path_is_refused() {
    let server = offering().await;
    let long = "x".repeat(256 - "project_".len());
    for name in ["..", "a/b", "a.b", "a b", "käse", "a\n", "{project_id}", "a\\b", &long] {
        let message = named(&server, ALICE, "plain", json!(name)).await.fault(400, "badRequest");
        assert!(message.contains("Invalid mount_point_name: project_"), "{name}: {message}");
    }
    let fits = json!("x".repeat(255 - "project_".len()));
    named(&server, ALICE, "plain", fits).await.expect(200);
    let message = named(&server, ALICE, "odd", json!("a")).await.fault(400, "badRequest");
    assert!(message.contains("{domain}_a"), "{message}");
    for name in [json!(5), json!([]), json!({})] {
        let message = named(&server, ALICE, "plain", name).await.fault(400, "badRequest");
        assert!(message.contains("for mount_point_name"), "{message}");
    }
    let message = named(&server, ALICE, "default", json!("a")).await.fault(400, "badRequest");
    assert!(message.contains("is not supported by the share type used"), "{message}");
    let share = json!({ "share": {
        "size": 1, "share_proto": "NFS", "share_type": "default", "mount_point_name": "a/b",
    } });
    let old = server.request(Method::POST, "/v2/shares").token(ALICE).at(V(2, 83)).json(&share);
    let made = old.send().await.expect(200);
    assert_eq!(whole(&server, &made).await, None, "no such thing before 2.84");
}

/// Nobody reaches a share by the name of another, of whatever project.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_that_of_one_share() {
    let server = offering().await;
    let mut both = Vec::new();
    for token in [ALICE, BOB] {
        both.push(named(&server, token, "plain", json!("docs")).await.expect(200));
    }
    assert_ne!(whole(&server, &both[0]).await, whole(&server, &both[1]).await);
    let again = named(&server, ALICE, "plain", json!("docs")).await;
    let message = again.fault(409, "conflictingRequest");
    assert!(message.contains("project_docs"), "{message}");
    let made = named(&server, BOB, "none", json!("docs")).await.expect(200);
    assert_eq!(whole(&server, &made).await.as_deref(), Some("docs"));
    named(&server, ALICE, "none", json!("docs")).await.fault(409, "conflictingRequest");

    let at_once = (0..6).map(|_| named(&server, ALICE, "plain", json!("once")));
    let answers = futures_util::future::join_all(at_once).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
}
