//! A hundred requests at once at a limit: as many pass as fit, the others are told so, and none
//! fails for any other reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, AMY, detail, set};
use crate::shares::{DEFAULT_SPECS, add_type, created, prepared, settle};
use crate::support::TestServer;

const CROWD: usize = 100;

/// Sends all of them at once; how many answers there were of each status.
async fn rush(
    server: &Arc<TestServer>,
    requests: impl Iterator<Item = (&'static str, String, Value)>,
) -> BTreeMap<u16, usize> {
    let send = |(token, path, body): (&'static str, String, Value)| {
        let server = Arc::clone(server);
        tokio::spawn(async move {
            server.request(Method::POST, &path).token(token).json(&body).send().await.status
        })
    };
    let mut statuses = BTreeMap::new();
    for answer in requests.map(send).collect::<Vec<_>>() {
        *statuses.entry(answer.await.unwrap()).or_default() += 1;
    }
    statuses
}

async fn server() -> Arc<TestServer> {
    let server = prepared(TestServer::start().await).await;
    add_type(&server, 1, "gold", &DEFAULT_SPECS).await;
    Arc::new(server)
}

/// Half of them by one user, a third of them of one type.
fn shares() -> impl Iterator<Item = (&'static str, String, Value)> {
    (0..CROWD).map(|number| {
        let token = if number % 2 == 0 { ALICE } else { AMY };
        let share_type = if number % 3 == 0 { "gold" } else { "default" };
        let share = json!({ "size": 2, "share_proto": "NFS", "share_type": share_type });
        (token, "/v2/shares".to_owned(), json!({ "share": share }))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_fill_their_projects_limit() {
    let server = server().await;
    set(&server, "project", json!({ "shares": 20, "gigabytes": 35 })).await;
    assert_eq!(rush(&server, shares()).await, BTreeMap::from([(200, 17), (413, 83)]));
    assert_eq!(detail(&server, "project", "gigabytes").await, [35, 34, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_fill_the_limits_of_users_and_types() {
    let server = server().await;
    set(&server, "project", json!({ "shares": 90, "gigabytes": 900 })).await;
    set(&server, "project?user_id=alice", json!({ "shares": 7 })).await;
    set(&server, "project?share_type=gold", json!({ "gigabytes": 11 })).await;
    let statuses = rush(&server, shares()).await;
    assert!(statuses.keys().all(|status| [200, 413].contains(status)), "{statuses:?}");
    assert_eq!(detail(&server, "project?user_id=alice", "shares").await, [7, 7, 0]);
    assert_eq!(detail(&server, "project?share_type=gold", "gigabytes").await, [11, 10, 0]);
    // Amy has no limit of her own: all of hers are there but those of the full type.
    let [_, shares, _] = detail(&server, "project", "shares").await;
    assert_eq!(statuses[&200], usize::try_from(shares).unwrap());
    assert!((38..=45).contains(&shares), "{shares}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_and_extends_fill_their_limits() {
    let server = server().await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        let id = created(&server, ALICE).await;
        settle(&server, id).await;
        ids.push(id);
    }
    set(&server, "project", json!({ "snapshots": 30, "gigabytes": 16 })).await;
    set(&server, "project?share_type=default", json!({ "snapshot_gigabytes": 25 })).await;
    set(&server, "project?user_id=amy", json!({ "snapshots": 9 })).await;
    let snapshots = (0..CROWD).map(|number| {
        let token = if number % 2 == 0 { ALICE } else { AMY };
        let snapshot = json!({ "share_id": ids[number % ids.len()].to_string() });
        (token, "/v2/snapshots".to_owned(), json!({ "snapshot": snapshot }))
    });
    assert_eq!(rush(&server, snapshots).await, BTreeMap::from([(202, 25), (413, 75)]));
    let [_, of_amy, _] = detail(&server, "project?user_id=amy", "snapshots").await;
    assert!(of_amy <= 9, "{of_amy}");
    let of_type = detail(&server, "project?share_type=default", "snapshot_gigabytes").await;
    assert_eq!(of_type, [25, 25, 0]);

    // Ten for each share: one of them wins it, if there is room; the others find it extending.
    let extends = (0..CROWD).map(|number| {
        let path = format!("/v2/shares/{}/action", ids[number % ids.len()]);
        (ALICE, path, json!({ "extend": { "new_size": 3 } }))
    });
    let statuses = rush(&server, extends).await;
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [202, 400, 403], "{statuses:?}");
    assert_eq!(statuses[&202], 3);
    assert_eq!(detail(&server, "project", "gigabytes").await, [16, 10, 6]);
}
