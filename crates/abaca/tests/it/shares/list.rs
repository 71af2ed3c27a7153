//! Lists of shares: filters, order, pages, counts.

use std::collections::BTreeMap;

use abaca::api::V;
use abaca_model::{Share, ShareInstance, ShareStatus, SnapshotId, Timestamp};
use abaca_store::export_work::NewExportLocation;
use abaca_store::share_work;
use serde_json::{Value, json};

use super::{ALICE, BOB, RITA, add, add_type, ids, names, server};
use crate::support::{TestServer, seed};

/// Shares a, b, c of `project`, made one after the other, and d of `other`.
async fn scene() -> (TestServer, Vec<Share>) {
    let server = server().await;
    let other_type = add_type(&server, 5, "other", &[("qos", "gold")]).await;
    let mut all: Vec<(Share, ShareInstance)> = Vec::new();
    for (number, name) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        let project = if name == "d" { "other" } else { "project" };
        let (mut share, instance) = seed::share(number, project);
        share.name = Some(name.to_owned());
        share.size = 5 - i64::try_from(number).unwrap();
        let time = seed::THEN.micros() + i64::try_from(number).unwrap() * 1_000_000;
        share.created_at = Timestamp::from_micros(time);
        all.push((share, instance));
    }
    let (b, place) = &mut all[1];
    b.description = Some("Of Bees".to_owned());
    b.share_type_id = other_type;
    b.source_snapshot_id = Some(SnapshotId::from(seed::uuid(9)));
    b.metadata.insert("key".to_owned(), "it's".to_owned());
    place.status = ShareStatus::Error;
    place.host = Some("b@b#b".to_owned());
    place.availability_zone = Some("far".to_owned());
    add(&server, &all).await;
    let mut tx = server.app.db.write().await.unwrap();
    let export = NewExportLocation {
        path: "/exports/b".to_owned(),
        is_admin_only: false,
        preferred: true,
        metadata: BTreeMap::new(),
    };
    share_work::record_exports(&mut tx, all[1].1.id, &[export], seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
    (server, all.into_iter().map(|(share, _)| share).collect())
}

async fn found(server: &TestServer, token: &str, minor: u32, query: &str) -> Vec<String> {
    let list = async |path: &str| {
        server.get_as(token, V(2, minor), &format!("/v2/{path}?{query}")).await.expect(200)
    };
    let (summary, detail) = (list("shares").await, list("shares/detail").await);
    assert_eq!(ids(&summary), ids(&detail), "{query}");
    names(&summary)
}

#[tokio::test]
async fn the_youngest_come_first_and_only_ones_own() {
    let (server, _) = scene().await;
    assert_eq!(found(&server, ALICE, 99, "").await, ["c", "b", "a"]);
    assert_eq!(found(&server, RITA, 0, "").await, ["c", "b", "a"]);
    assert_eq!(found(&server, BOB, 99, "").await, ["d"]);
    assert_eq!(found(&server, "eve:evil:member", 99, "").await, [""; 0]);
    assert_eq!(found(&server, "root:admin:admin", 99, "").await, [""; 0], "of his own project");
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let (server, all) = scene().await;
    let (types, snapshot) = (seed::uuid(5), seed::uuid(9));
    let exports = format!("/v2/shares/{}/export_locations", all[1].id);
    let export = server.get(&exports).await.expect(200);
    let export = export["export_locations"][0]["id"].as_str().unwrap().to_owned();
    let finds_b = [
        "name=b".to_owned(),
        "display_name=b".to_owned(),
        "name=a&name=b".to_owned(),
        "description=Of%20Bees".to_owned(),
        "display_description=Of+Bees".to_owned(),
        "description~=bee".to_owned(),
        "name~=B".to_owned(),
        "status=error".to_owned(),
        format!("share_type_id={types}"),
        format!("snapshot_id={snapshot}"),
        format!("export_location_id={export}"),
        "export_location_path=/exports/b".to_owned(),
        "metadata={'key':+%22it's%22}".to_owned(),
        "metadata=%7B%22key%22:%20%22it's%22%7D".to_owned(),
        "availability_zone=far".to_owned(),
        "status=error&name=b&bogus=1&share_proto=CIFS&size=99".to_owned(),
    ];
    for query in finds_b {
        assert_eq!(found(&server, ALICE, 99, &query).await, ["b"], "{query}");
    }
    let finds_none = [
        "name=B",
        "name~=%25",
        "name~=_",
        "status=",
        "status=ERROR",
        "status=nope",
        "snapshot_id=",
        "share_type_id=other",
        "export_location_path=/exports",
        "metadata={'key':'its'}",
        "metadata={'key':%22it's%22,'more':'x'}",
        "availability_zone=nowhere",
        "share_network_id=x",
        "share_group_id=x",
        "mount_point_name=x",
        "is_soft_deleted=true",
        "name=d",
    ];
    for query in finds_none {
        assert_eq!(found(&server, ALICE, 99, query).await, [""; 0], "{query}");
        let path = format!("/v2/shares?with_count=1&{query}");
        let counted = server.get_as(ALICE, V::MAX, &path).await.expect(200);
        assert_eq!(counted, json!({ "shares": [], "count": 0 }), "{query}");
    }
    let finds_all = [
        "name=&description=&export_location_path=",
        "metadata={}",
        "is_soft_deleted=false",
        "all_projects=1",
        "all_tenants=0",
        "project_id=other",
        "encryption_key_ref=x",
        "volume_type_id=x",
        "share_type=x",
    ];
    for query in finds_all {
        assert_eq!(found(&server, ALICE, 99, query).await, ["c", "b", "a"], "{query}");
    }
}

