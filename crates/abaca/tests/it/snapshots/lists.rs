//! Lists: whose, which, in which order, which part.

use std::sync::OnceLock;

use abaca::api::V;
use abaca_model::{ShareInstance, SnapshotStatus, Timestamp};
use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{ALICE, one_share};
use crate::support::{TestServer, seed};

fn names(list: &Value) -> Vec<&str> {
    let snapshots = list["snapshots"].as_array().unwrap();
    snapshots.iter().map(|snapshot| snapshot["name"].as_str().unwrap_or("-")).collect()
}

/// Three snapshots of `project` and one of `other`.
async fn four() -> (TestServer, ShareInstance) {
    let (server, _, place) = one_share().await;
    let (theirs, their_place) = seed::share(3, "other");
    seed::add_share(&server.app.db, &theirs, std::slice::from_ref(&their_place)).await;
    for (number, name, description, project, status) in [
        (10, "l0", "desc 0", "project", SnapshotStatus::Available),
        (11, "l1", "desc 1", "project", SnapshotStatus::Available),
        (12, "L2", "Desc 2", "project", SnapshotStatus::Error),
        (13, "l3", "desc 3", "other", SnapshotStatus::Available),
    ] {
        let place = if project == "other" { &their_place } else { &place };
        let (mut snapshot, mut instance) = seed::snapshot(number, place);
        snapshot.name = Some(name.to_owned());
        snapshot.description = Some(description.to_owned());
        snapshot.project_id = project.to_owned();
        snapshot.metadata.insert("k".to_owned(), (number - 10).to_string());
        let seconds = i64::try_from(number).unwrap() * 1_000_000;
        snapshot.created_at = Timestamp::from_micros(seed::THEN.micros() + seconds);
        instance.status = status;
        seed::add_snapshot(&server.app.db, &snapshot, &[instance]).await;
    }
    (server, place)
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let (server, place) = four().await;
    let table: Vec<(String, &[&str])> = vec![
        (String::new(), &["L2", "l1", "l0"]),
        ("nope=1".to_owned(), &["L2", "l1", "l0"]),
        ("name=l1".to_owned(), &["l1"]),
        ("display_name=l1".to_owned(), &["l1"]),
        ("name~=L".to_owned(), &["L2", "l1", "l0"]),
        ("name~=%25".to_owned(), &[]),
        ("description=desc 1".to_owned(), &["l1"]),
        ("description~=desc".to_owned(), &["L2", "l1", "l0"]),
        ("display_description~=c 2".to_owned(), &["L2"]),
        ("status=error".to_owned(), &["L2"]),
        ("status=nope".to_owned(), &[]),
        (format!("share_id={}", place.share_id), &["L2", "l1", "l0"]),
        ("share_id=nope".to_owned(), &[]),
        ("size=1".to_owned(), &["L2", "l1", "l0"]),
        ("size=2".to_owned(), &[]),
        ("metadata={'k':'1'}".to_owned(), &["l1"]),
        ("metadata={\"k\":\"1\",\"x\":\"y\"}".to_owned(), &[]),
        ("metadata={}".to_owned(), &["L2", "l1", "l0"]),
        // Only administrators filter by these.
        (
            "user_id=x&project_id=x&id=x&share_proto=x&share_size=7&usage=x".to_owned(),
            &["L2", "l1", "l0"],
        ),
        ("all_tenants=1".to_owned(), &["L2", "l1", "l0"]),
    ];
    for (query, expected) in table {
        for path in ["/v2/snapshots", "/v2/snapshots/detail"] {
            let path = format!("{path}?{}", query.replace(' ', "%20").replace('"', "%22"));
            let list = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
            assert_eq!(names(&list), expected, "{query}");
        }
    }
}

