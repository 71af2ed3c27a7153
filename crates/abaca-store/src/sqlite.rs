//! SQLite: one writer behind an async mutex, readers beside it (WAL).
//!
//! `synchronous=FULL`, so an accepted request survives power loss. Point reads and single writes
//! run where they stand (they touch a few pages in memory); lists, BEGIN and COMMIT, which may
//! wait for a disk or another process, run on the blocking pool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::{ToSqlOutput, ValueRef};
use sea_query::{Value, Values};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::db::PoolStatus;
use crate::error::{Error, Result};
use crate::row::Row;

#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) path: Arc<PathBuf>,
    writer: Arc<AsyncMutex<rusqlite::Connection>>,
    readers: Arc<Readers>,
}

struct Readers {
    idle: Mutex<Vec<rusqlite::Connection>>,
    permits: Arc<Semaphore>,
    size: usize,
}

impl Pool {
    pub(crate) fn open(path: PathBuf, size: usize) -> Result<Self> {
        let writer = connect(&path)?;
        let readers = Readers {
            idle: Mutex::new(Vec::new()),
            permits: Arc::new(Semaphore::new(size.max(1))),
            size: size.max(1),
        };
        Ok(Self {
            path: Arc::new(path),
            writer: Arc::new(AsyncMutex::new(writer)),
            readers: Arc::new(readers),
        })
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let readers = self.readers.size - self.readers.permits.available_permits();
        let writer = usize::from(self.writer.try_lock().is_err());
        PoolStatus { size: self.readers.size + 1, in_use: readers + writer }
    }

    pub(crate) async fn read(&self) -> Result<Connection> {
        let permit = Arc::clone(&self.readers.permits)
            .acquire_owned()
            .await
            .map_err(|error| Error::Unavailable(error.into()))?;
        let idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let path = Arc::clone(&self.path);
                spawn_blocking(move || connect(&path)).await??
            }
        };
        let held = Reading {
            connection: Some(connection),
            readers: Arc::clone(&self.readers),
            _permit: permit,
        };
        Ok(Connection { held: Some(Held::Reading(held)) })
    }

    pub(crate) async fn write(&self) -> Result<Connection> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let held = spawn_blocking(move || {
            writer.execute_batch("BEGIN IMMEDIATE")?;
            Ok::<_, Error>(Held::Writing(Writing { connection: writer }))
        })
        .await??;
        Ok(Connection { held: Some(held) })
    }
}

fn connect(path: &std::path::Path) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA busy_timeout = 10000;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA mmap_size = 268435456;
         PRAGMA cache_size = -16384;",
    )?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// A reader that goes back to the pool, or the writer inside its transaction.
enum Held {
    Reading(Reading),
    Writing(Writing),
}

struct Reading {
    connection: Option<rusqlite::Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reading {
    fn drop(&mut self) {
        let idle = self.connection.take();
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(idle);
    }
}

struct Writing {
    connection: OwnedMutexGuard<rusqlite::Connection>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        // After a commit the connection is in autocommit mode and there is nothing to undo.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

impl Held {
    fn connection(&self) -> Result<&rusqlite::Connection> {
        match self {
            Self::Reading(reading) => reading.connection.as_ref().ok_or_else(lost),
            Self::Writing(writing) => Ok(&writing.connection),
        }
    }
}

pub(crate) struct Connection {
    /// `None` only while a list runs on the blocking pool.
    held: Option<Held>,
}

/// The future of a list was dropped while its connection was on the blocking pool.
fn lost() -> Error {
    Error::Database("the connection is lost to a cancelled statement".into())
}

impl Connection {
    fn connection(&self) -> Result<&rusqlite::Connection> {
        self.held.as_ref().ok_or_else(lost)?.connection()
    }

    pub(crate) async fn fold<S, F>(
        &mut self,
        sql: String,
        values: Values,
        mut state: S,
        mut step: F,
    ) -> Result<S>
    where
        S: Send + 'static,
        F: FnMut(&mut S, &Row<'_>) -> Result<()> + Send + 'static,
    {
        let held = self.held.take().ok_or_else(lost)?;
        let (held, result) = spawn_blocking(move || {
            let run = || {
                let mut statement = held.connection()?.prepare_cached(&sql)?;
                let mut rows = statement.query(parameters(&values))?;
                while let Some(row) = rows.next()? {
                    step(&mut state, &Row::Sqlite(row))?;
                }
                Ok(state)
            };
            let result = run();
            (held, result)
        })
        .await?;
        self.held = Some(held);
        result
    }

    pub(crate) fn optional<T>(
        &mut self,
        sql: &str,
        values: &Values,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection()?.prepare_cached(sql)?;
        let mut rows = statement.query(parameters(values))?;
        rows.next()?.map(|row| map(&Row::Sqlite(row))).transpose()
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &Values) -> Result<u64> {
        let mut statement = self.connection()?.prepare_cached(sql)?;
        Ok(statement.execute(parameters(values))? as u64)
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        let held = self.held.take().ok_or_else(lost)?;
        spawn_blocking(move || Ok(held.connection()?.execute_batch("COMMIT")?)).await?
    }
}

fn parameters(values: &Values) -> impl rusqlite::Params + '_ {
    rusqlite::params_from_iter(values.iter().map(Parameter))
}

struct Parameter<'a>(&'a Value);

impl rusqlite::ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self.0 {
            Value::String(text) => {
                text.as_ref().map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
            }
            other => match crate::tx::integer(other) {
                Ok(integer) => integer.map_or(ValueRef::Null, ValueRef::Integer),
                Err(problem) => {
                    return Err(rusqlite::Error::ToSqlConversionFailure(problem.into()));
                }
            },
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
