mod properties;

use serde_json::{Value, json};

use super::*;

fn pool(name: &str) -> Pool {
    let pool = json!({
        "name": name,
        "availability_zone": "nova",
        "service_up": true,
        "service_enabled": true,
        "capacity": {
            "total_capacity_gb": 100,
            "free_capacity_gb": 80,
            "allocated_capacity_gb": 20,
            "provisioned_capacity_gb": 20,
            "pending_capacity_gb": 0,
            "reserved_percentage": 0,
            "reserved_snapshot_percentage": 0,
            "reserved_share_extend_percentage": 0,
            "max_over_subscription_ratio": 2.0,
            "thin_provisioning": false,
        },
        "capabilities": {
            "storage_protocol": "NFS_CIFS",
            "driver_handles_share_servers": false,
            "snapshot_support": true,
        },
    });
    serde_json::from_value(pool).unwrap()
}

type Change = fn(&mut Pool);

fn pool_with(change: impl FnOnce(&mut Pool)) -> Pool {
    let mut pool = pool("h@b#p");
    change(&mut pool);
    pool
}

fn request(size_gb: i64) -> Request {
    Request {
        size_gb,
        share_proto: Some("NFS".into()),
        extra_specs: BTreeMap::from([("driver_handles_share_servers".into(), "False".into())]),
        availability_zone: None,
        hints: Hints::default(),
        share: Map::new(),
        purpose: Purpose::Create,
    }
}

fn with_spec(key: &str, value: &str) -> Request {
    let mut request = request(1);
    request.extra_specs.insert(key.into(), value.into());
    request
}

fn from_snapshot(source: &str, reach: Reach) -> Request {
    let source = source.parse().unwrap();
    Request { purpose: Purpose::CreateFromSnapshot { source, reach }, ..request(1) }
}

fn place(request: &Request, pools: &[Pool]) -> Result<String, NoValidHost> {
    schedule(request, pools, Weights::default(), 7).map(|placement| placement.pool.to_string())
}

