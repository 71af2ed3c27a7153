//! Snapshots: their status, filters, pages.

use abaca_model::{Snapshot, SnapshotStatus, Timestamp};
use abaca_store::snapshots::{self, Change, Filter, Page, SnapshotWithStatus, SortKey};
use abaca_store::testing::TestDatabase;
use abaca_store::{Direction, Position, Tx, snapshot_instances};
use sea_query::{Expr, ExprTrait, Query};

use crate::seed;

crate::on_each_database!(
    a_snapshot_reads_back_with_its_status,
    the_status_is_that_of_the_replicas_with_current_data,
    each_filter_finds_what_it_names,
    pages_of_any_size_put_together_are_the_whole_list,
    a_change_leaves_the_rest,
);

async fn a_snapshot_reads_back_with_its_status(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let share = seed::share(&mut tx, "project", "host@backend#pool").await;
    let mut snapshot = seed::snapshot(share, "project", "\u{1f9f6}", 1_501_807_492_000_042);
    snapshot.metadata.insert("key".to_owned(), "value".to_owned());
    assert_eq!(snapshots::get(&mut tx, snapshot.id).await.unwrap(), None);
    snapshots::insert(&mut tx, &snapshot).await.unwrap();
    assert_eq!(snapshots::get(&mut tx, snapshot.id).await.unwrap(), None, "it is nowhere yet");
    let mut instance = seed::instance(&snapshot, share.instance_id, SnapshotStatus::Error);
    instance.provider_location = Some("/data/x".to_owned());
    snapshot_instances::insert(&mut tx, &instance).await.unwrap();
    let expected = SnapshotWithStatus {
        snapshot: snapshot.clone(),
        status: SnapshotStatus::Error,
        provider_location: Some("/data/x".to_owned()),
    };
    assert_eq!(snapshots::get(&mut tx, snapshot.id).await.unwrap(), Some(expected));
}

async fn the_status_is_that_of_the_replicas_with_current_data(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let share = seed::share(&mut tx, "project", "host@backend#pool").await;
    let active = seed::share_instance(&mut tx, share.id, "a@b#c", Some("active")).await;
    let in_sync = seed::share_instance(&mut tx, share.id, "a@b#d", Some("in_sync")).await;
    let snapshot = seed::snapshot(share, "project", "n", 1);
    snapshots::insert(&mut tx, &snapshot).await.unwrap();
    for (place, status, location) in [
        (share.instance_id, SnapshotStatus::Error, "stale"),
        (active, SnapshotStatus::Available, "active"),
        (in_sync, SnapshotStatus::Creating, "in_sync"),
    ] {
        let mut instance = seed::instance(&snapshot, place, status);
        instance.provider_location = Some(location.to_owned());
        snapshot_instances::insert(&mut tx, &instance).await.unwrap();
    }
    let found = snapshots::get(&mut tx, snapshot.id).await.unwrap().unwrap();
    assert_eq!(found.status, SnapshotStatus::Creating);
    assert_eq!(found.provider_location.as_deref(), Some("active"));
}

async fn list(
    tx: &mut Tx,
    filter: &Filter,
    (sort_key, direction): (SortKey, Direction),
    after: Option<Position>,
    limit: u64,
) -> (Vec<Snapshot>, Option<Position>) {
    let page = Page { filter, sort_key, direction, after, offset: 0, limit };
    let (found, next) = snapshots::list(tx, page).await.unwrap();
    (found.into_iter().map(|found| found.snapshot).collect(), next)
}

