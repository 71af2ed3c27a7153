//! Shares and their instances: lists, filters, pages.

use std::collections::BTreeMap;
use std::time::Duration;

use abaca_model::{
    AccessRulesStatus, Share, ShareCapabilities, ShareId, ShareInstance, ShareInstanceId,
    ShareStatus, ShareTypeId, Timestamp,
};
use abaca_store::export_work::NewExportLocation;
use abaca_store::shares::{self, Filter, Page, Scope, SortKey};
use abaca_store::testing::TestDatabase;
use abaca_store::{
    Db, Direction, Position, Tx, export_locations, retry_conflicts, share_instances, share_work,
};
use sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

crate::on_each_database!(
    reads_back_what_was_written,
    a_list_has_each_share_once_however_many_rows_it_joins,
    every_filter_finds_what_it_says,
    a_tenant_sees_its_own_and_public_shares,
    pages_follow_each_other_by_every_key,
    a_takeover_raises_the_fence_once,
    instances_are_listed_with_their_exports,
    an_export_that_stays_is_for_whom_the_backend_says_by_now,
    of_two_last_instances_removed_at_once_one_takes_the_share,
);

const START: Timestamp = Timestamp::from_micros(1_000_000_000);

fn type_id() -> ShareTypeId {
    Uuid::from_u128(1).into()
}

fn share(number: u128) -> Share {
    Share {
        id: ShareId::from(Uuid::from_u128(number)),
        project_id: "p".to_owned(),
        user_id: "u".to_owned(),
        name: Some(format!("share {number}")),
        description: None,
        size: 1,
        share_proto: "NFS".to_owned(),
        is_public: false,
        share_type_id: type_id(),
        source_snapshot_id: None,
        capabilities: ShareCapabilities { snapshot_support: true, ..ShareCapabilities::default() },
        metadata: BTreeMap::new(),
        mount_point_name: None,
        task_state: None,
        scheduled_to_be_deleted_at: None,
        created_at: Timestamp::from_micros(START.micros() + i64::try_from(number).unwrap()),
        updated_at: None,
    }
}

fn instance(share: &Share, number: u128) -> ShareInstance {
    ShareInstance {
        id: ShareInstanceId::from(Uuid::from_u128(share.id.uuid().as_u128() * 1_000 + number)),
        share_id: share.id,
        host: Some("h@b#p".to_owned()),
        availability_zone: Some("zone".to_owned()),
        status: ShareStatus::Available,
        access_rules_status: AccessRulesStatus::Active,
        replica_state: None,
        progress: None,
        cast_rules_to_readonly: false,
        fence: 1,
        created_at: share.created_at,
        updated_at: None,
        scheduled_at: None,
        launched_at: None,
    }
}

async fn add_type(tx: &mut Tx) {
    let mut insert = Query::insert();
    insert
        .into_table("share_types")
        .columns(["id", "name", "is_public", "created_at"])
        .values_panic([type_id().to_string().into(), "gold".into(), 1_i64.into(), 0_i64.into()]);
    tx.execute(&insert).await.unwrap();
    let mut insert = Query::insert();
    insert
        .into_table("share_type_extra_specs")
        .columns(["share_type_id", "name", "value"])
        .values_panic([type_id().to_string().into(), "qos".into(), "True".into()])
        .values_panic([type_id().to_string().into(), "thin".into(), "False".into()]);
    tx.execute(&insert).await.unwrap();
}