/// The text of the refusal of the only pool; empty when it takes the request.
fn refusal(request: &Request, pool: Pool) -> String {
    let result = place(request, &[pool]);
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn pool_names_read_back() {
    let name: PoolName = "host.example@nfs1#pool-a".parse().unwrap();
    assert_eq!((name.host(), name.backend(), name.pool()), ("host.example", "nfs1", "pool-a"));
    assert_eq!(name.service(), "host.example@nfs1");
    assert_eq!(name.to_string(), "host.example@nfs1#pool-a");
    for text in ["", "h", "h@b", "h#p", "@b#p", "h@#p", "h@b#", "h@b#p#q", "h@i@b#p", "h#p@b"] {
        assert!(text.parse::<PoolName>().is_err(), "{text:?}");
    }
    assert_eq!(
        "h@b".parse::<PoolName>().unwrap_err().to_string(),
        "\"h@b\" names no pool; expected host@backend#pool"
    );
}

#[test]
fn a_pool_survives_json_and_bad_capacity_is_refused() {
    let whole = pool_with(|pool| {
        pool.capacity.free_capacity_gb = Amount::Unknown;
        pool.capacity.total_capacity_gb = Amount::Infinite;
        pool.capacity.thin_provisioning = Provisioning::Either;
    });
    let value = serde_json::to_value(&whole).unwrap();
    assert_eq!(value["capacity"]["thin_provisioning"], json!([true, false]));
    assert_eq!(serde_json::from_value::<Pool>(value).unwrap(), whole);
    for bad in [json!(-1), json!("lots"), json!(null), json!("5")] {
        let error = Amount::try_from(bad.clone()).unwrap_err();
        let expected = "is no capacity; expected GiB from 0 up, \"unknown\" or \"infinite\"";
        assert_eq!(error.to_string(), format!("{bad} {expected}"));
    }
}

#[test]
fn capacity_is_read_from_a_report_and_a_bad_field_is_named() {
    let mut pool = pool("h@b#p");
    pool.capacity.thin_provisioning = Provisioning::Either;
    pool.capacity.reserved_percentage = 10;
    pool.capacity.pending_capacity_gb = 3;
    let report = pool.report();
    assert_eq!(Capacity::from_report(&report, 20, 3), Ok(pool.capacity));
    let cases = [
        ("total_capacity_gb", json!(null), "GiB from 0 up, \"unknown\" or \"infinite\""),
        ("free_capacity_gb", json!(-1), "GiB from 0 up, \"unknown\" or \"infinite\""),
        ("allocated_capacity_gb", json!("5"), "a number"),
        ("reserved_percentage", json!(101), "a whole per cent from 0 to 100"),
        ("max_over_subscription_ratio", json!("auto"), "a number"),
    ];
    for (field, value, expected) in cases {
        let mut report = report.clone();
        report.insert(field.into(), value.clone());
        let error = Capacity::from_report(&report, 0, 0).unwrap_err();
        assert_eq!(error.to_string(), format!("{field} is {value}, expected {expected}"));
    }
    let Value::Object(least) = json!({"total_capacity_gb": 10, "free_capacity_gb": "unknown"})
    else {
        panic!("an object is an object")
    };
    let capacity = Capacity::from_report(&least, 0, 0).unwrap();
    assert_eq!(capacity.free_capacity_gb, Amount::Unknown);
    assert_eq!(capacity.thin_provisioning, Provisioning::Thick);
    assert_eq!((capacity.reserved_percentage, capacity.max_over_subscription_ratio), (0, 1.0));
}

#[test]
fn every_refusal_says_which_filter_and_why() {
    let zone = Request { availability_zone: Some("east".into()), ..request(1) };
    let extend =
        Request { purpose: Purpose::Extend { pool: "h@b#q".parse().unwrap() }, ..request(1) };
    let copy = from_snapshot("h@b#q", Reach::SamePool);
    let full: Change = |pool| pool.capacity.free_capacity_gb = Amount::Known(3.21);
    let thin: Change = |pool| {
        pool.capacity.thin_provisioning = Provisioning::Thin;
        pool.capacity.provisioned_capacity_gb = 199;
    };
    let bad_ratio: Change = |pool| {
        pool.capacity.thin_provisioning = Provisioning::Thin;
        pool.capacity.max_over_subscription_ratio = 0.5;
    };
    let same: Change = |_| ();
    let cases: [(Request, Change, &str); 12] = [
        (request(1), |pool| pool.service_up = false, "active backend: its service is down"),
        (
            request(1),
            |pool| pool.service_enabled = false,
            "active backend: its service is disabled",
        ),
        (extend, same, "only host: the share is in h@b#q"),
        (copy, same, "create from snapshot: the snapshot is in h@b#q"),
        (zone, same, "availability zone: in zone \"nova\", wanted \"east\""),
        (
            with_spec("availability_zones", "east, west"),
            same,
            "availability zone: in zone \"nova\", wanted \"east\" or \"west\"",
        ),
        (request(5), full, "capacity: needs 5 GiB, 3.21 GiB free of 100 GiB with 0% reserved"),
        (request(2), thin, "capacity: needs 2 GiB, 199 GiB promised of 100 GiB times 2"),
        (request(1), bad_ratio, "capacity: max_over_subscription_ratio is 0.5, expected 1 or more"),
        (
            with_spec("dedupe", "<is> True"),
            same,
            "capabilities: reports no dedupe, wanted \"<is> True\"",
        ),
        (
            with_spec("snapshot_support", "False"),
            same,
            "capabilities: snapshot_support is true, wanted \"<is> False\"",
        ),
        (
            Request { share_proto: Some("CEPHFS".into()), ..request(1) },
            same,
            "capabilities: storage_protocol is \"NFS_CIFS\", wanted \"<in> CEPHFS\"",
        ),
    ];
    for (request, change, expected) in cases {
        assert_eq!(
            refusal(&request, pool_with(change)),
            format!("no valid host: pool h@b#p: {expected}")
        );
    }
}

#[test]
fn no_valid_host_lists_every_pool_and_the_last_filter() {
    let mut down = pool("h@b#z");
    down.service_up = false;
    let mut full = pool("h@a#p");
    full.capacity.free_capacity_gb = Amount::Known(0.0);
    let error = place(&request(1), &[down, full]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no valid host: pool h@a#p: capacity: needs 1 GiB, 0 GiB free of 100 GiB with 0% reserved; \
         pool h@b#z: active backend: its service is down"
    );
    assert_eq!(error.last_filter(), Some(Filter::Capacity));
    let error = place(&request(1), &[]).unwrap_err();
    assert_eq!(error.to_string(), "no valid host: no backend has reported a pool");
    assert_eq!(error.last_filter(), None);
}

#[test]
fn capacity_by_kind_of_pool() {
    use Amount::{Infinite, Known, Unknown};
    use Provisioning::{Either, Thick, Thin};
    let cases = [
        // size, total, free, reserved %, provisioned, pending, kind, type wants thin, passes
        (80, Known(100.0), Known(80.0), 0, 20, 0, Thick, None, true),
        (81, Known(100.0), Known(80.0), 0, 20, 0, Thick, None, false),
        (80, Known(100.0), Known(80.9), 0, 20, 0, Thick, None, true),
        (70, Known(100.0), Known(80.0), 10, 20, 0, Thick, None, true),
        (71, Known(100.0), Known(80.0), 10, 20, 0, Thick, None, false),
        (75, Known(100.0), Known(80.0), 0, 25, 5, Thick, None, true),
        (76, Known(100.0), Known(80.0), 0, 25, 5, Thick, None, false),
        (1, Known(0.0), Known(0.0), 0, 0, 0, Thick, None, false),
        (999, Unknown, Unknown, 50, 0, 0, Thick, None, true),
        (80, Unknown, Known(80.0), 0, 0, 0, Thick, None, true),
        (80, Unknown, Known(80.0), 1, 0, 0, Thick, None, false),
        (999, Infinite, Infinite, 10, 0, 0, Thick, None, true),
        (80, Infinite, Known(80.0), 10, 0, 0, Thick, None, true),
        (999, Infinite, Infinite, 10, 9_999, 0, Thin, None, true),
        (160, Known(100.0), Known(80.0), 0, 40, 0, Thin, None, true),
        (161, Known(100.0), Known(80.0), 0, 39, 0, Thin, None, false),
        (150, Known(100.0), Known(100.0), 0, 50, 0, Thin, None, true),
        (151, Known(100.0), Known(100.0), 0, 50, 0, Thin, None, false),
        (160, Known(100.0), Known(80.0), 0, 40, 60, Thin, None, true),
        (140, Known(100.0), Known(80.0), 10, 40, 0, Thin, None, true),
        (141, Known(100.0), Known(80.0), 10, 40, 0, Thin, None, false),
        (160, Known(100.0), Known(80.0), 0, 40, 0, Either, None, true),
        (160, Known(100.0), Known(80.0), 0, 40, 0, Either, Some("<is> True"), true),
        (160, Known(100.0), Known(80.0), 0, 40, 0, Either, Some("False"), false),
        (80, Known(100.0), Known(80.0), 0, 40, 0, Either, Some("<is> False"), true),
    ];
    for case in cases {
        let (size, total, free, reserved, provisioned, pending, kind, wants, passes) = case;
        let mut request = request(size);
        if let Some(wants) = wants {
            request.extra_specs.insert("thin_provisioning".into(), wants.into());
        }
        let pool = pool_with(|pool| {
            pool.capacity.total_capacity_gb = total;
            pool.capacity.free_capacity_gb = free;
            pool.capacity.reserved_percentage = reserved;
            pool.capacity.provisioned_capacity_gb = provisioned;
            pool.capacity.pending_capacity_gb = pending;
            pool.capacity.thin_provisioning = kind;
        });
        assert_eq!(place(&request, &[pool]).is_ok(), passes, "{case:?}");
    }
}

#[test]
fn each_purpose_leaves_its_own_reserve() {
    let pool = pool_with(|pool| {
        pool.capacity.reserved_percentage = 10;
        pool.capacity.reserved_snapshot_percentage = 20;
        pool.capacity.reserved_share_extend_percentage = 30;
    });
    let name = pool.name.clone();
    let copy = Purpose::CreateFromSnapshot { source: name.clone(), reach: Reach::SamePool };
    let cases = [(Purpose::Create, 70), (copy, 60), (Purpose::Extend { pool: name }, 50)];
    for (purpose, most) in cases {
        for (size_gb, passes) in [(most, true), (most + 1, false)] {
            let request = Request { purpose: purpose.clone(), ..request(size_gb) };
            assert_eq!(place(&request, std::slice::from_ref(&pool)).is_ok(), passes, "{request:?}");
        }
    }
}

#[test]
fn a_share_grows_where_it_is_whatever_its_type_says_now() {
    let mut extend = with_spec("dedupe", "<is> True");
    extend.purpose = Purpose::Extend { pool: "h@b#p".parse().unwrap() };
    extend.availability_zone = Some("elsewhere".into());
    assert_eq!(place(&extend, &[pool("h@a#p"), pool("h@b#p")]).unwrap(), "h@b#p");
}

#[test]
fn a_copy_stays_within_reach_of_its_snapshot() {
    let of_domain = |name: &str, domain: &str| {
        let mut pool = pool(name);
        pool.capabilities.insert("replication_domain".into(), domain.into());
        pool
    };
    let mut pools = vec![
        of_domain("h@source#p", "one"),
        of_domain("h@source#q", "one"),
        of_domain("h@near#p", "one"),
        of_domain("h@far#p", "two"),
    ];
    for pool in &mut pools {
        pool.capabilities.insert("share_backend_name".into(), pool.name.backend().into());
    }
    let mut copy = from_snapshot("h@source#p", Reach::ReplicationDomain);
    // Read only when the share is new: a copy follows its snapshot.
    copy.extra_specs.insert("share_backend_name".into(), "far".into());
    assert_eq!(place(&copy, &pools).unwrap(), "h@source#p");
    assert_eq!(place(&copy, &pools[1..]).unwrap(), "h@source#q");
    assert!(place(&copy, &pools[2..]).is_err(), "the domain of a source that is gone is unknown");
    pools[0].service_enabled = false;
    pools[1].service_enabled = false;
    assert_eq!(place(&copy, &pools).unwrap(), "h@near#p");
    let stay = from_snapshot("h@source#p", Reach::SamePool);
    assert!(place(&stay, &pools).is_err());
}

#[test]
fn the_pool_with_most_room_wins_or_the_one_with_least() {
    let sized = |name: &str, free: Amount| {
        let mut pool = pool(name);
        pool.capacity.free_capacity_gb = free;
        pool
    };
    let mut thin = sized("h@thin#p", Amount::Known(30.0));
    thin.capacity.thin_provisioning = Provisioning::Thin;
    let pools = [
        sized("h@small#p", Amount::Known(20.0)),
        sized("h@unknown#p", Amount::Unknown),
        sized("h@large#p", Amount::Known(90.0)),
        thin,
        sized("h@infinite#p", Amount::Infinite),
    ];
    let ranking = |multiplier: f64| {
        let weights = Weights { capacity: multiplier, ..Weights::default() };
        let mut left = pools.to_vec();
        let mut ranking = Vec::new();
        while let Ok(placement) = schedule(&request(1), &left, weights, 7) {
            left.retain(|pool| pool.name != placement.pool);
            ranking.push(placement.pool.backend().to_owned());
        }
        ranking
    };
    assert_eq!(ranking(1.0), ["infinite", "thin", "large", "small", "unknown"]);
    assert_eq!(ranking(-1.0), ["small", "large", "thin", "infinite", "unknown"]);
}

#[test]
fn equal_pools_share_the_load() {
    let pools = ["h@a#p", "h@b#p", "h@c#p"].map(pool);
    let mut chosen = BTreeMap::new();
    for seed in 0..300 {
        let placement = schedule(&request(1), &pools, Weights::default(), seed).unwrap();
        *chosen.entry(placement.pool).or_insert(0) += 1;
    }
    assert_eq!(chosen.len(), 3);
    assert!(chosen.values().all(|times| *times > 60), "{chosen:?}");
}

#[test]
fn hints_decide_before_there_is_talk_of_room() {
    let pools = ["h@a#p", "h@b#p", "h@c#p"].map(pool);
    let name = |text: &str| text.parse::<PoolName>().unwrap();
    let hinted = |hints| Request { hints, ..request(1) };
    let same = |pools: &[&str]| {
        let same_host = Some(pools.iter().map(|pool| name(pool)).collect());
        hinted(Hints { same_host, ..Hints::default() })
    };
    assert_eq!(place(&same(&["h@b#p"]), &pools).unwrap(), "h@b#p");
    let apart = Hints { different_host: [name("h@a#p"), name("h@c#p")].into(), ..Hints::default() };
    assert_eq!(place(&hinted(apart.clone()), &pools).unwrap(), "h@b#p");
    let both = Hints { same_host: Some([name("h@a#p")].into()), ..apart.clone() };
    let everywhere = pools.iter().map(|pool| pool.name.clone()).collect();
    let nowhere = [
        (same(&[]), Filter::Affinity),
        (same(&["h@gone#p"]), Filter::Affinity),
        (hinted(both), Filter::AntiAffinity),
        (hinted(Hints { different_host: everywhere, ..apart }), Filter::AntiAffinity),
    ];
    for (request, filter) in nowhere {
        assert_eq!(place(&request, &pools).unwrap_err().last_filter(), Some(filter));
    }
}

#[test]
fn an_administrator_may_name_a_pool_out_of_scheduling_but_not_one_that_is_down() {
    let mut pools = ["h@a#p", "h@b#p"].map(pool);
    pools[1].service_enabled = false;
    let only = |host: &str| {
        let hints = Hints { only_host: Some(host.to_owned()), ..Hints::default() };
        Request { hints, ..request(1) }
    };
    assert_eq!(place(&only("h@b#p"), &pools).unwrap(), "h@b#p");
    assert!(place(&only("h@b"), &pools).unwrap_err().to_string().contains("asked for was \"h@b\""));
    pools[1].service_up = false;
    assert!(place(&only("h@b#p"), &pools).is_err());
}

fn with_functions(name: &str, filter: Value, goodness: Value) -> Pool {
    let mut pool = pool(name);
    pool.capabilities.insert(FILTER_FUNCTION.into(), filter);
    pool.capabilities.insert(GOODNESS_FUNCTION.into(), goodness);
    pool
}

#[test]
fn a_filter_function_must_hold_and_have_a_value() {
    let size = |size_gb: i64| {
        let share = Map::from_iter([("size".to_owned(), size_gb.into())]);
        Request { share, ..request(size_gb) }
    };
    let pool = |function: Value| with_functions("h@b#p", function, Value::Null);
    let small = json!("(share.size < 5) and (stats.free_capacity_gb >= 80)");
    assert_eq!(place(&size(4), &[pool(small.clone())]).unwrap(), "h@b#p");
    assert_eq!(place(&size(9), &[pool(Value::Null)]).unwrap(), "h@b#p");
    let host = json!("(stats.host == 'h@b#p') and (capabilities.snapshot_support == 1)");
    assert_eq!(place(&size(9), &[pool(host)]).unwrap(), "h@b#p");
    let cases = [
        (size(5), small, "its filter function \"(share.size < 5) and "),
        (size(1), json!("share.size <"), "its filter function is broken: at character 13"),
        (
            size(1),
            json!("stats.iops > 5"),
            "its filter function is broken: stats.iops is not known",
        ),
        (request(1), json!("share.size < 5"), "share.size is not known"),
    ];
    for (request, function, expected) in cases {
        let told = refusal(&request, pool(function));
        assert!(told.contains(expected), "{told}");
    }
    // One that grows must fit too.
    let extend = Purpose::Extend { pool: "h@b#p".parse().unwrap() };
    let extend = Request { purpose: extend, ..size(5) };
    assert!(place(&extend, &[pool(json!("share.size < 5"))]).is_err());
}

#[test]
fn goodness_decides_between_pools_of_equal_room_and_broken_functions_are_told() {
    let pools = [
        with_functions("h@a#p", Value::Null, json!("share.size < 10 ? 70 : 20")),
        with_functions("h@b#p", Value::Null, json!("60")),
        with_functions("h@c#p", Value::Null, json!("1000")),
        with_functions("h@d#p", json!("1 /"), json!("100")),
        pool("h@e#p"),
    ];
    let chosen = |size_gb: i64| {
        let share = Map::from_iter([("size".to_owned(), size_gb.into())]);
        let request = Request { share, ..request(size_gb) };
        schedule(&request, &pools, Weights::default(), 7).unwrap()
    };
    assert_eq!(chosen(9).pool.backend(), "a");
    let placement = chosen(10);
    assert_eq!(placement.pool.backend(), "b");
    let broken: Vec<String> = placement.broken.iter().map(ToString::to_string).collect();
    assert_eq!(
        broken,
        [
            "goodness_function of pool h@c#p: the goodness is 1000, expected 0 to 100",
            "filter_function of pool h@d#p: at character 4: expected an operand, found the end",
        ]
    );
}