async fn three(database: &TestDatabase) -> Vec<Snapshot> {
    let mut tx = database.db.write().await.unwrap();
    let share = seed::share(&mut tx, "one", "host@backend#pool").await;
    let other = seed::share(&mut tx, "two", "host@backend#pool").await;
    let mut first = seed::snapshot(share, "one", "Nightly_1", 10);
    first.metadata = [("a", "1"), ("b", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let mut second = seed::snapshot(share, "one", "nightly%2", 20);
    second.description = Some("before the MOVE".to_owned());
    second.metadata = [("a".to_owned(), "2".to_owned())].into();
    let mut third = seed::snapshot(other, "two", "weekly", 30);
    (third.size, third.share_size) = (5, 6);
    third.share_proto = "CIFS".to_owned();
    third.user_id = "other".to_owned();
    for (snapshot, share, status) in [
        (&first, share, SnapshotStatus::Available),
        (&second, share, SnapshotStatus::Error),
        (&third, other, SnapshotStatus::Available),
    ] {
        seed::insert(&mut tx, snapshot, share, status).await;
    }
    let from_third = Query::update()
        .table("shares")
        .value("source_snapshot_id", third.id.to_string())
        .and_where(Expr::col("id").eq(share.id.to_string()))
        .to_owned();
    tx.execute(&from_third).await.unwrap();
    tx.commit().await.unwrap();
    vec![first, second, third]
}

async fn each_filter_finds_what_it_names(database: &TestDatabase) {
    let made = three(database).await;
    let all = Filter::default();
    let some = |text: &str| Some(text.to_owned());
    let metadata = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Filter { metadata: pairs, ..Filter::default() }
    };
    let name_like = |part: &str| Filter { name_like: some(part), ..Filter::default() };
    let table: Vec<(Filter, &[usize])> = vec![
        (all.clone(), &[0, 1, 2]),
        (Filter { project_id: some("one"), ..all.clone() }, &[0, 1]),
        (Filter { id: Some(made[1].id.to_string()), ..all.clone() }, &[1]),
        (Filter { id: some(""), ..all.clone() }, &[]),
        (Filter { user_id: some("other"), ..all.clone() }, &[2]),
        (Filter { share_id: Some(made[2].share_id.to_string()), ..all.clone() }, &[2]),
        (Filter { name: some("weekly"), ..all.clone() }, &[2]),
        (Filter { name: some("Weekly"), ..all.clone() }, &[]),
        (Filter { description: some("before the MOVE"), ..all.clone() }, &[1]),
        (name_like("NIGHT"), &[0, 1]),
        (name_like("%"), &[1]),
        (name_like("_"), &[0]),
        (name_like("!"), &[]),
        (Filter { description_like: some("the move"), ..all.clone() }, &[1]),
        (Filter { status: some("available"), ..all.clone() }, &[0, 2]),
        (Filter { status: some("nope"), ..all.clone() }, &[]),
        (Filter { size: Some(5), ..all.clone() }, &[2]),
        (Filter { share_size: Some(6), ..all.clone() }, &[2]),
        (Filter { share_proto: some("CIFS"), ..all.clone() }, &[2]),
        (metadata(&[("a", "1")]), &[0]),
        (metadata(&[("a", "1"), ("b", "2")]), &[0]),
        (metadata(&[("a", "2"), ("b", "2")]), &[]),
        (Filter { used: Some(true), ..all.clone() }, &[2]),
        (Filter { used: Some(false), ..all.clone() }, &[0, 1]),
        (Filter { project_id: some("one"), size: Some(1), ..name_like("1") }, &[0]),
    ];
    let mut tx = database.db.read().await.unwrap();
    for (filter, expected) in table {
        let sort = (SortKey::CreatedAt, Direction::Ascending);
        let (found, next) = list(&mut tx, &filter, sort, None, 1_000).await;
        let expected: Vec<_> = expected.iter().map(|index| made[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(next, None);
        let count = snapshots::count(&mut tx, &filter).await.unwrap();
        assert_eq!(count, expected.len() as i64, "{filter:?}");
    }
}

async fn pages_of_any_size_put_together_are_the_whole_list(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let share = seed::share(&mut tx, "one", "host@backend#pool").await;
    for number in 0..11_i64 {
        let mut snapshot = seed::snapshot(share, "one", "n", number / 3);
        snapshot.name = (number % 2 == 0).then(|| format!("n{}", number / 4));
        snapshot.description = (number % 3 == 0).then(|| "d".to_owned());
        snapshot.updated_at = (number % 4 == 0).then(|| Timestamp::from_micros(number));
        snapshot.size = number % 3;
        seed::insert(&mut tx, &snapshot, share, SnapshotStatus::Available).await;
    }
    tx.commit().await.unwrap();
    let keys = [
        SortKey::CreatedAt,
        SortKey::Description,
        SortKey::Id,
        SortKey::Name,
        SortKey::ProjectId,
        SortKey::ShareId,
        SortKey::ShareProto,
        SortKey::ShareSize,
        SortKey::Size,
        SortKey::UpdatedAt,
        SortKey::UserId,
    ];
    let mut tx = database.db.read().await.unwrap();
    let filter = Filter::default();
    for sort in keys.into_iter().flat_map(|key| {
        [Direction::Ascending, Direction::Descending].map(|direction| (key, direction))
    }) {
        let (whole, _) = list(&mut tx, &filter, sort, None, 1_000).await;
        assert_eq!(whole.len(), 11);
        for size in [1, 4, 10, 11] {
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let (found, next) = list(&mut tx, &filter, sort, after, size).await;
                pages.extend(found);
                after = next;
                if after.is_none() {
                    break;
                }
                let last = pages.last().unwrap().id;
                assert_eq!(snapshots::position(&mut tx, last, None, sort.0).await.unwrap(), after);
            }
            assert_eq!(pages, whole, "{sort:?} by {size}");
        }
    }
}

async fn a_change_leaves_the_rest(database: &TestDatabase) {
    let made = three(database).await;
    let mut tx = database.db.write().await.unwrap();
    let change = Change { name: Some(None), description: None };
    let now = Timestamp::from_micros(99);
    assert!(snapshots::update(&mut tx, made[1].id, &change, now).await.unwrap());
    let changed = snapshots::get(&mut tx, made[1].id).await.unwrap().unwrap().snapshot;
    let expected = Snapshot { name: None, updated_at: Some(now), ..made[1].clone() };
    assert_eq!(changed, expected);
    let nobody = abaca_model::SnapshotId::random();
    assert!(!snapshots::update(&mut tx, nobody, &change, now).await.unwrap());
}
