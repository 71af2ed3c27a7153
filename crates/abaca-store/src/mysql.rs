//! MariaDB and MySQL: mysql_async with its own pool. READ COMMITTED, as on PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, PoolConstraints, PoolOpts};
use sea_query::{Value, Values};

use crate::db::PoolStatus;
use crate::error::{Error, Result};
use crate::row::Row;

#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) pool: mysql_async::Pool,
    options: Opts,
    size: usize,
}

impl Pool {
    pub(crate) fn open(url: &str, size: usize) -> Result<Self> {
        let size = size.max(1);
        let url = url.replacen("mariadb:", "mysql:", 1);
        let options = Opts::from_url(&url).map_err(|error| Error::Url(error.to_string()))?;
        let constraints = PoolConstraints::new(0, size)
            .ok_or_else(|| Error::Url("the pool has no room".to_owned()))?;
        let options = OptsBuilder::from_opts(options)
            // An update that finds its row counts it, also when nothing in it changes.
            .client_found_rows(true)
            // Else a server on loopback is dialled a second time by its socket, as another user.
            .prefer_socket(false)
            .setup(vec![
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
                // MySQL has nothing for the second one.
                format!(
                    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION' \
                     /*M!100300 , SESSION idle_transaction_timeout = {} */",
                    crate::db::LONGEST_PAUSE.as_secs()
                ),
            ])
            .pool_opts(
                PoolOpts::default().with_constraints(constraints).with_reset_connection(false),
            );
        let options = Opts::from(options);
        Ok(Self { pool: mysql_async::Pool::new(options.clone()), options, size })
    }

    /// A connection beside the pool.
    pub(crate) async fn connect(&self) -> Result<Conn> {
        Ok(Conn::new(self.options.clone()).await?)
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let metrics: Arc<mysql_async::Metrics> = self.pool.metrics();
        let open = metrics.connection_count.load(Ordering::Relaxed);
        let idle = metrics.connections_in_pool.load(Ordering::Relaxed);
        PoolStatus { size: self.size, in_use: open.saturating_sub(idle) }
    }

    pub(crate) async fn read(&self) -> Result<Connection> {
        Ok(Connection { conn: Some(self.pool.get_conn().await?), writing: false })
    }

    pub(crate) async fn write(&self) -> Result<Connection> {
        let mut connection = Connection { conn: Some(self.pool.get_conn().await?), writing: true };
        connection.conn()?.query_drop("START TRANSACTION").await?;
        Ok(connection)
    }
}

pub(crate) struct Connection {
    conn: Option<Conn>,
    /// Inside a transaction that is not committed.
    writing: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.writing
            && let Some(conn) = self.conn.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // Closing the connection is the one way to roll back that can't be forgotten.
            runtime.spawn(conn.disconnect());
        }
    }
}

impl Connection {
    fn conn(&mut self) -> Result<&mut Conn> {
        self.conn.as_mut().ok_or_else(|| Error::Database("the connection was given back".into()))
    }

    pub(crate) async fn fold<S: Send>(
        &mut self,
        sql: &str,
        values: Values,
        mut state: S,
        mut step: impl FnMut(&mut S, &Row<'_>) -> Result<()> + Send,
    ) -> Result<S> {
        let parameters = parameters(values)?;
        let mut rows = self.conn()?.exec_iter(sql, parameters).await?;
        let mut problem = None;
        // Rows are read to the end even after a problem: the connection is used again.
        while let Some(row) = rows.next().await? {
            if problem.is_none() {
                problem = step(&mut state, &Row::Mysql(&row)).err();
            }
        }
        problem.map_or(Ok(state), Err)
    }

    pub(crate) async fn optional<T>(
        &mut self,
        sql: &str,
        values: Values,
        map: impl FnOnce(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Option<T>> {
        let parameters = parameters(values)?;
        let row: Option<mysql_async::Row> = self.conn()?.exec_first(sql, parameters).await?;
        row.map(|row| map(&Row::Mysql(&row))).transpose()
    }

    pub(crate) async fn execute(&mut self, sql: &str, values: Values) -> Result<u64> {
        let parameters = parameters(values)?;
        let result = self.conn()?.exec_iter(sql, parameters).await?;
        let affected = result.affected_rows();
        result.drop_result().await?;
        Ok(affected)
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.conn()?.query_drop("COMMIT").await?;
        self.writing = false;
        Ok(())
    }
}

fn parameters(values: Values) -> Result<mysql_async::Params> {
    let values = values
        .into_iter()
        .map(|value| match value {
            Value::String(text) => Ok(text.map_or(mysql_async::Value::NULL, |text| {
                mysql_async::Value::Bytes(text.into_bytes())
            })),
            other => crate::tx::integer(&other)
                .map(|integer| integer.map_or(mysql_async::Value::NULL, mysql_async::Value::Int))
                .map_err(|problem| Error::Database(problem.into())),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(if values.is_empty() {
        mysql_async::Params::Empty
    } else {
        mysql_async::Params::Positional(values)
    })
}
