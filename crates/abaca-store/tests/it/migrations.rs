//! One process migrates at a time, and a second run finds nothing to do.

use abaca_store::testing::TestDatabase;
use abaca_store::{Db, MigrationStatus};
use sea_query::{Expr, Query};

crate::on_each_database!(are_recorded, run_once_however_many_start, of_a_later_release_are_told);

async fn are_recorded(database: &TestDatabase) {
    let migrations = database.db.migrations().await.unwrap();
    assert_eq!(migrations[0].version, 1);
    let done = |migration: &MigrationStatus| migration.known && migration.applied_at.is_some();
    assert!(migrations.iter().all(done), "{migrations:?}");
}

async fn run_once_however_many_start(database: &TestDatabase) {
    let others = (0..4).map(|_| {
        let url = database.url.clone();
        tokio::spawn(async move { Db::open(&url, 1).unwrap().migrate().await })
    });
    for other in others.collect::<Vec<_>>() {
        assert_eq!(other.await.unwrap().unwrap(), []);
    }
}

async fn of_a_later_release_are_told(database: &TestDatabase) {
    let insert = Query::insert()
        .into_table("refinery_schema_history")
        .columns(["version", "name", "applied_on", "checksum"])
        .values_panic([
            Expr::cust("9999"),
            Expr::cust("'later'"),
            Expr::cust("'2030-01-02T03:04:05Z'"),
            Expr::cust("'1'"),
        ])
        .take();
    let mut tx = database.db.write().await.unwrap();
    tx.execute(&insert).await.unwrap();
    tx.commit().await.unwrap();
    let migrations = database.db.migrations().await.unwrap();
    let last = migrations.last().unwrap();
    assert_eq!((last.version, last.name.as_str(), last.known), (9999, "later", false));
    assert!(last.applied_at.is_some());
    assert!(database.db.migrate().await.is_err(), "an old program leaves a new schema alone");
}
