//! The store, the same tests on SQLite, PostgreSQL and MariaDB.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod layer;
mod migrations;
mod operations;
mod quota;
mod recycle_bin;
mod seed;
mod services;
mod share_types;
mod shares;
mod snapshot_instances;
mod snapshots;

/// Makes a test of each async function of a module for each of the three databases.
macro_rules! on_each_database {
    ($($test:ident),* $(,)?) => {
        mod sqlite { $crate::on_each_database!(@ Sqlite, $($test)*); }
        mod postgres { $crate::on_each_database!(@ Postgres, $($test)*); }
        mod mariadb { $crate::on_each_database!(@ Mysql, $($test)*); }
    };
    (@ $dialect:ident, $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let database = abaca_store::testing::TestDatabase::create(abaca_store::Dialect::$dialect)
                .await
                .unwrap();
            super::$test(&database).await;
            database.remove().await.unwrap();
        }
    )*};
}
pub(crate) use on_each_database;
