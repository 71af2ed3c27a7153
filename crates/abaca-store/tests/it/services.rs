//! Services, their zones and the pools they report.

use std::time::Duration;

use abaca_model::{ShareId, ShareInstanceId, ShareType, ShareTypeId, Timestamp};
use abaca_store::services::{self, SHARE_BINARY};
use abaca_store::testing::TestDatabase;
use abaca_store::{Tx, availability_zones, share_types};
use sea_query::Query;
use serde_json::{Map, Value, json};

crate::on_each_database!(
    a_heartbeat_registers_and_renews,
    only_zones_with_an_enabled_service_are_in_use,
    pools_are_replaced_by_each_report,
    pools_know_what_was_put_into_them,
);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

async fn beat(tx: &mut Tx, host: &str, zone: &str, seconds: i64) {
    services::heartbeat(tx, host, SHARE_BINARY, zone, at(seconds)).await.unwrap();
}

fn report(free: i64) -> Map<String, Value> {
    let report = json!({"total_capacity_gb": 100, "free_capacity_gb": free, "vendor_name": "x"});
    report.as_object().unwrap().clone()
}

async fn a_heartbeat_registers_and_renews(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    beat(&mut tx, "h@a", "one", 1).await;
    beat(&mut tx, "h@b", "one", 2).await;
    beat(&mut tx, "h@a", "two", 3).await;
    let listed = services::list(&mut tx).await.unwrap();
    let shown: Vec<_> = listed
        .iter()
        .map(|service| (service.id, service.host.as_str(), service.availability_zone.as_str()))
        .collect();
    assert_eq!(shown, [(1, "h@a", "two"), (2, "h@b", "one")]);
    assert_eq!((listed[0].created_at, listed[0].heartbeat_at), (at(1), at(3)));

    assert!(services::set_disabled(&mut tx, 1, true, Some("why")).await.unwrap());
    assert!(!services::set_disabled(&mut tx, 9, true, None).await.unwrap());
    beat(&mut tx, "h@a", "two", 4).await;
    let found = services::find(&mut tx, "h@a", SHARE_BINARY).await.unwrap().unwrap();
    assert_eq!((found.disabled, found.disabled_reason.as_deref()), (true, Some("why")));
    assert!(services::find(&mut tx, "h@a", "manila-data").await.unwrap().is_none());
}

async fn only_zones_with_an_enabled_service_are_in_use(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    for (host, zone) in [("h@a", "zb"), ("h@b", "za"), ("h@c", "zc"), ("h@d", "za")] {
        beat(&mut tx, host, zone, 1).await;
    }
    services::set_disabled(&mut tx, 3, true, None).await.unwrap();
    let zones = availability_zones::in_use(&mut tx).await.unwrap();
    let names: Vec<_> = zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(names, ["za", "zb"]);
    let by_name = availability_zones::by_name_or_id(&mut tx, "zc").await.unwrap().unwrap();
    let id = by_name.id.to_string();
    assert_eq!(availability_zones::by_name_or_id(&mut tx, &id).await.unwrap(), Some(by_name));
    assert!(availability_zones::by_name_or_id(&mut tx, "zd").await.unwrap().is_none());
}

async fn pools_are_replaced_by_each_report(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    beat(&mut tx, "h@a", "one", 1).await;
    beat(&mut tx, "h@b", "one", 1).await;
    let first = [("h@a#x".to_owned(), report(5)), ("h@a#y".to_owned(), report(6))];
    services::report_pools(&mut tx, "h@a", &first, at(2)).await.unwrap();
    services::report_pools(&mut tx, "h@b", &[("h@b#z".to_owned(), report(7))], at(2))
        .await
        .unwrap();
    let second = [("h@a#x".to_owned(), report(4))];
    services::report_pools(&mut tx, "h@a", &second, at(3)).await.unwrap();

    let pools = services::pools(&mut tx).await.unwrap();
    let names: Vec<_> = pools.iter().map(|pool| pool.name.as_str()).collect();
    assert_eq!(names, ["h@a#x", "h@b#z"]);
    assert_eq!((&pools[0].report, pools[0].reported_at), (&report(4), at(3)));
    assert_eq!((pools[0].provisioned_gb, pools[0].pending_gb), (0, 0));
    let pool = pools[0].pool(at(61), Duration::from_secs(60)).unwrap();
    assert!(pool.service_up && pool.service_enabled);
    assert!(!pools[0].pool(at(62), Duration::from_secs(60)).unwrap().service_up);

    services::report_pools(&mut tx, "h@a", &[], at(4)).await.unwrap();
    assert_eq!(services::pools(&mut tx).await.unwrap().len(), 1);
}