#[tokio::test]
async fn administrators_see_further() {
    let (server, _) = four().await;
    for (query, expected) in [
        ("", vec![]),
        ("all_tenants=1", vec!["l3", "L2", "l1", "l0"]),
        ("all_tenants=", vec!["l3", "L2", "l1", "l0"]),
        ("all_tenants=0", vec![]),
        ("all_tenants=1&project_id=other", vec!["l3"]),
        ("project_id=other", vec![]),
        ("all_tenants=1&user_id=alice&name=l3", vec!["l3"]),
        ("all_tenants=1&user_id=nobody", vec![]),
        ("all_tenants=1&share_proto=CIFS", vec![]),
        ("all_tenants=1&share_size=1&limit=1", vec!["l3"]),
        ("all_tenants=1&usage=any", vec!["l3", "L2", "l1", "l0"]),
        ("all_tenants=1&usage=used", vec![]),
        ("all_tenants=1&usage=unused&name=l0", vec!["l0"]),
        ("all_tenants=1&id=0abaca00-0000-4000-8000-00000000000b", vec!["l1"]),
        ("all_tenants=1&status=deferred_deleting", vec![]),
    ] {
        let list = server.get(&format!("/v2/snapshots/detail?{query}")).await.expect(200);
        assert_eq!(names(&list), expected, "{query}");
    }
}

#[tokio::test]
async fn filters_come_with_their_versions() {
    let (server, _) = four().await;
    for (query, since, path) in [
        ("name~=l1", V(2, 36), "snapshots"),
        ("description~=1", V(2, 36), "snapshots/detail"),
        ("description=desc%201", V(2, 36), "snapshots"),
        ("metadata={'k':'1'}", V(2, 73), "snapshots/detail"),
    ] {
        for version in [V(2, 0), V(2, 35), V(2, 36), V(2, 72), V(2, 73)] {
            let path = format!("/v2/{path}?{query}");
            let request = server.request(Method::GET, &path).token(ALICE).at(version);
            let filtered = names(&request.send().await.expect(200)) == ["l1"];
            assert_eq!(filtered, version >= since, "{query} at {version}");
        }
    }
    for (path, version, counts) in [
        ("snapshots", V(2, 78), false),
        ("snapshots", V(2, 79), true),
        ("snapshots/detail", V(2, 0), true),
    ] {
        let path = format!("/v2/{path}?with_count=true&limit=1");
        let request = server.request(Method::GET, &path).token(ALICE).at(version);
        let list = request.send().await.expect(200);
        assert_eq!(list.get("count").cloned(), counts.then(|| json!(3)), "{path} at {version}");
    }
}

#[tokio::test]
async fn bad_values_are_refused_by_name() {
    let (server, _) = four().await;
    for (query, expected) in [
        ("limit=x", "limit param must be an integer"),
        ("limit=-1", "limit param must be positive"),
        ("offset=x", "offset param must be an integer"),
        ("offset=-1", "offset param must be positive"),
        ("with_count=maybe", "Invalid value maybe for with_count. Expecting a boolean."),
        ("all_tenants=maybe", "Invalid value maybe for all_tenants. Expecting a boolean."),
        ("name=", "Invalid value  for name. Expecting a text."),
        ("status=", "Invalid value  for status. Expecting a text."),
        ("size=x", "Invalid value x for size. Expecting an integer."),
        ("metadata=x", "Invalid value x for metadata. Expecting a dictionary of texts."),
        ("usage=x", "Invalid value x for usage. Expecting one of any, used, unused."),
        ("marker=nope", "Invalid value nope for marker. Expecting the id of a snapshot."),
        ("sort_dir=up", "Invalid value up for sort_dir. Expecting one of asc, desc."),
        (
            "sort_key=status",
            "Invalid value status for sort_key. Expecting one of created_at, description, \
             display_description, display_name, id, name, project_id, share_id, share_proto, \
             share_size, size, updated_at, user_id.",
        ),
    ] {
        for path in ["snapshots", "snapshots/detail"] {
            let message = server.get(&format!("/v2/{path}?{query}")).await.fault(400, "badRequest");
            assert_eq!(message, expected, "{query}");
        }
    }
}

