//! Snapshot instances: lists by page, filters, the fence.

use std::time::Duration;

use abaca_model::{SnapshotInstance, SnapshotInstanceId, SnapshotStatus, Timestamp};
use abaca_store::export_work::NewExportLocation;
use abaca_store::metadata::Pairs;
use abaca_store::snapshot_instances::{self as instances, Filter, Page, Shape, SortKey};
use abaca_store::snapshot_work::{self, SnapshotWork};
use abaca_store::testing::TestDatabase;
use abaca_store::{
    Direction, Error, Position, Tx, retry_conflicts, snapshot_export_locations as locations,
    snapshots,
};

use crate::seed::{self, SeededShare};

crate::on_each_database!(
    pages_of_any_size_put_together_are_the_whole_list,
    lists_are_in_the_order_asked_for,
    each_filter_finds_what_it_names,
    a_row_shows_every_column,
    whoever_takes_over_shuts_out_the_operation_before,
    the_last_instance_takes_the_snapshot_with_it,
    of_two_last_instances_removed_at_once_one_takes_the_snapshot,
    export_locations_that_stay_keep_their_id,
);

const KEYS: [SortKey; 7] = [
    SortKey::CreatedAt,
    SortKey::Id,
    SortKey::ShareId,
    SortKey::ShareInstanceId,
    SortKey::SnapshotId,
    SortKey::Status,
    SortKey::UpdatedAt,
];
const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];

const AVAILABLE: Option<SnapshotStatus> = Some(SnapshotStatus::Available);

fn made(location: &str) -> snapshot_work::Made {
    snapshot_work::Made { provider_location: location.to_owned(), exports: Vec::new() }
}

/// Records that the instance can be mounted under these paths, and whether by administrators only.
async fn export(tx: &mut Tx, id: SnapshotInstanceId, paths: &[(&str, bool)], now: i64) {
    let exports = paths.iter().map(|(path, is_admin_only)| NewExportLocation {
        path: (*path).to_owned(),
        is_admin_only: *is_admin_only,
        preferred: false,
        metadata: Pairs::new(),
    });
    let made = snapshot_work::Made { exports: exports.collect(), ..made("/bytes") };
    let now = Timestamp::from_micros(now);
    assert!(snapshot_work::made(tx, id, 0, &made, None, now).await.unwrap());
}

/// Twenty-three instances with many equal keys and half of the `updated_at` NULL.
async fn many(database: &TestDatabase) -> Vec<SnapshotInstance> {
    let mut tx = database.db.write().await.unwrap();
    let shares =
        [seed::share(&mut tx, "one", "a@b#c").await, seed::share(&mut tx, "two", "a@d#e").await];
    let statuses = [SnapshotStatus::Available, SnapshotStatus::Error, SnapshotStatus::Creating];
    let mut all = Vec::new();
    for number in 0..23_usize {
        let share = shares[number % 2];
        let snapshot = seed::snapshot(share, ["one", "two"][number % 2], "n", number as i64 / 4);
        snapshots::insert(&mut tx, &snapshot).await.unwrap();
        let mut instance = seed::instance(&snapshot, share.instance_id, statuses[number % 3]);
        instance.updated_at =
            number.is_multiple_of(2).then(|| Timestamp::from_micros(number as i64 / 6));
        instances::insert(&mut tx, &instance).await.unwrap();
        all.push(instance);
    }
    tx.commit().await.unwrap();
    all
}

async fn page(
    tx: &mut Tx,
    filter: &Filter,
    (sort_key, direction): (SortKey, Direction),
    after: Option<Position>,
    offset: u64,
    limit: u64,
) -> (Vec<String>, Option<Position>) {
    let page = Page { filter, sort_key, direction, after, offset, limit };
    instances::fold(tx, page, Shape::Summary, Vec::new(), |ids, row| {
        ids.push(row.id.to_owned());
        Ok(())
    })
    .await
    .unwrap()
}

async fn whole(tx: &mut Tx, filter: &Filter, sort: (SortKey, Direction)) -> Vec<String> {
    let (ids, next) = page(tx, filter, sort, None, 0, 1_000).await;
    assert_eq!(next, None);
    ids
}

