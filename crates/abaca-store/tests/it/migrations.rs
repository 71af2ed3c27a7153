//! One process migrates at a time, and a second run finds nothing to do.

use abaca_store::Db;
use abaca_store::testing::TestDatabase;

crate::on_each_database!(are_recorded, run_once_however_many_start);

async fn are_recorded(database: &TestDatabase) {
    let migrations = database.db.migrations().await.unwrap();
    assert_eq!(migrations[0].version, 1);
    assert!(migrations.iter().all(|migration| migration.applied_at.is_some()), "{migrations:?}");
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
