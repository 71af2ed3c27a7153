//! The schema: embedded migrations, run by one process at a time.
//!
//! The files are in the SQL that all three databases share; what only MariaDB needs stands in
//! `/*! */` comments, which the others skip. A schema change adds first and removes a release
//! later, so that two releases can run side by side.

use std::fs::File;

use abaca_model::Timestamp;
use mysql_async::prelude::Queryable;
use refinery::{Migration, Report, Runner};

use crate::db::{Db, Pool};
use crate::error::{Error, Result};

/// Every migration, oldest first. One that has been released never changes.
const MIGRATIONS: &[(&str, &str)] = &[
    ("V1__initial", include_str!("../migrations/V1__initial.sql")),
    ("V2__access_rules", include_str!("../migrations/V2__access_rules.sql")),
    ("V3__quotas", include_str!("../migrations/V3__quotas.sql")),
    (
        "V4__metadata_and_soft_delete",
        include_str!("../migrations/V4__metadata_and_soft_delete.sql"),
    ),
    ("V5__messages_and_ensure", include_str!("../migrations/V5__messages_and_ensure.sql")),
    ("V7__exact_metadata", include_str!("../migrations/V7__exact_metadata.sql")),
    ("V8__share_group_types", include_str!("../migrations/V8__share_group_types.sql")),
    ("V10__replicas", include_str!("../migrations/V10__replicas.sql")),
    ("V11__resource_locks", include_str!("../migrations/V11__resource_locks.sql")),
    ("V12__share_migrations", include_str!("../migrations/V12__share_migrations.sql")),
    ("V13__queue_by_service", include_str!("../migrations/V13__queue_by_service.sql")),
];

/// The advisory lock that keeps a second process from migrating: "abaca" in ASCII.
const POSTGRES_LOCK: i64 = 0x61_6261_6361;
/// Its counterpart for MariaDB, where the name counts for the whole server; at most 64 characters.
const MYSQL_LOCK: &str = "CONCAT('abaca.migrate.', MD5(DATABASE()))";

/// One migration and whether this database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// This program has it too; not so when a later release made it.
    pub known: bool,
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// When it was applied; `None`: it is pending.
    pub applied_at: Option<Timestamp>,
}

/// A migration that was just applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
}

fn runner() -> Result<Runner> {
    let migrations = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(migration)?;
    Ok(Runner::new(&migrations))
}

fn migration(error: refinery::Error) -> Error {
    Error::Migration(error.into())
}

impl Db {
    /// Brings the schema up to date. A second process that tries at the same time waits.
    ///
    /// # Errors
    /// [`Error::Migration`] when a statement fails or the schema is newer than this program.
    pub async fn migrate(&self) -> Result<Vec<AppliedMigration>> {
        let runner = runner()?;
        let report = match &self.pool {
            Pool::Sqlite(pool) => {
                let path = std::sync::Arc::clone(&pool.path);
                tokio::task::spawn_blocking(move || {
                    let lock = File::create(path.with_extension("migrate-lock"));
                    let lock = lock.map_err(|error| Error::Migration(error.into()))?;
                    lock.lock().map_err(|error| Error::Migration(error.into()))?;
                    let mut connection = rusqlite::Connection::open(path.as_path())?;
                    runner.run(&mut connection).map_err(migration)
                })
                .await??
            }
            Pool::Postgres(pool) => {
                let mut client = pool.get().await?;
                client.execute("SELECT pg_advisory_lock($1)", &[&POSTGRES_LOCK]).await?;
                let report = runner.run_async(&mut **client.as_mut()).await;
                client.execute("SELECT pg_advisory_unlock($1)", &[&POSTGRES_LOCK]).await?;
                report.map_err(migration)?
            }
            Pool::Mysql(pool) => {
                // Of its own: the runner takes another one from the pool, which may have just one.
                let mut lock = pool.connect().await?;
                let locked = format!("SELECT GET_LOCK({MYSQL_LOCK}, 600)");
                if lock.query_first::<i64, _>(locked).await? != Some(1) {
                    return Err(Error::Migration("another process has been at it for long".into()));
                }
                let report = runner.run_async(&mut pool.pool.clone()).await;
                lock.disconnect().await?;
                report.map_err(migration)?
            }
        };
        Ok(applied(&report))
    }

    /// Every migration that this program knows or the database has, oldest first, and when the
    /// database got it.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn migrations(&self) -> Result<Vec<MigrationStatus>> {
        let runner = runner()?;
        let applied = match &self.pool {
            Pool::Sqlite(pool) => {
                let path = std::sync::Arc::clone(&pool.path);
                tokio::task::spawn_blocking(move || {
                    let mut connection = rusqlite::Connection::open(path.as_path())?;
                    runner.get_applied_migrations(&mut connection).map_err(migration)
                })
                .await??
            }
            Pool::Postgres(pool) => {
                let mut client = pool.get().await?;
                let client = &mut **client.as_mut();
                runner.get_applied_migrations_async(client).await.map_err(migration)?
            }
            Pool::Mysql(pool) => runner
                .get_applied_migrations_async(&mut pool.pool.clone())
                .await
                .map_err(migration)?,
        };
        let runner = self::runner()?;
        let known = runner.get_migrations();
        let is_new = |applied: &&Migration| !versions(known).any(|one| one == applied.version());
        let mut all: Vec<_> = known.iter().map(|known| status(known, &applied, true)).collect();
        all.extend(applied.iter().filter(is_new).map(|new| status(new, &applied, false)));
        all.sort_by_key(|migration| migration.version);
        Ok(all)
    }
}

fn applied(report: &Report) -> Vec<AppliedMigration> {
    report
        .applied_migrations()
        .iter()
        .map(|migration| AppliedMigration {
            version: i64::from(migration.version()),
            name: migration.name().to_owned(),
        })
        .collect()
}

fn versions(migrations: &[Migration]) -> impl Iterator<Item = refinery::SchemaVersion> {
    migrations.iter().map(Migration::version)
}

fn status(migration: &Migration, applied: &[Migration], known: bool) -> MigrationStatus {
    let applied_at = applied
        .iter()
        .find(|applied| applied.version() == migration.version())
        .and_then(|applied| applied.applied_on())
        .map(|time| Timestamp::from_micros((time.unix_timestamp_nanos() / 1_000) as i64));
    MigrationStatus {
        known,
        version: i64::from(migration.version()),
        name: migration.name().to_owned(),
        applied_at,
    }
}