async fn pages_of_any_size_put_together_are_the_whole_list(database: &TestDatabase) {
    let all = many(database).await;
    let mut tx = database.db.read().await.unwrap();
    let filters = [
        Filter::default(),
        Filter { status: Some(SnapshotStatus::Error), ..Filter::default() },
        Filter { host: Some("a@b".to_owned()), ..Filter::default() },
        Filter { project_id: Some("two".to_owned()), ..Filter::default() },
    ];
    for (filter, sort) in filters.iter().flat_map(|filter| sorts().map(move |sort| (filter, sort)))
    {
        let whole = whole(&mut tx, filter, sort).await;
        for size in [1, 2, 7, 22, 23, 24] {
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let (ids, next) = page(&mut tx, filter, sort, after, 0, size).await;
                pages.extend(ids);
                after = next;
                if after.is_none() {
                    break;
                }
                let last: SnapshotInstanceId = pages.last().unwrap().parse().unwrap();
                let place = instances::position(&mut tx, last, None, sort.0).await.unwrap();
                assert_eq!(place, after, "a place found by id is the place a page ends at");
            }
            assert_eq!(pages, whole, "{sort:?} by {size}");
        }
        let (skipped, _) = page(&mut tx, filter, sort, None, 3, 1_000).await;
        assert_eq!(skipped, whole[3..], "{sort:?}");
    }
    assert_eq!(
        whole(&mut tx, &Filter::default(), (SortKey::Id, Direction::Ascending)).await.len(),
        all.len()
    );
}

fn sorts() -> impl Iterator<Item = (SortKey, Direction)> {
    KEYS.into_iter().flat_map(|key| DIRECTIONS.map(|direction| (key, direction)))
}

async fn lists_are_in_the_order_asked_for(database: &TestDatabase) {
    let mut all = many(database).await;
    let mut tx = database.db.read().await.unwrap();
    for key in KEYS {
        all.sort_by_key(|instance| {
            let value = match key {
                SortKey::CreatedAt => format!("{:03}", instance.created_at.micros()),
                SortKey::Id => String::new(),
                SortKey::ShareId => instance.share_id.to_string(),
                SortKey::ShareInstanceId => instance.share_instance_id.to_string(),
                SortKey::SnapshotId => instance.snapshot_id.to_string(),
                SortKey::Status => instance.status.to_string(),
                // Never comes before ever.
                SortKey::UpdatedAt => instance
                    .updated_at
                    .map_or(String::new(), |time| format!("{:03}", time.micros())),
            };
            (value, instance.id.to_string())
        });
        let mut ids: Vec<_> = all.iter().map(|instance| instance.id.to_string()).collect();
        let filter = Filter::default();
        assert_eq!(whole(&mut tx, &filter, (key, Direction::Ascending)).await, ids, "{key:?}");
        ids.reverse();
        assert_eq!(whole(&mut tx, &filter, (key, Direction::Descending)).await, ids, "{key:?}");
    }
}

async fn found(tx: &mut Tx, filter: Filter) -> Vec<String> {
    let ids = whole(tx, &filter, (SortKey::CreatedAt, Direction::Ascending)).await;
    assert_eq!(instances::count(tx, &filter).await.unwrap(), ids.len() as i64, "{filter:?}");
    ids
}