/// Adds shares, each with one instance.
async fn add(db: &Db, all: &[Share]) {
    let mut tx = db.write().await.unwrap();
    add_type(&mut tx).await;
    for share in all {
        shares::insert(&mut tx, share).await.unwrap();
        share_instances::insert(&mut tx, &instance(share, 1)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn page<'a>(filter: &'a Filter, sort_key: SortKey, direction: Direction, limit: u64) -> Page<'a> {
    Page { filter, sort_key, direction, after: None, offset: 0, limit }
}

/// The numbers of the shares on a page, by the detailed list, and where it goes on.
async fn numbers(db: &Db, page: Page<'_>) -> (Vec<u128>, Option<Position>) {
    let mut tx = db.read().await.unwrap();
    let push = |numbers: &mut Vec<u128>, id: &str| {
        numbers.push(id.parse::<ShareId>().unwrap().uuid().as_u128());
    };
    let detailed =
        shares::fold_details(&mut tx, page.clone(), true, Vec::new(), move |all, row| {
            push(all, row.share.id);
            Ok(())
        });
    let (mut detailed, next) = detailed.await.unwrap();
    detailed.dedup();
    let summary = shares::fold_summaries(&mut tx, page, Vec::new(), move |all, id, _| {
        push(all, id);
        Ok(())
    });
    assert_eq!(summary.await.unwrap(), (detailed.clone(), next.clone()), "the two lists agree");
    (detailed, next)
}

async fn found(db: &Db, filter: &Filter) -> Vec<u128> {
    let (found, _) = numbers(db, page(filter, SortKey::Id, Direction::Ascending, 100)).await;
    let mut tx = db.read().await.unwrap();
    let count = shares::count(&mut tx, filter).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), found.len(), "{filter:?}");
    found
}

async fn reads_back_what_was_written(database: &TestDatabase) {
    let mut written = share(7);
    written.description = Some("Zürich".to_owned());
    written.source_snapshot_id = Some(Uuid::from_u128(9).into());
    written.is_public = true;
    written.capabilities.replication_type = Some("dr".to_owned());
    add(&database.db, std::slice::from_ref(&written)).await;
    let mut tx = database.db.write().await.unwrap();
    assert_eq!(shares::get(&mut tx, written.id).await.unwrap().as_ref(), Some(&written));
    assert_eq!(shares::get_locked(&mut tx, written.id).await.unwrap().as_ref(), Some(&written));
    let expected = instance(&written, 1);
    let of_share = share_instances::of_share_locked(&mut tx, written.id).await.unwrap();
    assert_eq!(of_share.as_slice(), std::slice::from_ref(&expected));
    let (found, share) =
        share_instances::get_with_share(&mut tx, expected.id).await.unwrap().unwrap();
    assert_eq!((found, share.project_id.as_str(), share.is_public), (expected, "p", true));

    let change = shares::Change { name: Some(None), description: None, is_public: Some(false) };
    assert!(shares::update(&mut tx, written.id, &change, START).await.unwrap());
    let changed = shares::get(&mut tx, written.id).await.unwrap().unwrap();
    assert_eq!((changed.name, changed.description.as_deref()), (None, Some("Zürich")));
    assert_eq!((changed.is_public, changed.updated_at), (false, Some(START)));
    assert!(!shares::update(&mut tx, ShareId::random(), &change, START).await.unwrap());
}

async fn a_list_has_each_share_once_however_many_rows_it_joins(database: &TestDatabase) {
    let mut first = share(1);
    first.metadata = [("a", "1"), ("b", "2"), ("c", "3")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    add(&database.db, &[first.clone(), share(2), share(3)]).await;
    let mut tx = database.db.write().await.unwrap();
    share_instances::insert(&mut tx, &instance(&first, 2)).await.unwrap();
    for instance in [instance(&first, 1), instance(&first, 2)] {
        for path in ["/a", "/b"] {
            add_export(&mut tx, &instance, path).await;
        }
    }
    tx.commit().await.unwrap();

    let filter = Filter::all_of(Scope::Everything);
    let (rows, next) =
        numbers(&database.db, page(&filter, SortKey::Host, Direction::Ascending, 1)).await;
    assert_eq!(rows, [1]);
    assert!(next.is_some());
    let (rows, next) =
        numbers(&database.db, page(&filter, SortKey::Host, Direction::Ascending, 3)).await;
    assert_eq!((rows, next), (vec![1, 2, 3], None));

    let mut tx = database.db.read().await.unwrap();
    let rows = shares::show(&mut tx, first.id, true, Vec::new(), |rows: &mut Vec<_>, row| {
        rows.push(format!(
            "{} {:?} {:?}",
            row.place.id.trim_start_matches(['0', '-']),
            row.metadata.unwrap(),
            row.export.unwrap().path
        ));
        Ok(())
    });
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 12, "two instances by three pairs by two exports: {rows:?}");
    let (one, two) = rows.split_at(6);
    assert!(one.iter().all(|row| row.starts_with("3e9 ")), "{one:?}");
    assert!(two.iter().all(|row| row.starts_with("3ea ")), "{two:?}");
    let rows = shares::show(&mut tx, ShareId::random(), false, 0, |rows, _| {
        *rows += 1;
        Ok(())
    });
    assert_eq!(rows.await.unwrap(), 0);
}

