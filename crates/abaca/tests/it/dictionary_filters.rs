//! Filters that are dictionaries, however many pairs one has.

use std::collections::BTreeMap;
use std::fmt::Write;

use abaca::api::V;
use abaca_store::access_rules::Of;
use serde_json::Value;

use crate::support::{TestServer, seed};

const ROOT: &str = "root:project:admin";

/// Where such a filter is taken.
const TAKEN: [&str; 9] = [
    "shares?metadata=",
    "shares/detail?metadata=",
    "shares?extra_specs=",
    "snapshots?metadata=",
    "snapshots/detail?metadata=",
    "share-access-rules?metadata=",
    "types?extra_specs=",
    "share-group-types?group_specs=",
    "scheduler-stats/pools?capabilities=",
];

/// The answer for this dictionary, where `taken` is asked for.
async fn ask(server: &TestServer, taken: &str, dictionary: &str, share: &str) -> (u16, Value) {
    let path = format!("/v2/{taken}{dictionary}&share_id={share}");
    let answer = server.get_as(ROOT, V::MAX, &path).await;
    (answer.status, answer.json())
}

/// `{0:0,1:0, ...}`
fn pairs(count: usize, key: impl Fn(usize) -> usize) -> String {
    let mut text = "{".to_owned();
    for number in 0..count {
        write!(text, "{}:0,", key(number)).unwrap();
    }
    text + "}"
}

#[tokio::test]
async fn a_dictionary_of_too_many_pairs_is_refused() {
    let server = TestServer::start().await;
    let (share, place) = seed::share(1, "project");
    seed::add_share(&server.app.db, &share, &[place]).await;
    let share = share.id.to_string();
    for taken in TAKEN {
        let key = taken.rsplit_once('?').unwrap().1.trim_end_matches('=');
        for count in [65, 1_000, 6_000] {
            let (status, body) = ask(&server, taken, &pairs(count, |number| number), &share).await;
            assert_eq!(status, 400, "{taken} with {count}: {body}");
            assert_eq!(
                body["badRequest"]["message"],
                format!("Invalid value for {key}. Expecting a dictionary of at most 64 pairs.")
            );
        }
        let (status, body) = ask(&server, taken, &pairs(64, |number| number), &share).await;
        assert_eq!(status, 200, "{taken}: {body}");
        let (status, body) = ask(&server, taken, &pairs(6_000, |_| 0), &share).await;
        assert_eq!(status, 200, "{taken} with one key: {body}");
    }
}

#[tokio::test]
async fn all_pairs_must_be_there_and_the_last_of_a_key_counts() {
    let server = TestServer::start().await;
    let (mut share, place) = seed::share(1, "project");
    let (mut snapshot, copy) = seed::snapshot(1, &place);
    let mut rule = seed::access_rule(1, share.id.uuid(), "10.0.0.1");
    let metadata: BTreeMap<_, _> =
        (0..64).map(|number: usize| (number.to_string(), "0".to_owned())).collect();
    share.metadata.clone_from(&metadata);
    snapshot.metadata.clone_from(&metadata);
    rule.metadata = metadata;
    let db = &server.app.db;
    seed::add_share(db, &share, std::slice::from_ref(&place)).await;
    seed::add_snapshot(db, &snapshot, &[copy]).await;
    seed::add_access_rule(db, Of::Shares, &rule, place.id.uuid()).await;
    let share = share.id.to_string();
    for (taken, list) in [
        ("shares?metadata=", "shares"),
        ("snapshots?metadata=", "snapshots"),
        ("share-access-rules?metadata=", "access_list"),
    ] {
        let all = pairs(64, |number| number);
        let other = all.replace("0:0", "0:1");
        for (dictionary, found) in [
            (all.as_str(), 1),
            (other.as_str(), 0),
            ("{'0':'1','0':'0'}", 1),
            ("{'0':'0','0':'1'}", 0),
        ] {
            let (status, body) = ask(&server, taken, dictionary, &share).await;
            assert_eq!(status, 200, "{taken}{dictionary}: {body}");
            let count = body[list].as_array().unwrap().len();
            assert_eq!(count, found, "{taken}{dictionary}: {body}");
        }
    }
}
