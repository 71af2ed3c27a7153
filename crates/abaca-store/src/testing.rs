//! Fresh databases for tests: SQLite in a temporary directory, PostgreSQL and MariaDB on the
//! servers that `scripts/test` starts.

use mysql_async::prelude::Queryable;
use tempfile::TempDir;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{Db, Dialect};

/// A migrated database of its own for one test.
pub struct TestDatabase {
    /// The database.
    pub db: Db,
    /// Its URL, for a process of its own.
    pub url: String,
    cleanup: Cleanup,
}

enum Cleanup {
    Directory(#[expect(dead_code, reason = "removed on drop")] TempDir),
    Server { dialect: Dialect, url: String, name: String },
}

/// Why a test has no database.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

impl TestDatabase {
    /// A new, migrated database.
    ///
    /// # Errors
    /// When the server's URL is not in the environment (run the tests by `scripts/test`) or the
    /// server does not answer.
    pub async fn create(dialect: Dialect) -> Result<Self, Problem> {
        let name = format!("abaca_{}", Uuid::new_v4().simple());
        let (url, cleanup) = match dialect {
            Dialect::Sqlite => {
                let directory = tempfile::tempdir()?;
                let url = format!("sqlite:{}", directory.path().join("abaca.sqlite").display());
                (url, Cleanup::Directory(directory))
            }
            Dialect::Postgres | Dialect::Mysql => {
                let server = server_url(dialect)?;
                execute(dialect, &server, &format!("CREATE DATABASE {name}")).await?;
                let url = with_database(&server, &name);
                (url, Cleanup::Server { dialect, url: server, name })
            }
        };
        let db = Db::open(&url, 8)?;
        db.migrate().await?;
        Ok(Self { db, url, cleanup })
    }

    /// Runs SQL that the service itself has no use for.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run(&self, sql: &str) -> Result<(), Problem> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => Ok(rusqlite::Connection::open(path)?.execute_batch(sql)?),
            None => execute(self.db.dialect(), &self.url, sql).await,
        }
    }

    /// Empties a database on a server, so that it is as after its migrations: sooner done than making
    /// and dropping one. What a process that was killed has just sent is waited for.
    ///
    /// # Errors
    /// When the server does not answer, or the rows are locked by somebody who lives.
    pub async fn cleared(self) -> Result<Self, Problem> {
        let Self { db, url, cleanup } = self;
        let dialect = db.dialect();
        drop(db);
        clear(dialect, &url).await?;
        // Its connections would be another test's.
        Ok(Self { db: Db::open(&url, 8)?, url, cleanup })
    }

    /// Drops the database. A test that fails before leaves it to `scripts/test`, which removes the
    /// server.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn remove(self) -> Result<(), Problem> {
        let Self { db, cleanup, .. } = self;
        drop(db);
        match cleanup {
            Cleanup::Directory(_) => Ok(()),
            Cleanup::Server { dialect, url, name } => {
                let force = if dialect == Dialect::Postgres { " WITH (FORCE)" } else { "" };
                execute(dialect, &url, &format!("DROP DATABASE {name}{force}")).await
            }
        }
    }
}

async fn clear(dialect: Dialect, url: &str) -> Result<(), Problem> {
    const TABLES: &str = "FROM information_schema.tables WHERE table_type = 'BASE TABLE'
        AND table_name <> 'refinery_schema_history' AND table_schema =";
    if dialect == Dialect::Mysql {
        let mut conn = mysql_async::Conn::from_url(url).await?;
        let tables: Vec<String> =
            conn.query(format!("SELECT table_name {TABLES} DATABASE()")).await?;
        conn.query_drop("SET SESSION foreign_key_checks = 0").await?;
        for table in tables {
            conn.query_drop(format!("DELETE FROM {table}")).await?;
        }
        return Ok(conn.disconnect().await?);
    }
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let tables = client.query(&format!("SELECT table_name::text {TABLES} 'public'"), &[]).await?;
    let tables: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    let rows: Vec<_> = tables.iter().map(|table| format!("DELETE FROM {table};")).collect();
    // The locks wait for what others are about to commit; no foreign key is looked after.
    let sql = format!(
        "BEGIN; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE; SET LOCAL session_replication_role = replica; {} COMMIT",
        tables.join(", "),
        rows.concat()
    );
    client.batch_execute(&sql).await?;
    drop(client);
    Ok(connection.await??)
}

fn server_url(dialect: Dialect) -> Result<String, Problem> {
    let variable = match dialect {
        Dialect::Mysql => "ABACA_TEST_MARIADB_URL",
        Dialect::Sqlite | Dialect::Postgres => "ABACA_TEST_POSTGRES_URL",
    };
    std::env::var(variable)
        .map_err(|_| format!("{variable} is not set; run the tests with scripts/test").into())
}

/// `url` with the path, its database, replaced.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) =
        url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &base[..end])
}

async fn execute(dialect: Dialect, url: &str, sql: &str) -> Result<(), Problem> {
    if dialect == Dialect::Mysql {
        let mut conn = mysql_async::Conn::from_url(url).await?;
        conn.query_drop(sql).await?;
        conn.disconnect().await?;
    } else {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await?;
        drop(client);
        connection.await??;
    }
    Ok(())
}