async fn pools_know_what_was_put_into_them(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    beat(&mut tx, "h@a", "one", 1).await;
    services::report_pools(&mut tx, "h@a", &[("h@a#x".to_owned(), report(5))], at(10))
        .await
        .unwrap();
    for (size, scheduled_at) in [(3, Some(at(9))), (4, Some(at(11))), (7, None)] {
        put_share(&mut tx, size, "h@a#x", scheduled_at).await;
    }
    put_share(&mut tx, 20, "h@a#other", Some(at(11))).await;
    let pools = services::pools(&mut tx).await.unwrap();
    assert_eq!((pools[0].provisioned_gb, pools[0].pending_gb), (14, 4));

    // What they grow by counts as well, whatever they grow for.
    let mut grow = Query::update();
    grow.table("shares").value("requested_size", 10_i64);
    tx.execute(&grow).await.unwrap();
    for (status, provisioned, pending) in
        [("extending", 30, 20), ("reverting", 30, 20), ("shrinking", 14, 4)]
    {
        let mut update = Query::update();
        update.table("share_instances").value("status", status);
        tx.execute(&update).await.unwrap();
        let pools = services::pools(&mut tx).await.unwrap();
        let sums = (pools[0].provisioned_gb, pools[0].pending_gb);
        assert_eq!(sums, (provisioned, pending), "{status}");
    }
}

async fn put_share(tx: &mut Tx, size: i64, host: &str, scheduled_at: Option<Timestamp>) {
    let share_type = ShareType {
        id: ShareTypeId::random(),
        name: ShareTypeId::random().to_string(),
        description: None,
        is_public: true,
        extra_specs: std::collections::BTreeMap::new(),
        created_at: at(0),
        updated_at: None,
    };
    share_types::insert(tx, &share_type).await.unwrap();
    let share_id = ShareId::random().to_string();
    let mut share = Query::insert();
    share.into_table("shares").columns([
        "id",
        "project_id",
        "user_id",
        "size",
        "share_proto",
        "is_public",
        "share_type_id",
        "snapshot_support",
        "create_share_from_snapshot_support",
        "revert_to_snapshot_support",
        "mount_snapshot_support",
        "created_at",
    ]);
    share.values_panic([
        share_id.as_str().into(),
        "p".into(),
        "u".into(),
        size.into(),
        "NFS".into(),
        0_i64.into(),
        share_type.id.to_string().into(),
        1_i64.into(),
        1_i64.into(),
        1_i64.into(),
        1_i64.into(),
        0_i64.into(),
    ]);
    tx.execute(&share).await.unwrap();
    let instance = Query::insert()
        .into_table("share_instances")
        .columns([
            "id",
            "share_id",
            "host",
            "status",
            "access_rules_status",
            "cast_rules_to_readonly",
            "fence",
            "created_at",
            "scheduled_at",
        ])
        .values_panic([
            ShareInstanceId::random().to_string().into(),
            share_id.into(),
            host.into(),
            "available".into(),
            "active".into(),
            0_i64.into(),
            0_i64.into(),
            0_i64.into(),
            scheduled_at.map(Timestamp::micros).into(),
        ])
        .take();
    tx.execute(&instance).await.unwrap();
}