async fn each_filter_finds_what_it_names(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let one = seed::share(&mut tx, "one", "host@fast#pool").await;
    let two = seed::share(&mut tx, "two", "host@faster#pool").await;
    let three = seed::share(&mut tx, "two", "HOST@fast#pool").await;
    let mut made = Vec::new();
    for (share, project, status, time) in [
        (one, "one", SnapshotStatus::Available, 10),
        (two, "two", SnapshotStatus::Error, 20),
        (three, "three", SnapshotStatus::Available, 30),
    ] {
        let snapshot = seed::snapshot(share, project, "n", time);
        made.push(seed::insert(&mut tx, &snapshot, share, status).await);
    }
    tx.commit().await.unwrap();
    let all = Filter::default();
    let time = |micros| Some(Timestamp::from_micros(micros));
    let host = |host: &str| Filter { host: Some(host.to_owned()), ..all.clone() };
    let project = |id: &str| Filter { project_id: Some(id.to_owned()), ..all.clone() };
    let table: Vec<(Filter, &[usize])> = vec![
        (all.clone(), &[0, 1, 2]),
        (Filter { snapshot_id: Some(made[1].snapshot_id), ..all.clone() }, &[1]),
        (Filter { status: Some(SnapshotStatus::Available), ..all.clone() }, &[0, 2]),
        (Filter { status: Some(SnapshotStatus::Deleting), ..all.clone() }, &[]),
        (Filter { share_id: Some(two.id), ..all.clone() }, &[1]),
        (Filter { share_instance_id: Some(three.instance_id), ..all.clone() }, &[2]),
        (project("three"), &[2]),
        (host("host"), &[0, 1]),
        (host("host@fast"), &[0]),
        (host("host@fast#pool"), &[0]),
        (host("host@fast#other"), &[]),
        (host("hos"), &[]),
        (host("host@fas_"), &[]),
        (Filter { created_since: time(20), ..all.clone() }, &[1, 2]),
        (Filter { created_before: time(20), ..all.clone() }, &[0]),
        (Filter { created_since: time(20), created_before: time(21), ..all.clone() }, &[1]),
        (
            Filter {
                status: Some(SnapshotStatus::Available),
                created_since: time(11),
                ..host("HOST")
            },
            &[2],
        ),
    ];
    let mut tx = database.db.read().await.unwrap();
    for (filter, expected) in table {
        let expected: Vec<_> = expected.iter().map(|index| made[*index].id.to_string()).collect();
        assert_eq!(found(&mut tx, filter.clone()).await, expected, "{filter:?}");
    }
}

async fn one(tx: &mut Tx) -> (SeededShare, SnapshotInstance) {
    let share = seed::share(tx, "project", "host@backend#pool").await;
    let snapshot = seed::snapshot(share, "project", "n", 1_501_807_492_000_042);
    (share, seed::insert(tx, &snapshot, share, SnapshotStatus::Creating).await)
}