async fn add_export(tx: &mut Tx, instance: &ShareInstance, path: &str) -> String {
    let id = Uuid::new_v4().to_string();
    let mut insert = Query::insert();
    insert
        .into_table("share_instance_export_locations")
        .columns(["id", "share_instance_id", "path", "is_admin_only", "preferred", "created_at"])
        .values_panic([
            id.as_str().into(),
            instance.id.to_string().into(),
            path.into(),
            0_i64.into(),
            1_i64.into(),
            0_i64.into(),
        ]);
    tx.execute(&insert).await.unwrap();
    id
}

async fn every_filter_finds_what_it_says(database: &TestDatabase) {
    let mut second = share(2);
    second.name = Some("100%_Ready!".to_owned());
    second.description = Some("Of Alice".to_owned());
    second.source_snapshot_id = Some(Uuid::from_u128(9).into());
    second.metadata =
        BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    add(&database.db, &[share(1), second.clone(), share(3)]).await;
    let mut tx = database.db.write().await.unwrap();
    let mut other = instance(&second, 2);
    other.status = ShareStatus::Error;
    other.host = Some("h@b#q".to_owned());
    other.availability_zone = Some("other".to_owned());
    share_instances::insert(&mut tx, &other).await.unwrap();
    let export = add_export(&mut tx, &other, "/there").await;
    let mut zone = Query::insert();
    zone.into_table("availability_zones").columns(["id", "name", "created_at"]).values_panic([
        "zone-id".into(),
        "other".into(),
        0_i64.into(),
    ]);
    tx.execute(&zone).await.unwrap();
    tx.commit().await.unwrap();

    let all = || Filter::all_of(Scope::Everything);
    let text = |text: &str| Some(text.to_owned());
    let pair = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let both = |one: BTreeMap<_, _>, other: BTreeMap<_, _>| -> BTreeMap<_, _> {
        one.into_iter().chain(other).collect()
    };
    let finds_the_second = [
        Filter { name: text("100%_Ready!"), ..all() },
        Filter { name_like: text("%_ready!"), ..all() },
        Filter { description: text("Of Alice"), ..all() },
        Filter { description_like: text("of a"), ..all() },
        Filter { status: text("error"), ..all() },
        Filter { source_snapshot_id: text(&Uuid::from_u128(9).to_string()), ..all() },
        Filter { host: text("h@b#q"), ..all() },
        Filter { availability_zone: text("other"), ..all() },
        Filter { availability_zone: text("zone-id"), ..all() },
        Filter { export_location_id: text(&export), ..all() },
        Filter { export_location_path: text("/there"), ..all() },
        Filter { metadata: pair("a", "1"), ..all() },
        Filter { metadata: both(pair("a", "1"), pair("b", "2")), ..all() },
        Filter { status: text("error"), host: text("h@b#q"), ..all() },
    ];
    for filter in finds_the_second {
        assert_eq!(found(&database.db, &filter).await, [2], "{filter:?}");
    }
    let specs = both(pair("qos", "True"), pair("thin", "False"));
    let finds_all = [
        all(),
        Filter { extra_specs: specs, ..all() },
        Filter { share_type_id: text(&type_id().to_string()), ..all() },
        Filter { status: text("available"), ..all() },
    ];
    for filter in finds_all {
        assert_eq!(found(&database.db, &filter).await, [1, 2, 3], "{filter:?}");
    }
    let finds_none = [
        Filter { name: text("100%_ready!"), ..all() },
        Filter { name_like: text("1__%"), ..all() },
        Filter { status: text("Error"), ..all() },
        // One instance must have both.
        Filter { status: text("error"), host: text("h@b#p"), ..all() },
        Filter { host: text("h@b"), ..all() },
        Filter { metadata: both(pair("a", "1"), pair("b", "3")), ..all() },
        Filter { extra_specs: pair("qos", "true"), ..all() },
        Filter { export_location_path: text("/ther"), ..all() },
    ];
    for filter in finds_none {
        assert_eq!(found(&database.db, &filter).await, [], "{filter:?}");
    }
}

