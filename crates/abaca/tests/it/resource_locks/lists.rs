//! Lists of locks: filters, order, pages.

use abaca::api::V;
use serde_json::{Value, json};

use super::{ALICE, BOB, CARL, PATH, ROOT, locked, one_share, path};
use crate::support::{TestServer, seed};

async fn list(server: &TestServer, token: &str, query: &str) -> Value {
    server.get_as(token, V::MAX, &format!("{PATH}?{query}")).await.expect(200)
}

async fn reasons(server: &TestServer, token: &str, query: &str) -> Vec<String> {
    let listed = list(server, token, query).await;
    let locks = listed["resource_locks"].as_array().unwrap();
    locks.iter().map(|lock| lock["lock_reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let (server, share, _) = one_share().await;
    let (second, place) = seed::share(2, "other");
    seed::add_share(&server.app.db, &second, std::slice::from_ref(&place)).await;
    let first = locked(&server, ALICE, &share, "Clemson 100% tigers").await;
    locked(&server, CARL, &share, "year end").await;
    locked(&server, ROOT, &share, "audit").await;
    let theirs = locked(&server, BOB, &second, "theirs").await;
    // The administrator's lock is of the administrator's project.
    let (id, time) = (first["id"].as_str().unwrap(), first["created_at"].as_str().unwrap());
    let of_share = format!("resource_id={}", share.id);
    let of_second = format!("resource_id={}", second.id);
    let by_id = format!("id={id}");
    let (since, before) = (format!("created_since={time}"), format!("created_before={time}"));
    for (query, expected) in [
        ("", &["year end", "Clemson 100% tigers"][..]),
        ("sort_dir=asc", &["Clemson 100% tigers", "year end"]),
        ("sort_key=lock_reason&sort_dir=desc", &["year end", "Clemson 100% tigers"]),
        ("resource_type=share", &["year end", "Clemson 100% tigers"]),
        ("resource_type=access_rule", &[]),
        ("resource_action=delete", &["year end", "Clemson 100% tigers"]),
        ("resource_action=show", &[]),
        ("lock_context=user", &["year end", "Clemson 100% tigers"]),
        ("lock_context=admin", &[]),
        ("user_id=carl", &["year end"]),
        ("lock_reason=year%20end", &["year end"]),
        ("lock_reason=year", &[]),
        ("lock_reason~=clemson", &["Clemson 100% tigers"]),
        ("lock_reason~=0%25", &["Clemson 100% tigers"]),
        ("lock_reason~=_", &[]),
        ("resource_id=&user_id=&bogus=1", &["year end", "Clemson 100% tigers"]),
        ("resource_id=2fa3a2ba-5d7f-4a1e-9d6c-0a8a6b8b9d0e", &[]),
        ("project_id=project", &["year end", "Clemson 100% tigers"]),
        // Not for a member: as if it were not asked for.
        ("all_projects=1&project_id=other", &["year end", "Clemson 100% tigers"]),
        ("all_tenants=1", &["year end", "Clemson 100% tigers"]),
        (of_share.as_str(), &["year end", "Clemson 100% tigers"]),
        (of_second.as_str(), &[]),
        (by_id.as_str(), &["Clemson 100% tigers"]),
        (since.as_str(), &["year end", "Clemson 100% tigers"]),
        (before.as_str(), &["Clemson 100% tigers"]),
    ] {
        assert_eq!(reasons(&server, ALICE, query).await, expected, "{query}");
    }
    for (query, expected) in [
        ("", &["audit"][..]),
        ("all_projects=true", &["theirs", "audit", "year end", "Clemson 100% tigers"]),
        ("all_projects=0", &["audit"]),
        ("all_projects=1&project_id=other", &["theirs"]),
        ("project_id=other", &["theirs"]),
    ] {
        assert_eq!(reasons(&server, ROOT, query).await, expected, "{query}");
    }
    let foreign = server.get_as(ALICE, V::MAX, &format!("{PATH}?project_id=other")).await;
    foreign.fault(403, "forbidden");
    let marker = format!("{PATH}?limit=1&marker={}", theirs["id"].as_str().unwrap());
    server.get_as(ALICE, V::MAX, &marker).await.fault(400, "badRequest");
    for bad in [
        "resource_type=snapshot",
        "resource_action=create",
        "created_since=yesterday",
        "with_count=maybe",
        "all_projects=maybe",
        "all_projects=",
        "resource_id=nope",
        "sort_key=cause_id",
        "limit=-1",
        "marker=nope",
    ] {
        server.get(&format!("{PATH}?{bad}")).await.fault(400, "badRequest");
    }
}

#[tokio::test]
async fn pages_lead_from_one_to_the_next() {
    let (server, share, _) = one_share().await;
    for number in 0..5 {
        locked(&server, ALICE, &share, &number.to_string()).await;
    }
    for key in ["created_at", "id", "updated_at", "lock_reason", "user_id"] {
        let whole = list(&server, ALICE, &format!("sort_key={key}")).await;
        let mut query = format!("{PATH}?sort_key={key}&limit=2&with_count=true");
        let mut pages = Vec::new();
        loop {
            let page = server.get_as(ALICE, V::MAX, &query).await.expect(200);
            assert_eq!(page["count"], 5, "{key}");
            pages.extend(page["resource_locks"].as_array().unwrap().clone());
            let Some(next) = page["resource_locks_links"][0]["href"].as_str() else { break };
            query = next[next.find("/v2/").unwrap()..].to_owned();
        }
        assert_eq!(json!({ "resource_locks": pages }), whole, "{key}");
    }
    let skipped = list(&server, ALICE, "sort_dir=asc&offset=3&with_count=1").await;
    assert_eq!(skipped["resource_locks"].as_array().unwrap().len(), 2);
    assert_eq!(skipped["count"], 5);
    let gone = path(&skipped["resource_locks"][0]);
    assert_eq!(server.delete(&gone).await.status, 204);
    let empty = list(&server, BOB, "with_count=1").await;
    assert_eq!(empty, json!({ "resource_locks": [], "count": 0 }));
}