async fn a_row_shows_every_column(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let (share, mut instance) = one(&mut tx).await;
    let (now, location) = (Timestamp::from_micros(7), "/data/\u{1f9f6}");
    assert!(
        snapshot_work::made(&mut tx, instance.id, 0, &made(location), AVAILABLE, now)
            .await
            .unwrap()
    );
    instance.status = SnapshotStatus::Available;
    instance.progress = Some("100%".to_owned());
    instance.provider_location = Some(location.to_owned());
    instance.updated_at = Some(now);
    assert_eq!(instances::get(&mut tx, instance.id).await.unwrap(), Some(instance.clone()));
    let filter = Filter::default();
    let (sort_key, direction) = (SortKey::CreatedAt, Direction::Ascending);
    let page = Page { filter: &filter, sort_key, direction, after: None, offset: 0, limit: 1 };
    let expected = instance.clone();
    let (seen, _) = instances::fold(&mut tx, page, Shape::Detail, 0, move |seen, row| {
        let details = row.details.unwrap();
        assert_eq!(row.id, expected.id.to_string());
        assert_eq!(row.snapshot_id, expected.snapshot_id.to_string());
        assert_eq!(row.status, "available");
        assert_eq!(details.created_at, expected.created_at);
        assert_eq!(details.updated_at, expected.updated_at);
        assert_eq!(details.share_id, share.id.to_string());
        assert_eq!(details.share_instance_id, share.instance_id.to_string());
        assert_eq!(details.progress, Some("100%"));
        assert_eq!(details.provider_location, Some("/data/\u{1f9f6}"));
        *seen += 1;
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(seen, 1);
    let (with_owner, owner) =
        instances::get_with_owner(&mut tx, instance.id).await.unwrap().unwrap();
    assert_eq!(with_owner, instance);
    assert_eq!((owner.project_id.as_str(), owner.user_id.as_str()), ("project", "user"));
}

async fn whoever_takes_over_shuts_out_the_operation_before(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let (_, instance) = one(&mut tx).await;
    let now = Timestamp::from_micros(7);
    let locked = instances::get_locked(&mut tx, instance.id).await.unwrap().unwrap();
    let fence = instances::take_over(&mut tx, &locked, SnapshotStatus::Error, now).await.unwrap();
    assert_eq!(fence, 1);
    let work = snapshot_work::load(&mut tx, instance.id).await.unwrap().unwrap();
    assert!(
        !snapshot_work::made(&mut tx, instance.id, 0, &made("/late"), AVAILABLE, now)
            .await
            .unwrap()
    );
    assert!(!snapshot_work::remove(&mut tx, &work, 0).await.unwrap());
    let stands = instances::get(&mut tx, instance.id).await.unwrap().unwrap();
    assert_eq!((stands.status, stands.fence), (SnapshotStatus::Error, 1));
    // Who took over what he saw before it changed must look again.
    let error =
        instances::take_over(&mut tx, &locked, SnapshotStatus::Error, now).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
}

/// A snapshot with two instances.
async fn two(tx: &mut Tx) -> (SeededShare, [SnapshotWork; 2]) {
    let (share, first) = one(tx).await;
    let place = seed::share_instance(tx, share.id, "host@other#pool", Some("in_sync")).await;
    let second = SnapshotInstance {
        id: SnapshotInstanceId::random(),
        share_instance_id: place,
        ..first.clone()
    };
    instances::insert(tx, &second).await.unwrap();
    let first = snapshot_work::load(tx, first.id).await.unwrap().unwrap();
    let second = snapshot_work::load(tx, second.id).await.unwrap().unwrap();
    (share, [first, second])
}

async fn the_last_instance_takes_the_snapshot_with_it(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let (share, [first, second]) = two(&mut tx).await;
    export(&mut tx, first.id, &[("/export", false)], 1).await;
    assert!(snapshot_work::remove(&mut tx, &first, 0).await.unwrap());
    assert!(snapshots::get(&mut tx, first.snapshot_id).await.unwrap().is_some());
    assert!(snapshot_work::remove(&mut tx, &second, 0).await.unwrap());
    assert!(snapshots::get(&mut tx, first.snapshot_id).await.unwrap().is_none());
    assert_eq!(snapshots::count_of_share(&mut tx, share.id).await.unwrap(), 0);
    assert_eq!(locations::all(&mut tx, first.id).await.unwrap(), []);
}

async fn of_two_last_instances_removed_at_once_one_takes_the_snapshot(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let (share, [first, second]) = two(&mut tx).await;
    tx.commit().await.unwrap();
    let mut tx = database.db.write().await.unwrap();
    assert!(snapshot_work::remove(&mut tx, &first, 0).await.unwrap());
    let db = database.db.clone();
    let mut other = tokio::spawn(async move {
        retry_conflicts(|| async {
            let mut tx = db.write().await?;
            assert!(snapshot_work::remove(&mut tx, &second, 0).await?);
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
    assert_eq!(snapshots::count_of_share(&mut tx, share.id).await.unwrap(), 0);
}

async fn export_locations_that_stay_keep_their_id(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let (_, instance) = one(&mut tx).await;
    export(&mut tx, instance.id, &[("/a", false), ("/b", true)], 1).await;
    let old = locations::all(&mut tx, instance.id).await.unwrap();
    export(&mut tx, instance.id, &[("/b", true), ("/c", false)], 2).await;
    let new = locations::all(&mut tx, instance.id).await.unwrap();
    let kept = old.iter().find(|location| location.path == "/b").unwrap();
    assert_eq!(new.len(), 2);
    assert_eq!(&new[0], kept);
    assert_eq!((new[1].path.as_str(), new[1].is_admin_only), ("/c", false));
    assert_eq!(locations::get(&mut tx, instance.id, kept.id).await.unwrap().as_ref(), Some(kept));
    let elsewhere = SnapshotInstanceId::random();
    assert_eq!(locations::get(&mut tx, elsewhere, kept.id).await.unwrap(), None);
}