#[tokio::test]
async fn another_projects_snapshot_is_no_marker() {
    let (server, _) = four().await;
    let all =
        server.get("/v2/snapshots?all_tenants=1&sort_key=name&sort_dir=asc").await.expect(200);
    let own = server.request(Method::GET, "/v2/snapshots").token(ALICE).send().await.expect(200);
    let own = names(&own);
    for (place, name) in names(&all).into_iter().enumerate() {
        let marker = all["snapshots"][place]["id"].as_str().unwrap();
        for query in ["", "&all_tenants=1"] {
            let path = format!("/v2/snapshots?marker={marker}{query}");
            let answer = server.request(Method::GET, &path).token(ALICE).send().await;
            let expected = if own.contains(&name) { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{name}: {}", answer.text);
        }
        server.get(&format!("/v2/snapshots?all_tenants=1&marker={marker}")).await.expect(200);
    }
    assert!(own.len() < names(&all).len());
}

#[tokio::test]
async fn a_page_links_to_the_next_of_its_own_list() {
    let (server, _) = four().await;
    for path in ["snapshots", "snapshots/detail"] {
        let (mut all, mut next) = (Vec::new(), Some(format!("/v2/{path}?limit=2&sort_key=name")));
        while let Some(path) = next {
            let list = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
            all.extend(names(&list).iter().map(|name| (*name).to_owned()));
            next = list.get("share_snapshots_links").map(|links| {
                let link = links[0]["href"].as_str().unwrap();
                link.strip_prefix("http://127.0.0.1:8786").unwrap().to_owned()
            });
        }
        assert_eq!(all, ["l1", "l0", "L2"], "{path}");
    }
    let none = server.get("/v2/snapshots?all_tenants=1&limit=0").await.expect(200);
    assert_eq!(none, json!({ "snapshots": [] }));
}

#[tokio::test]
async fn who_has_no_role_sees_no_list() {
    let (server, _) = four().await;
    let request = server.request(Method::GET, "/v2/snapshots").token("dave:project:nothing");
    let message = request.send().await.fault(403, "forbidden");
    assert_eq!(message, "Policy doesn't allow share_snapshot:get_all_snapshots to be performed.");
    let path = "/v2/snapshots?status=deferred_deleting";
    let message = server.request(Method::GET, path).token(ALICE).send().await;
    assert_eq!(
        message.fault(403, "forbidden"),
        "Policy doesn't allow share_snapshot:list_snapshots_in_deferred_deletion_states to be \
         performed."
    );
}

const COUNT: usize = 23;

fn shared() -> &'static (Runtime, TestServer) {
    static SHARED: OnceLock<(Runtime, TestServer)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let (server, _, place) = one_share().await;
            for number in 0..COUNT {
                let (mut snapshot, instance) = seed::snapshot(number as u128 + 10, &place);
                snapshot.name = (number % 3 > 0).then(|| format!("n{}", number % 4));
                let seconds = number as i64 / 5 * 1_000_000;
                snapshot.created_at = Timestamp::from_micros(seed::THEN.micros() + seconds);
                seed::add_snapshot(&server.app.db, &snapshot, &[instance]).await;
            }
            server
        });
        (runtime, server)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn pages_put_together_are_the_whole_list(
        key in prop::sample::select(vec![
            "created_at", "description", "display_name", "id", "name", "project_id", "share_id", "share_proto",
            "share_size", "size", "updated_at", "user_id",
        ]),
        direction in prop::sample::select(vec!["asc", "desc", "ASC"]),
        limit in 1..COUNT + 2,
        offset in 0..COUNT + 2,
    ) {
        let (runtime, server) = shared();
        runtime.block_on(async {
            let get = |path: String| async move {
                let list = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
                let ids = list["snapshots"].as_array().unwrap().iter();
                let ids: Vec<_> = ids.map(|shown| shown["id"].as_str().unwrap().to_owned()).collect();
                (ids, list.get("share_snapshots_links").is_some())
            };
            let query = format!("/v2/snapshots?sort_key={key}&sort_dir={direction}");
            let (whole, _) = get(query.clone()).await;
            assert_eq!(whole.len(), COUNT);
            let (mut pages, mut more) = get(format!("{query}&limit={limit}")).await;
            while more {
                let marker = pages.last().unwrap();
                let (page, goes_on) = get(format!("{query}&limit={limit}&marker={marker}")).await;
                pages.extend(page);
                more = goes_on;
            }
            assert_eq!(&pages, &whole);
            let (rest, _) = get(format!("{query}&limit=1000&offset={offset}")).await;
            assert_eq!(&rest, whole.get(offset..).unwrap_or_default());
        });
    }
}
