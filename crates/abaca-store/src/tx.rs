//! A transaction, or a reading connection: the four things that can be done with one.

use sea_query::QueryStatementWriter;

use crate::db::Dialect;
use crate::error::Result;
use crate::row::Row;
use crate::{mysql, postgres, sqlite};

/// A transaction for writing ([`crate::Db::write`]) or a connection for reading
/// ([`crate::Db::read`]). Dropped without [`Tx::commit`] it leaves nothing behind.
pub struct Tx(Connection);

enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
    Mysql(mysql::Connection),
}

impl Tx {
    pub(crate) fn sqlite(connection: sqlite::Connection) -> Self {
        Self(Connection::Sqlite(connection))
    }

    pub(crate) fn postgres(connection: postgres::Connection) -> Self {
        Self(Connection::Postgres(connection))
    }

    pub(crate) fn mysql(connection: mysql::Connection) -> Self {
        Self(Connection::Mysql(connection))
    }

    /// Whose SQL this connection speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &self.0 {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
            Connection::Mysql(_) => Dialect::Mysql,
        }
    }

    /// Runs a select and folds its rows into `state`, borrowed: the way for long lists.
    ///
    /// # Errors
    /// What the database or `step` says.
    pub async fn fold<S, F>(
        &mut self,
        select: &impl QueryStatementWriter,
        state: S,
        step: F,
    ) -> Result<S>
    where
        S: Send + 'static,
        F: FnMut(&mut S, &Row<'_>) -> Result<()> + Send + 'static,
    {
        let (sql, values) = self.dialect().build(select);
        match &mut self.0 {
            Connection::Sqlite(connection) => connection.fold(sql, values, state, step).await,
            Connection::Postgres(connection) => connection.fold(&sql, values, state, step).await,
            Connection::Mysql(connection) => connection.fold(&sql, values, state, step).await,
        }
    }

    /// Runs a select and maps each of its rows.
    ///
    /// # Errors
    /// What the database or `map` says.
    pub async fn all<T, F>(
        &mut self,
        select: &impl QueryStatementWriter,
        mut map: F,
    ) -> Result<Vec<T>>
    where
        T: Send + 'static,
        F: FnMut(&Row<'_>) -> Result<T> + Send + 'static,
    {
        self.fold(select, Vec::new(), move |rows: &mut Vec<T>, row| {
            rows.push(map(row)?);
            Ok(())
        })
        .await
    }

    /// Runs a select that finds at most one row: by a key, or a count. On SQLite it runs where it
    /// stands, so it must not scan.
    ///
    /// # Errors
    /// What the database or `map` says.
    pub async fn optional<T, F>(
        &mut self,
        select: &impl QueryStatementWriter,
        map: F,
    ) -> Result<Option<T>>
    where
        F: FnOnce(&Row<'_>) -> Result<T> + Send,
    {
        let (sql, values) = self.dialect().build(select);
        match &mut self.0 {
            Connection::Sqlite(connection) => connection.optional(&sql, &values, map),
            Connection::Postgres(connection) => connection.optional(&sql, values, map).await,
            Connection::Mysql(connection) => connection.optional(&sql, values, map).await,
        }
    }

    /// Runs an insert, update or delete and returns how many rows it found (for an update: also
    /// those it left as they were).
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&mut self, statement: &impl QueryStatementWriter) -> Result<u64> {
        let (sql, values) = self.dialect().build(statement);
        match &mut self.0 {
            Connection::Sqlite(connection) => connection.execute(&sql, &values),
            Connection::Postgres(connection) => connection.execute(&sql, values).await,
            Connection::Mysql(connection) => connection.execute(&sql, values).await,
        }
    }

    /// Makes everything done durable.
    ///
    /// # Errors
    /// What the database says; nothing was done then, or, when the connection broke at that
    /// moment, it can't be known.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            Connection::Sqlite(connection) => connection.commit().await,
            Connection::Postgres(connection) => connection.commit().await,
            Connection::Mysql(connection) => connection.commit().await,
        }
    }
}

/// A parameter that is no text, as the one integer type that all columns have.
pub(crate) fn integer(value: &sea_query::Value) -> std::result::Result<Option<i64>, String> {
    use sea_query::Value;
    match value {
        Value::BigInt(value) => Ok(*value),
        Value::Bool(value) => Ok(value.map(i64::from)),
        Value::Int(value) => Ok(value.map(i64::from)),
        Value::BigUnsigned(value) => {
            value.map(i64::try_from).transpose().map_err(|error| error.to_string())
        }
        other => Err(format!("no column takes a parameter such as {other:?}")),
    }
}
