//! Which shares in the recycle bin are due.

use std::collections::BTreeSet;
use std::time::Duration;

use abaca_model::{ShareId, ShareStatus, Timestamp};
use abaca_store::testing::TestDatabase;
use abaca_store::{Db, shares};
use sea_query::{Expr, ExprTrait, Query};

use crate::seed;

crate::on_each_database!(what_is_due_is_found, what_fails_is_tried_less_and_less_often);

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

/// A share whose time was over at `end`, with an instance that has had `status` since `changed`.
async fn add(db: &Db, end: Option<Timestamp>, status: ShareStatus, changed: Timestamp) -> ShareId {
    let mut tx = db.write().await.unwrap();
    let id = seed::share(&mut tx, "p", "h@b#p").await.id;
    shares::set_deletion(&mut tx, id, end, NOW).await.unwrap();
    let mut update = Query::update();
    update
        .table("share_instances")
        .value("status", status.as_str())
        .value("updated_at", changed.micros())
        .and_where(Expr::col("share_id").eq(id.to_string()));
    tx.execute(&update).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn expired(db: &Db) -> BTreeSet<ShareId> {
    let mut tx = db.read().await.unwrap();
    let found = shares::expired(&mut tx, NOW, HOUR..=24 * HOUR).await.unwrap();
    let set: BTreeSet<_> = found.iter().copied().collect();
    assert_eq!(set.len(), found.len(), "each once");
    set
}

async fn what_is_due_is_found(database: &TestDatabase) {
    let db = &database.db;
    let long_ago = NOW.before(2 * HOUR);
    let mut due = BTreeSet::new();
    for status in [ShareStatus::Available, ShareStatus::Error, ShareStatus::Inactive] {
        due.insert(add(db, Some(NOW), status, NOW).await);
        due.insert(add(db, Some(long_ago), status, NOW).await);
        add(db, Some(NOW.after(HOUR)), status, NOW).await;
        add(db, None, status, NOW).await;
    }
    add(db, Some(NOW), ShareStatus::Deleting, long_ago).await;
    add(db, Some(NOW), ShareStatus::Extending, long_ago).await;
    assert_eq!(expired(db).await, due);
}

async fn what_fails_is_tried_less_and_less_often(database: &TestDatabase) {
    let db = &database.db;
    let mut due = BTreeSet::new();
    // Hours since its time was over, and since its deletion failed last.
    for (over, failed, is_due) in [
        (0, 0, false),
        (1, 1, true),
        (2, 1, true),
        (3, 1, false),
        (9, 4, false),
        (9, 5, true),
        (500, 23, false),
        (500, 24, true),
    ] {
        let end = Some(NOW.before(over * HOUR));
        let id = add(db, end, ShareStatus::ErrorDeleting, NOW.before(failed * HOUR)).await;
        if is_due {
            due.insert(id);
        }
    }
    assert_eq!(expired(db).await, due);
}
