//! The pool: which database, how many connections, and how a transaction begins and is retried.

use std::path::PathBuf;
use std::time::Duration;

use sea_query::{
    MysqlQueryBuilder, PostgresQueryBuilder, QueryStatementWriter, SqliteQueryBuilder, Values,
};

use crate::error::{Error, Result};
use crate::tx::Tx;
use crate::{mysql, postgres, sqlite};

/// Whose SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB or MySQL.
    Mysql,
}

impl Dialect {
    pub(crate) fn build(self, statement: &impl QueryStatementWriter) -> (String, Values) {
        match self {
            Self::Sqlite => statement.build(SqliteQueryBuilder),
            Self::Postgres => statement.build(PostgresQueryBuilder),
            Self::Mysql => statement.build(MysqlQueryBuilder),
        }
    }

    /// Whether a locking read exists and is needed: SQLite has one writer, who is alone anyway.
    #[must_use]
    pub fn has_row_locks(self) -> bool {
        self != Self::Sqlite
    }
}

/// How long a transaction on a server may be left alone. Who is stopped in the middle of one, or loses
/// its network, holds its rows up no longer than this; nothing that works takes nearly as long.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many connections there are and how many are at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Most connections there may be.
    pub size: usize,
    /// Connections at work.
    pub in_use: usize,
}

/// A database with its pool of connections. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pub(crate) pool: Pool,
}

#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(sqlite::Pool),
    Postgres(deadpool_postgres::Pool),
    Mysql(mysql::Pool),
}

/// A transaction that lost against another is run again at most this often.
const ATTEMPTS: u32 = 10;

impl Db {
    /// Opens the database at `url`: `sqlite:PATH`, `postgres://...` or `mysql://...`.
    ///
    /// # Errors
    /// When the URL is of another kind or the database can't be opened; servers are asked at the
    /// first statement.
    pub fn open(url: &str, pool_size: usize) -> Result<Self> {
        let scheme = url.split(':').next().unwrap_or_default();
        let pool = match scheme {
            "sqlite" => Pool::Sqlite(sqlite::Pool::open(sqlite_path(url)?, pool_size)?),
            "postgres" | "postgresql" => Pool::Postgres(postgres::pool(url, pool_size)?),
            "mysql" | "mariadb" => Pool::Mysql(mysql::Pool::open(url, pool_size)?),
            _ => {
                return Err(Error::Url(format!(
                    "unknown scheme {scheme:?}; expected sqlite:PATH, postgres://... or mysql://..."
                )));
            }
        };
        Ok(Self { pool })
    }

    /// Whose SQL this database speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &self.pool {
            Pool::Sqlite(_) => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
            Pool::Mysql(_) => Dialect::Mysql,
        }
    }

    /// How busy the pool is.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        match &self.pool {
            Pool::Sqlite(pool) => pool.status(),
            Pool::Postgres(pool) => {
                let status = pool.status();
                PoolStatus {
                    size: status.max_size,
                    in_use: status.size.saturating_sub(status.available),
                }
            }
            Pool::Mysql(pool) => pool.status(),
        }
    }

    /// A connection for reading. Each statement sees what was committed when it began.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn read(&self) -> Result<Tx> {
        match &self.pool {
            Pool::Sqlite(pool) => Ok(Tx::sqlite(pool.read().await?)),
            Pool::Postgres(pool) => Ok(Tx::postgres(postgres::read(pool).await?)),
            Pool::Mysql(pool) => Ok(Tx::mysql(pool.read().await?)),
        }
    }

    /// A transaction for writing. It is rolled back unless it is committed.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn write(&self) -> Result<Tx> {
        match &self.pool {
            Pool::Sqlite(pool) => Ok(Tx::sqlite(pool.write().await?)),
            Pool::Postgres(pool) => Ok(Tx::postgres(postgres::write(pool).await?)),
            Pool::Mysql(pool) => Ok(Tx::mysql(pool.write().await?)),
        }
    }
}

/// Runs `work`, which holds a whole transaction from [`Db::write`] to [`Tx::commit`], and runs all of
/// it again when another transaction was in the way (a deadlock, a serialization failure): at most
/// ten times.
///
/// # Errors
/// What `work` returns.
pub async fn retry_conflicts<T, E, F, W>(work: F) -> Result<T, E>
where
    F: Fn() -> W,
    W: Future<Output = Result<T, E>>,
    E: AsStoreError,
{
    let mut attempt = 1;
    loop {
        let error = match work().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let conflict = error.as_store_error().is_some_and(Error::is_conflict);
        if !conflict || attempt == ATTEMPTS {
            return Err(error);
        }
        tracing::debug!(attempt, "a transaction lost against another and runs again");
        // The loser of a deadlock waits a little longer each time, so that the winner is through.
        tokio::time::sleep(Duration::from_millis(u64::from(2 * attempt * attempt))).await;
        attempt += 1;
    }
}

/// An error that may have come from the database, so that [`retry_conflicts`] knows when to try
/// again.
pub trait AsStoreError {
    /// The database's error inside this one, if it is one.
    fn as_store_error(&self) -> Option<&Error>;
}

impl AsStoreError for Error {
    fn as_store_error(&self) -> Option<&Error> {
        Some(self)
    }
}

/// `sqlite:/abs/path`, `sqlite:relative/path` and `sqlite:///abs/path` are taken.
fn sqlite_path(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite:").unwrap_or_default();
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(Error::Url("expected a file's path after sqlite:".to_owned()));
    }
    Ok(PathBuf::from(path))
}