#[tokio::test]
async fn filters_come_with_their_versions() {
    let (server, _) = scene().await;
    for (query, minor) in [
        ("export_location_path=/exports/b", 35),
        ("name~=b", 36),
        ("description=Of%20Bees", 36),
        ("description~=bee", 36),
        ("availability_zone=far", 97),
    ] {
        assert_eq!(found(&server, ALICE, minor, query).await, ["b"], "{query}");
        assert_eq!(found(&server, ALICE, minor - 1, query).await, ["c", "b", "a"], "{query}");
    }
}

#[tokio::test]
async fn what_administrators_filter_by_has_rules() {
    let (server, _) = scene().await;
    let root = "root:admin:admin";
    let everything = "all_tenants=1&sort_key=name&sort_dir=asc";
    assert_eq!(found(&server, root, 99, everything).await, ["a", "b", "c", "d"]);
    assert_eq!(found(&server, root, 99, "all_tenants=").await, ["d", "c", "b", "a"]);
    assert_eq!(found(&server, root, 99, "all_tenants=1&project_id=other").await, ["d"]);
    assert_eq!(found(&server, root, 99, "all_tenants=1&host=b@b%23b").await, ["b"]);
    assert_eq!(found(&server, root, 99, "all_tenants=1&host=b@b").await, [""; 0]);
    assert_eq!(found(&server, root, 99, "all_tenants=1&share_server_id=x").await, [""; 0]);
    let specs = "all_tenants=1&extra_specs={'qos':'gold'}";
    assert_eq!(found(&server, root, 99, specs).await, ["b"]);
    assert_eq!(found(&server, ALICE, 99, "all_tenants=1").await, ["c", "b", "a"], "silently");
    for (query, rule) in [
        ("host=x", "share:list_by_host"),
        ("share_server_id=x", "share:list_by_share_server_id"),
        ("extra_specs={'qos':'gold'}", "share_types_extra_spec:index"),
        ("status=deferred_deleting", "share:list_shares_in_deferred_deletion_states"),
    ] {
        for path in ["shares", "shares/detail"] {
            let answer = server.get_as(ALICE, V::MAX, &format!("/v2/{path}?{query}")).await;
            let message = answer.fault(403, "forbidden");
            assert_eq!(message, format!("Policy doesn't allow {rule} to be performed."));
        }
    }
}

