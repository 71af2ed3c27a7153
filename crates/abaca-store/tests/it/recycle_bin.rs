//! Which shares in the recycle bin are due.

use std::time::Duration;

use abaca_model::{ShareId, ShareStatus, Timestamp};
use abaca_store::testing::TestDatabase;
use abaca_store::{Db, shares};
use sea_query::{Expr, ExprTrait, Query};

use crate::seed;

crate::on_each_database!(what_is_due_is_found_once_in_pages);

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

async fn what_is_due_is_found_once_in_pages(database: &TestDatabase) {
    let db = &database.db;
    let long_ago = NOW.before(2 * HOUR);
    let mut due = Vec::new();
    for status in [ShareStatus::Available, ShareStatus::Error, ShareStatus::Inactive] {
        due.push(add(db, Some(NOW), status, NOW).await);
        due.push(add(db, Some(long_ago), status, NOW).await);
        add(db, Some(NOW.after(HOUR)), status, NOW).await;
        add(db, None, status, NOW).await;
    }
    due.push(add(db, Some(NOW), ShareStatus::ErrorDeleting, long_ago).await);
    add(db, Some(NOW), ShareStatus::ErrorDeleting, NOW).await;
    add(db, Some(NOW), ShareStatus::Deleting, long_ago).await;
    add(db, Some(NOW), ShareStatus::Extending, long_ago).await;
    due.sort();

    let mut tx = db.read().await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = shares::expired(&mut tx, NOW, NOW.before(HOUR), after, 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(*last);
        found.extend(page);
    }
    assert_eq!(found, due);
}
