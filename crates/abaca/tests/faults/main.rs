//! Faults: the process killed at every step of every operation, backends that fail, and an
//! administrator's reset in the middle. The real binary, real databases, real bytes.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod access_rules;
mod backend_failures;
mod btrfs;
mod commits;
mod deferred;
mod ensures;
mod kills;
mod migrations;
mod overlaps;
mod recycle_bin;
mod replicas;
mod resets;
mod reverts;
mod service;
mod story;
mod takeovers;
mod tree;

/// Makes a test of each async function of a module for each database there is.
///
/// Each test runs on all of them. Where it goes through moments of a step, SQLite has all, and the
/// servers share out what is about the backend (`story::moments`, `overlaps::moments`).
macro_rules! on_each_database {
    ($($test:ident),* $(,)?) => {
        mod sqlite { $crate::on_each_database!(@ Sqlite, $($test)*); }
        $crate::on_each_database!(@ servers $($test),*);
    };
    // What SQLite has no part in: connections that break.
    (@ servers $($test:ident),* $(,)?) => {
        mod postgres { $crate::on_each_database!(@ Postgres, $($test)*); }
        mod mariadb { $crate::on_each_database!(@ Mysql, $($test)*); }
    };
    (@ $dialect:ident, $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::$test(abaca_store::Dialect::$dialect).await;
            $crate::service::drop_spare_databases(abaca_store::Dialect::$dialect).await;
        }
    )*};
}
pub(crate) use on_each_database;
