//! Pages: put together they are the whole list, under any sort, filter and size.

use std::sync::OnceLock;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::{ids, many_snapshots};
use crate::support::TestServer;

const COUNT: usize = 37;

/// One database for all cases: they only read.
fn shared() -> &'static (Runtime, TestServer) {
    static SHARED: OnceLock<(Runtime, TestServer)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (server, _, _) = runtime.block_on(many_snapshots(COUNT as u128));
        (runtime, server)
    })
}

/// The ids of a list walked by its links, and how many pages that took.
async fn walk(server: &TestServer, first: String) -> (Vec<String>, usize) {
    let (mut all, mut pages, mut next) = (Vec::new(), 0, Some(first));
    while let Some(path) = next {
        let list = server.get(&path).await.expect(200);
        all.extend(ids(&list));
        pages += 1;
        assert!(pages <= COUNT + 1, "the links lead round in a circle");
        next = list.get("snapshot_instances_links").map(|links| {
            assert_eq!(links[0]["rel"], "next");
            let link = links[0]["href"].as_str().unwrap();
            link.strip_prefix("http://127.0.0.1:8786").unwrap().to_owned()
        });
    }
    (all, pages)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn pages_put_together_are_the_whole_list(
        key in prop::sample::select(vec![
            "", "created_at", "id", "share_id", "share_instance_id", "snapshot_id", "status", "updated_at",
        ]),
        direction in prop::sample::select(vec!["", "asc", "desc"]),
        filter in prop::sample::select(vec![
            "", "&status=error", "&host=one@fast", "&created_since=2017-08-04T00:47:00", "&status=deleting",
        ]),
        path in prop::sample::select(vec!["snapshot-instances", "snapshot-instances/detail"]),
        limit in 1..COUNT + 2,
        offset in 0..COUNT + 2,
    ) {
        let (runtime, server) = shared();
        runtime.block_on(async {
            let mut query = format!("/v2/{path}?x=1{filter}");
            if !key.is_empty() { query += &format!("&sort_key={key}") }
            if !direction.is_empty() { query += &format!("&sort_dir={direction}") }
            let whole = ids(&server.get(&query).await.expect(200));
            let (pages, count) = walk(server, format!("{query}&limit={limit}")).await;
            assert_eq!(pages, whole);
            assert_eq!(count, whole.len().div_ceil(limit).max(1), "the last page has no link");
            let behind = whole.get(offset..).unwrap_or_default();
            let (pages, _) = walk(server, format!("{query}&limit={limit}&offset={offset}")).await;
            assert_eq!(pages, behind, "an offset counts once");
            let rest = ids(&server.get(&format!("{query}&offset={offset}")).await.expect(200));
            assert_eq!(rest, behind, "an offset needs no limit");
        });
    }
}

#[tokio::test]
async fn a_page_says_how_many_there_are_on_all() {
    let (server, _, made) = many_snapshots(5).await;
    let path = "/v2/snapshot-instances?limit=2&with_count=true&sort_key=id&sort_dir=asc";
    let list = server.get(path).await.expect(200);
    assert_eq!(list["count"], 5);
    let marker = made[1].id;
    assert_eq!(
        list["snapshot_instances_links"],
        serde_json::json!([{
            "rel": "next",
            "href": format!("http://127.0.0.1:8786{path}&marker={marker}"),
        }])
    );
    let last = server.get(&format!("{path}&marker={}", made[3].id)).await.expect(200);
    assert_eq!(ids(&last), [made[4].id.to_string()]);
    assert_eq!((last["count"].clone(), last.get("snapshot_instances_links")), (5.into(), None));
}

#[tokio::test]
async fn no_limit_no_link_and_limit_0_nothing() {
    let (server, _, _) = many_snapshots(3).await;
    let list = server.get("/v2/snapshot-instances").await.expect(200);
    assert_eq!((ids(&list).len(), list.as_object().unwrap().len()), (3, 1));
    let none = server.get("/v2/snapshot-instances?limit=0").await.expect(200);
    assert_eq!(none, serde_json::json!({ "snapshot_instances": [] }));
}

#[tokio::test]
async fn the_newest_come_first() {
    let (server, _, mut made) = many_snapshots(9).await;
    let list = server.get("/v2/snapshot-instances").await.expect(200);
    made.sort_by_key(|instance| std::cmp::Reverse((instance.created_at, instance.id.to_string())));
    let expected: Vec<_> = made.iter().map(|instance| instance.id.to_string()).collect();
    assert_eq!(ids(&list), expected);
}