async fn a_tenant_sees_its_own_and_public_shares(database: &TestDatabase) {
    let mut public = share(2);
    public.project_id = "other".to_owned();
    public.is_public = true;
    let mut foreign = share(3);
    foreign.project_id = "other".to_owned();
    add(&database.db, &[share(1), public, foreign.clone()]).await;
    let own = Filter::all_of(Scope::Project("p".to_owned()));
    let with_public = Filter::all_of(Scope::ProjectAndPublic("p".to_owned()));
    assert_eq!(found(&database.db, &own).await, [1]);
    assert_eq!(found(&database.db, &with_public).await, [1, 2]);
    assert_eq!(found(&database.db, &Filter::all_of(Scope::Project(String::new()))).await, []);
    let mut tx = database.db.read().await.unwrap();
    let position = shares::position(&mut tx, foreign.id, &with_public, SortKey::Host);
    assert_eq!(position.await.unwrap(), None, "no marker tells of a share that can't be seen");
}

async fn pages_follow_each_other_by_every_key(database: &TestDatabase) {
    let all: Vec<_> = (1..=9)
        .map(|number| {
            let mut share = share(number);
            share.name = (number % 3 != 0).then(|| format!("n{}", number % 2));
            share.description = (number % 4 != 0).then(|| "same".to_owned());
            share.size = i64::try_from(number % 4).unwrap();
            share.is_public = number % 2 == 0;
            share.updated_at = (number % 2 == 0).then_some(START);
            share
        })
        .collect();
    add(&database.db, &all).await;
    let mut tx = database.db.write().await.unwrap();
    let mut update = Query::update();
    update
        .table("share_instances")
        .value("host", None::<String>)
        .and_where(Expr::col("share_id").is_in([share(2).id.to_string(), share(5).id.to_string()]));
    tx.execute(&update).await.unwrap();
    tx.commit().await.unwrap();

    let keys = [
        SortKey::AvailabilityZone,
        SortKey::CreatedAt,
        SortKey::Description,
        SortKey::Host,
        SortKey::Id,
        SortKey::IsPublic,
        SortKey::Name,
        SortKey::ProjectId,
        SortKey::ShareProto,
        SortKey::ShareTypeId,
        SortKey::Size,
        SortKey::SourceSnapshotId,
        SortKey::Status,
        SortKey::UpdatedAt,
        SortKey::UserId,
    ];
    let filter = Filter::all_of(Scope::Everything);
    for key in keys {
        let mut ascending = Vec::new();
        for direction in [Direction::Ascending, Direction::Descending] {
            let (whole, next) = numbers(&database.db, page(&filter, key, direction, 9)).await;
            assert_eq!((whole.len(), next), (9, None), "{key:?}");
            let mut pages = Vec::new();
            let mut next = page(&filter, key, direction, 2);
            loop {
                let (some, position) = numbers(&database.db, next.clone()).await;
                pages.extend(some);
                match position {
                    Some(position) => next.after = Some(position),
                    None => break,
                }
            }
            assert_eq!(pages, whole, "{key:?} {direction:?}");
            let mut from_third = page(&filter, key, direction, 9);
            from_third.offset = 2;
            assert_eq!(numbers(&database.db, from_third).await.0, whole[2..], "{key:?}");
            match direction {
                Direction::Ascending => ascending = whole,
                Direction::Descending => {
                    ascending.reverse();
                    assert_eq!(whole, ascending, "{key:?}");
                }
            }
        }
        let mut tx = database.db.read().await.unwrap();
        assert!(shares::position(&mut tx, share(2).id, &filter, key).await.unwrap().is_some());
    }
}

async fn a_takeover_raises_the_fence_once(database: &TestDatabase) {
    add(&database.db, &[share(1)]).await;
    let seen = instance(&share(1), 1);
    let mut tx = database.db.write().await.unwrap();
    let fence = share_instances::take_over(&mut tx, &seen, ShareStatus::Error, START).await;
    assert_eq!(fence.unwrap(), 2);
    let late = share_instances::take_over(&mut tx, &seen, ShareStatus::Deleting, START).await;
    assert!(late.unwrap_err().is_conflict());
    let now = share_instances::get_locked(&mut tx, seen.id).await.unwrap().unwrap();
    assert_eq!((now.status, now.fence, now.updated_at), (ShareStatus::Error, 2, Some(START)));
}

