//! `/messages`

use std::time::Duration;

use abaca::api::V;
use abaca_model::{MessageAction, MessageDetail, MessageId, MessageResource, Timestamp};
use abaca_store::messages::{self, NewMessage};
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::seed::{self, THEN};
use crate::support::{TestServer, assert_like_sample};

const ALICE: &str = "alice:project:member";
const READER: &str = "rita:project:reader";
const MALLORY: &str = "mallory:other:member";
const SHARE: &str = "351cc796-2d79-4a08-b878-a8ed933b6b68";

/// Three messages of `project`, a second apart, and one of `other`.
async fn server() -> (TestServer, Vec<MessageId>) {
    let server = TestServer::start().await;
    let mut tx = server.app.db.write().await.unwrap();
    let mut ids = Vec::new();
    for (seconds, project) in [(0, "project"), (1, "project"), (2, "other")] {
        let now = THEN.after(Duration::from_secs(seconds));
        ids.push(seed::message(&mut tx, project, SHARE, now).await);
    }
    let snapshot = NewMessage {
        project_id: "project",
        request_id: "req-1",
        resource: MessageResource::Snapshot,
        resource_id: "0aba0000-2d79-4a08-b878-a8ed933b6b68",
        action: MessageAction::AllocateHost,
        detail: MessageDetail::CapacityFilter,
        reason: "",
    };
    let now = THEN.after(Duration::from_secs(3));
    let kept = Duration::from_secs(60);
    ids.push(messages::insert(&mut tx, &snapshot, now, kept).await.unwrap());
    tx.commit().await.unwrap();
    (server, ids)
}

/// The places in `ids` of the messages that are listed.
async fn listed(server: &TestServer, ids: &[MessageId], token: &str, query: &str) -> Vec<usize> {
    let body = server.get_as(token, V::MAX, &format!("/v2/messages?{query}")).await.expect(200);
    places(ids, &body)
}

fn places(ids: &[MessageId], body: &Value) -> Vec<usize> {
    let place = |message: &Value| ids.iter().position(|id| message["id"] == json!(id)).unwrap();
    body["messages"].as_array().unwrap().iter().map(place).collect()
}

#[tokio::test]
async fn a_message_tells_what_failed_and_why_and_what_to_do() {
    let (server, ids) = server().await;
    for version in [V(2, 37), V::MAX] {
        let body = server.get_as(READER, version, &format!("/v2/messages/{}", ids[0])).await;
        let body = body.expect(200);
        assert_like_sample(&body, "user-message-show-response", &[]);
        insta::assert_json_snapshot!("show", body, {
            ".message.id" => "[id]", ".message.links[].href" => "[link]",
        });
        let list = server.get_as(READER, version, "/v2/messages").await.expect(200);
        assert_like_sample(&list, "user-messages-list-response", &[]);
        assert_eq!(list["messages"][2], body["message"]);
    }
    let path = format!("/v2/messages/{}", ids[0]);
    server.get_as(READER, V(2, 36), &path).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_paged() {
    let (server, ids) = server().await;
    for (query, expected) in [
        ("", &[3, 1, 0][..]),
        ("sort_dir=asc", &[0, 1, 3]),
        ("sort_key=action_id&sort_dir=asc&limit=1", &[3]),
        ("sort_key=resource_id&sort_dir=asc&limit=1", &[3]),
        ("request_id=req-1", &[3]),
        ("resource_type=SHARE&sort_dir=asc", &[0, 1]),
        ("resource_type=share", &[]),
        ("resource_id=0aba0000-2d79-4a08-b878-a8ed933b6b68", &[3]),
        ("action_id=008", &[1, 0]),
        ("detail_id=009", &[3]),
        ("message_level=ERROR&offset=1", &[1, 0]),
        ("message_level=INFO", &[]),
        ("created_since=2017-08-04T00:44:53", &[3, 1]),
        ("created_before=2017-08-04%2000:44:53", &[1, 0]),
        ("created_since=2017-08-04T00:44:53Z&created_before=2017-08-04T00:44:53", &[1]),
        ("limit=0", &[]),
        ("project_id=other&foo=%F0%9F%92%BE", &[3, 1, 0]),
    ] {
        assert_eq!(listed(&server, &ids, ALICE, query).await, expected, "{query}");
    }
    // Times are no filters before 2.52.
    let body = server.get_as(ALICE, V(2, 51), "/v2/messages?created_since=nonsense").await;
    assert_eq!(places(&ids, &body.expect(200)), [3, 1, 0]);

    let mut path = "/v2/messages?limit=1&sort_key=resource_type".to_owned();
    let mut seen = Vec::new();
    loop {
        let body = server.get_as(ALICE, V::MAX, &path).await.expect(200);
        seen.extend(places(&ids, &body));
        let Some(next) = body["messages_links"][0]["href"].as_str() else { break };
        path = next.split_once("8786").unwrap().1.to_owned();
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen[0], 3, "SHARE_SNAPSHOT before SHARE");
}

#[tokio::test]
async fn a_bad_query_is_told_which_key_is_wrong() {
    let (server, _) = server().await;
    for (query, named) in [
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("sort_key=user_message", "sort_key"),
        ("sort_dir=up", "sort_dir"),
        ("marker=x", "marker"),
        ("created_since=invalid_time", "created_since"),
        ("created_before=", "created_before"),
    ] {
        let answer = server.get(&format!("/v2/messages?{query}")).await;
        let message = answer.fault(400, "badRequest");
        assert!(message.contains(named), "{query}: {message}");
    }
}

/// Its marker tells a tenant neither what is in it nor that there is such a message.
#[tokio::test]
async fn a_marker_of_another_projects_message_is_as_unknown_as_any() {
    let (server, ids) = server().await;
    let unknown = MessageId::random();
    let mut told = Vec::new();
    for marker in [ids[2], unknown] {
        let path = format!("/v2/messages?marker={marker}");
        let answer = server.get_as(ALICE, V::MAX, &path).await;
        let text = answer.text.replace(&marker.to_string(), "MARKER");
        told.push((answer.status, text));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(listed(&server, &ids, ALICE, &format!("marker={}", ids[1])).await, [0]);
}

#[tokio::test]
async fn messages_are_their_projects_own() {
    let (server, ids) = server().await;
    assert_eq!(listed(&server, &ids, MALLORY, "").await, [2]);
    assert_eq!(listed(&server, &ids, "root:admin:admin", "").await, [3, 2, 1, 0]);
    let path = format!("/v2/messages/{}", ids[0]);
    let at = |method: Method, token: &str| server.request(method, &path).token(token).send();
    at(Method::GET, MALLORY).await.fault(404, "itemNotFound");
    at(Method::DELETE, MALLORY).await.fault(404, "itemNotFound");
    at(Method::DELETE, READER).await.fault(403, "forbidden");
    assert_eq!(at(Method::DELETE, ALICE).await.status, 204);
    at(Method::GET, ALICE).await.fault(404, "itemNotFound");
    at(Method::DELETE, ALICE).await.fault(404, "itemNotFound");
    server.get("/v2/messages/nonsense").await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn what_expired_is_forgotten() {
    let (server, ids) = server().await;
    let mut tx = server.app.db.write().await.unwrap();
    let soon = THEN.after(Duration::from_secs(64));
    assert_eq!(messages::delete_expired(&mut tx, soon).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(listed(&server, &ids, ALICE, "").await, [1, 0]);
    let mut tx = server.app.db.write().await.unwrap();
    assert_eq!(messages::delete_expired(&mut tx, Timestamp::now()).await.unwrap(), 3);
}