#[tokio::test]
async fn order_is_as_asked() {
    let (server, _) = scene().await;
    for (query, expected) in [
        ("sort_key=name", ["c", "b", "a"]),
        ("sort_key=name&sort_dir=asc", ["a", "b", "c"]),
        ("sort_key=size&sort_dir=ASC", ["c", "b", "a"]),
        ("sort_key=host&sort_dir=asc", ["b", "a", "c"]),
        ("sort_key=status", ["b", "c", "a"]),
        ("sort_key=availability_zone&sort_dir=asc", ["b", "a", "c"]),
        ("sort_key=availability_zone_id&sort_dir=asc", ["b", "a", "c"]),
        ("sort_key=share_network_id&sort_dir=asc", ["a", "b", "c"]),
        ("sort_key=snapshot_id", ["b", "c", "a"]),
        ("sort_key=created_at&sort_dir=asc", ["a", "b", "c"]),
        ("sort_dir=asc", ["a", "b", "c"]),
    ] {
        assert_eq!(found(&server, ALICE, 99, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_by_their_links() {
    let (server, all) = scene().await;
    let first = server.get_as(ALICE, V::MAX, "/v2/project/shares?limit=2&sort_key=name").await;
    let first = first.expect(200);
    assert_eq!(names(&first), ["c", "b"]);
    let href = first["shares_links"][0]["href"].as_str().unwrap();
    let b = all[1].id;
    let expected = format!("/v2/project/shares?limit=2&sort_key=name&marker={b}");
    assert_eq!(href, format!("http://127.0.0.1:8786{expected}"));
    let second = server.get_as(ALICE, V::MAX, &expected).await.expect(200);
    assert_eq!(names(&second), ["a"]);
    assert!(second.get("shares_links").is_none(), "nothing more remains");
    let exact = server.get_as(ALICE, V::MAX, "/v2/shares/detail?limit=3").await.expect(200);
    assert!(exact.get("shares_links").is_none(), "nothing more remains");
    for (query, expected) in [
        ("limit=0", vec![]),
        ("offset=1", vec!["b", "a"]),
        ("offset=1&limit=1", vec!["b"]),
        ("offset=9", vec![]),
        ("limit=9999999", vec!["c", "b", "a"]),
        ("limit=1&limit=2", vec!["c", "b"]),
    ] {
        assert_eq!(found(&server, ALICE, 99, query).await, expected, "{query}");
    }
    let marker = format!("marker={b}");
    assert_eq!(found(&server, ALICE, 99, &marker).await, ["a"]);
    let message = server.get_as(BOB, V::MAX, &format!("/v2/shares?{marker}")).await;
    let message = message.fault(400, "badRequest");
    assert!(message.contains("for marker"), "another project's share is no marker: {message}");
}

#[tokio::test]
async fn counts_are_of_the_whole_list() {
    let (server, _) = scene().await;
    let count = async |minor: u32, path: &str| {
        let list = server.get_as(ALICE, V(2, minor), &format!("/v2/{path}")).await.expect(200);
        list.get("count").cloned()
    };
    assert_eq!(count(42, "shares?with_count=true&limit=1").await, Some(json!(3)));
    assert_eq!(count(42, "shares?with_count=true&status=error").await, Some(json!(1)));
    assert_eq!(count(42, "shares?with_count=0").await, None);
    assert_eq!(count(41, "shares?with_count=true").await, None);
    assert_eq!(count(0, "shares/detail?with_count=true&offset=7").await, Some(json!(3)));
}

#[tokio::test]
async fn a_text_too_long_to_be_there_finds_nothing() {
    let (server, _) = scene().await;
    for key in ["name", "name~", "description~", "display_name~"] {
        for length in [1_024, 50_001] {
            let query = format!("{key}={}", "a".repeat(length));
            assert_eq!(found(&server, ALICE, 99, &query).await, [""; 0], "{key} of {length}");
        }
    }
    let long = "a".repeat(50_001);
    for path in [
        "share_instances?host",
        "snapshot-instances?host",
        "snapshots?name~",
        "resource-locks?lock_reason~",
    ] {
        server.get(&format!("/v2/{path}={long}")).await.expect(200);
    }
}

#[tokio::test]
async fn bad_values_are_named() {
    let (server, _) = scene().await;
    for (query, key) in [
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("offset=x", "offset"),
        ("offset=-1", "offset"),
        ("marker=x", "marker"),
        ("sort_key=nope", "sort_key"),
        ("sort_key=", "sort_key"),
        ("sort_key=instances", "sort_key"),
        ("sort_dir=up", "sort_dir"),
        ("with_count=x", "with_count"),
        ("is_public=x", "is_public"),
        ("is_soft_deleted=x", "is_soft_deleted"),
        ("all_tenants=x", "all_tenants"),
        ("metadata=x", "metadata"),
        ("metadata=5", "metadata"),
        ("metadata=", "metadata"),
        ("extra_specs=5", "extra_specs"),
        ("name=%ff", ""),
        ("name=%00", ""),
    ] {
        for path in ["shares", "shares/detail"] {
            let answer = server.get_as(ALICE, V::MAX, &format!("/v2/{path}?{query}")).await;
            let message = answer.fault(400, "badRequest");
            assert!(message.contains(key), "{query}: {message}");
        }
    }
    let long = format!("name={}", "x".repeat(3_000));
    assert_eq!(found(&server, ALICE, 99, &long).await, [""; 0]);
    let hostile = "name~='%20OR%201=1--&status=';DROP%20TABLE%20shares";
    assert_eq!(found(&server, ALICE, 99, hostile).await, [""; 0]);
    assert_eq!(found(&server, ALICE, 99, "").await.len(), 3);
}

#[tokio::test]
async fn public_shares_of_others_are_listed_when_asked_for() {
    let (server, all) = scene().await;
    let path = format!("/v2/shares/{}", all[3].id);
    let public: Value = json!({ "share": { "is_public": true } });
    server.put(&path, public).await.expect(200);
    assert_eq!(found(&server, ALICE, 99, "").await, ["c", "b", "a"]);
    assert_eq!(found(&server, ALICE, 99, "is_public=true").await, ["d", "c", "b", "a"]);
    assert_eq!(found(&server, ALICE, 99, "is_public=false").await, ["c", "b", "a"]);
    assert_eq!(found(&server, BOB, 99, "is_public=1").await, ["d"]);
}
