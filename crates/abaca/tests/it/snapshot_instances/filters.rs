//! Every filter, alone and together, and what is refused.

use super::{ids, many_snapshots};

#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let (server, places, made) = many_snapshots(12).await;
    let all: Vec<usize> = (0..12).collect();
    let odd = |index: &usize| index % 2 == 1;
    let by = |keep: &dyn Fn(&usize) -> bool| all.iter().copied().filter(keep).collect::<Vec<_>>();
    let third = made[3].snapshot_id;
    let table: Vec<(String, Vec<usize>)> = vec![
        (String::new(), all.clone()),
        ("nope=1".to_owned(), all.clone()),
        ("snapshot_id=".to_owned(), all.clone()),
        (format!("snapshot_id={third}"), vec![3]),
        (format!("snapshot_id={}", third.to_string().to_uppercase()), vec![3]),
        (format!("snapshot_id={}", places[0].id), vec![]),
        ("snapshot_id=nope".to_owned(), vec![]),
        ("status=error".to_owned(), by(&|index| index % 3 == 1)),
        ("status=deleting".to_owned(), vec![]),
        (format!("share_id={}", places[1].share_id), by(&odd)),
        (format!("share_instance_id={}", places[1].id), by(&odd)),
        ("host=two".to_owned(), by(&odd)),
        ("host=two@slow".to_owned(), by(&odd)),
        ("host=two@slow%23pool".to_owned(), by(&odd)),
        ("host=two@slow%23none".to_owned(), vec![]),
        ("host=tw".to_owned(), vec![]),
        ("created_since=2017-08-04T00:45:52".to_owned(), by(&|index| *index >= 4)),
        ("created_since=2017-08-04T02:45:52%2B02:00".to_owned(), by(&|index| *index >= 4)),
        ("created_since=2017-08-04T02:45:52+02:00".to_owned(), by(&|index| *index >= 4)),
        ("created_before=2017-08-04T00:45:52Z".to_owned(), by(&|index| *index < 4)),
        ("created_since=2017-08-04&created_before=2017-08-05".to_owned(), all.clone()),
        ("status=error&host=two&created_since=2017-08-04T00:45:52".to_owned(), vec![7]),
        ("status=available&status=error".to_owned(), by(&|index| index % 3 == 1)),
    ];
    for (query, expected) in table {
        for path in ["snapshot-instances", "snapshot-instances/detail"] {
            let sort = "sort_key=id&sort_dir=asc&with_count=yes";
            let path = format!("/v2/{path}?{query}&{sort}");
            let list = server.get(&path).await.expect(200);
            let expected: Vec<_> =
                expected.iter().map(|index| made[*index].id.to_string()).collect();
            assert_eq!(ids(&list), expected, "{path}");
            assert_eq!(list["count"], expected.len(), "{path}");
        }
    }
}

#[tokio::test]
async fn bad_values_are_refused_by_name() {
    let (server, _, _) = many_snapshots(1).await;
    let statuses = "one of creating, available, deleting, error, error_deleting, deferred_deleting, \
                    error_deferred_deleting, migrating, migrating_to, server_migrating, restoring, \
                    manage_starting, manage_error, unmanage_starting, unmanage_error";
    let keys =
        "one of created_at, id, share_id, share_instance_id, snapshot_id, status, updated_at";
    let time = "an ISO 8601 time such as 2017-08-04T00:44:52";
    for (key, value, expected) in [
        ("status", "stuck", statuses),
        ("status", "", statuses),
        ("share_id", "nope", "a UUID"),
        ("share_instance_id", "nope", "a UUID"),
        ("host", "", "host, host@backend or host@backend#pool"),
        ("created_since", "yesterday", time),
        ("created_before", "", time),
        ("with_count", "maybe", "a boolean"),
        ("sort_key", "nope", keys),
        ("sort_key", "provider_location", keys),
        ("sort_dir", "up", "one of asc, desc"),
        ("marker", "nope", "the id of a snapshot instance"),
        ("marker", "0abaca00-0000-4000-8000-00000000ffff", "the id of a snapshot instance"),
    ] {
        for path in ["snapshot-instances", "snapshot-instances/detail"] {
            let message =
                server.get(&format!("/v2/{path}?{key}={value}")).await.fault(400, "badRequest");
            assert_eq!(message, format!("Invalid value {value} for {key}. Expecting {expected}."));
        }
    }
    for (query, expected) in [
        ("limit=x", "limit param must be an integer"),
        ("limit=", "limit param must be an integer"),
        ("limit=-1", "limit param must be positive"),
        ("offset=1.5", "offset param must be an integer"),
        ("offset=-1", "offset param must be positive"),
    ] {
        let path = format!("/v2/snapshot-instances?{query}");
        assert_eq!(server.get(&path).await.fault(400, "badRequest"), expected, "{query}");
    }
}
