//! Faults: the process killed at every step of every operation, backends that fail, and an
//! administrator's reset in the middle. The real binary, real databases, real bytes.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod access_rules;
mod backend_failures;
mod btrfs;
mod deferred;
mod ensures;
mod kills;
mod migrations;
mod recycle_bin;
mod replicas;
mod resets;
mod reverts;
mod service;
mod story;
mod takeovers;

/// Makes a test of each async function of a module for SQLite and for PostgreSQL.
macro_rules! on_sqlite_and_postgres {
    ($($test:ident),* $(,)?) => {
        mod sqlite { $crate::on_sqlite_and_postgres!(@ Sqlite, $($test)*); }
        mod postgres { $crate::on_sqlite_and_postgres!(@ Postgres, $($test)*); }
    };
    (@ $dialect:ident, $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::$test(abaca_store::Dialect::$dialect).await;
        }
    )*};
}
pub(crate) use on_sqlite_and_postgres;