async fn instances_are_listed_with_their_exports(database: &TestDatabase) {
    add(&database.db, &[share(1), share(2)]).await;
    let mut tx = database.db.write().await.unwrap();
    add_export(&mut tx, &instance(&share(1), 1), "/a").await;
    add_export(&mut tx, &instance(&share(1), 1), "/b").await;
    tx.commit().await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let all = share_instances::Filter::default;
    let cases = [
        (all(), 3),
        (share_instances::Filter { host: text("h@b"), ..all() }, 3),
        (share_instances::Filter { host: text("h@b#p"), ..all() }, 3),
        (share_instances::Filter { host: text("H@b"), ..all() }, 0),
        (share_instances::Filter { host: text("h@"), ..all() }, 0),
        (share_instances::Filter { status: text("error"), ..all() }, 0),
        (share_instances::Filter { share_id: text(&share(2).id.to_string()), ..all() }, 1),
        (share_instances::Filter { export_location_path: text("/b"), ..all() }, 2),
    ];
    let mut tx = database.db.read().await.unwrap();
    for (filter, expected) in cases {
        let page = share_instances::Page {
            filter: &filter,
            with_exports: true,
            after: None,
            offset: 0,
            limit: 9,
        };
        let (rows, next) = share_instances::fold(&mut tx, page, 0, |rows, _| {
            *rows += 1;
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!((rows, next), (expected, None), "{filter:?}");
    }
    let filter = all();
    let mut page = share_instances::Page {
        filter: &filter,
        with_exports: false,
        after: None,
        offset: 0,
        limit: 1,
    };
    let ids = |ids: &mut Vec<String>, row: &share_instances::ListedInstance<'_>| {
        ids.push(row.id.to_owned());
        Ok(())
    };
    let (first, next) =
        share_instances::fold(&mut tx, page.clone(), Vec::new(), ids).await.unwrap();
    page.after = next;
    let (second, end) = share_instances::fold(&mut tx, page, first, ids).await.unwrap();
    let expected = [share(1), share(2)].map(|share| instance(&share, 1).id.to_string());
    assert_eq!((second.as_slice(), end), (expected.as_slice(), None));
}

async fn an_export_that_stays_is_for_whom_the_backend_says_by_now(database: &TestDatabase) {
    add(&database.db, &[share(1)]).await;
    let mut tx = database.db.write().await.unwrap();
    let id = instance(&share(1), 1).id;
    let mut ids = Vec::new();
    for is_admin_only in [false, true, false] {
        let export = NewExportLocation {
            path: "/a".to_owned(),
            is_admin_only,
            preferred: false,
            metadata: BTreeMap::new(),
        };
        share_work::record_exports(&mut tx, id, &[export], START).await.unwrap();
        let found = export_locations::of_instance(&mut tx, id).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].is_admin_only, is_admin_only);
        ids.push(found[0].id);
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "it is the same one: {ids:?}");
}

async fn of_two_last_instances_removed_at_once_one_takes_the_share(database: &TestDatabase) {
    let share = share(1);
    add(&database.db, std::slice::from_ref(&share)).await;
    let mut tx = database.db.write().await.unwrap();
    let [first, second] = [instance(&share, 1), instance(&share, 2)];
    share_instances::insert(&mut tx, &second).await.unwrap();
    let first = share_work::load(&mut tx, first.id).await.unwrap().unwrap();
    let second = share_work::load(&mut tx, second.id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.db.write().await.unwrap();
    assert!(share_work::remove(&mut tx, &first, 1).await.unwrap());
    let db = database.db.clone();
    let mut other = tokio::spawn(async move {
        retry_conflicts(|| async {
            let mut tx = db.write().await?;
            assert!(share_work::remove(&mut tx, &second, 1).await?);
            tx.commit().await
        })
        .await
    });
    // It has to wait for the first: without that it would be done by now.
    let ended = tokio::time::timeout(Duration::from_millis(200), &mut other).await;
    assert!(ended.is_err(), "both saw the other one's instance");
    tx.commit().await.unwrap();
    other.await.unwrap().unwrap();
    let mut tx = database.db.read().await.unwrap();
    assert_eq!(shares::get(&mut tx, share.id).await.unwrap(), None);
}
