//! Lists and their filters.

use abaca::api::V;
use abaca_store::access_rules::{self, Of};
use serde_json::json;

use super::{ALICE, allow, listed, one_share};
use crate::support::seed;

#[tokio::test]
async fn filters_find_what_they_say() {
    let (server, share, _) = one_share().await;
    for rule in [
        json!({ "access_type": "ip", "access_to": "10.0.0.0/24", "access_level": "ro",
            "metadata": { "team": "a", "room": "1" } }),
        json!({ "access_type": "ip", "access_to": "fd00::1", "metadata": { "team": "a" } }),
        json!({ "access_type": "user", "access_to": "joey" }),
    ] {
        allow(&server, &share, rule).await.expect(200);
    }
    let all = listed(&server, &share).await;
    let clients: Vec<_> = all.iter().map(|rule| rule["access_to"].as_str().unwrap()).collect();
    assert_eq!(clients, ["10.0.0.0/24", "fd00::1", "joey"], "the oldest first");
    let find = async |version, query: &str| {
        let path = format!("/v2/share-access-rules?share_id={}&{query}", share.id);
        let list = server.get_as(ALICE, version, &path).await.expect(200);
        let found = list["access_list"].as_array().unwrap().clone();
        let position = |rule| all.iter().position(|one| one["id"] == rule).unwrap();
        found.iter().map(|rule| position(rule["id"].clone())).collect::<Vec<_>>()
    };
    let id = format!("id={}", all[1]["id"].as_str().unwrap());
    for (query, expected) in [
        ("access_type=ip", vec![0, 1]),
        ("access_level=rw", vec![1, 2]),
        ("access_type=ip&access_level=ro", vec![0]),
        ("access_type=ip&access_to=10.0.0.0/24", vec![0]),
        ("access_type=ip&access_to=10.0.0.1", vec![]),
        ("access_type=user&access_to=joey", vec![2]),
        ("access_key=x", vec![]),
        (&id, vec![1]),
        ("metadata=%7B'team':'a'%7D", vec![0, 1]),
        ("metadata=%7B'team':'a','room':'1'%7D", vec![0]),
        ("metadata=%7B'team':'b'%7D", vec![]),
        ("unknown=x", vec![0, 1, 2]),
    ] {
        for version in [V(2, 45), V::MAX] {
            assert_eq!(find(version, query).await, expected, "{query} {version}");
        }
    }
    assert_eq!(find(V(2, 81), "access_type=mac").await, [0_usize; 0]);
    assert_eq!(find(V(2, 81), "access_to=joey").await, [2]);
}

#[tokio::test]
async fn every_rule_of_many_has_its_metadata() {
    let (server, share, place) = one_share().await;
    let mut tx = server.app.db.write().await.unwrap();
    for number in 0..1_001_u128 {
        let address = format!("10.0.{}.{}", number / 256, number % 256);
        let mut rule = seed::access_rule(number, share.id.uuid(), &address);
        rule.metadata.insert("address".to_owned(), address);
        let places = [place.id.uuid()];
        access_rules::insert(&mut tx, Of::Shares, &rule, &places).await.unwrap();
    }
    tx.commit().await.unwrap();
    let all = listed(&server, &share).await;
    assert_eq!(all.len(), 1_001);
    for rule in all {
        assert_eq!(rule["metadata"]["address"], rule["access_to"]);
    }
    let again = json!({ "access_type": "ip", "access_to": "10.0.3.232/32" });
    let message = allow(&server, &share, again).await.fault(400, "badRequest");
    assert!(message.contains("exists"), "{message}");
}

#[tokio::test]
async fn bad_filters_are_named() {
    let (server, share, _) = one_share().await;
    for (query, problem) in [
        ("", "'share_id' has to be specified"),
        ("share_id=ID&metadata=x", "metadata"),
        ("share_id=ID&access_type=mac", "access type: mac"),
        ("share_id=ID&access_to=joey", "'access_type' parameter must be provided"),
        ("share_id=ID&access_type=ip&access_to=joey", "neither an IP address"),
        ("share_id=ID&access_level=su", "access level: su"),
    ] {
        let query = query.replace("ID", &share.id.to_string());
        let path = format!("/v2/share-access-rules?{query}");
        let message = server.get_as(ALICE, V(2, 82), &path).await.fault(400, "badRequest");
        assert!(message.contains(problem), "{query}: {message}");
    }
}
