//! PostgreSQL: tokio-postgres with a deadpool. READ COMMITTED; what must be alone locks its rows.
//!
//! `sslmode=require` in the URL means TLS with a certificate that the machine's own store trusts
//! (`SSL_CERT_FILE` adds one). Any other mode is plain: a certificate that nobody checks protects
//! from nobody.

use std::error::Error as StdError;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use sea_query::{Value, Values};
use tokio_postgres::config::SslMode;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};
use crate::row::Row;

/// How long a request waits for a connection before it is refused.
const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn pool(url: &str, size: usize) -> Result<Pool> {
    let mut config = Config::from_str(url).map_err(|error| {
        Error::Url(
            error.into_source().map_or_else(|| "malformed".to_owned(), |cause| cause.to_string()),
        )
    })?;
    config.application_name("abaca").connect_timeout(WAIT);
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == SslMode::Require {
        Manager::from_config(config, MakeRustlsConnect::new(tls()?), recycling)
    } else {
        config.ssl_mode(SslMode::Disable);
        Manager::from_config(config, NoTls, recycling)
    };
    Pool::builder(manager)
        .max_size(size.max(1))
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Error::Unavailable(error.into()))
}

fn tls() -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| Error::Unavailable(error.into()))?;
    Ok(builder.with_no_client_auth())
}

pub(crate) async fn read(pool: &Pool) -> Result<Connection> {
    Ok(Connection { client: Some(pool.get().await?), writing: false })
}

pub(crate) async fn write(pool: &Pool) -> Result<Connection> {
    // Guarded before BEGIN is sent: whoever drops this future throws the connection away.
    let connection = Connection { client: Some(pool.get().await?), writing: true };
    // Said, not left to the server's default: at a higher level, who waited for a row would still
    // read what was there before, and so miss what was committed meanwhile.
    let seconds = crate::db::LONGEST_PAUSE.as_secs();
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SET LOCAL idle_in_transaction_session_timeout = '{seconds}s'"
    );
    connection.client()?.batch_execute(&begin).await?;
    Ok(connection)
}

pub(crate) struct Connection {
    client: Option<Object>,
    /// Inside a transaction that is not committed.
    writing: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.writing
            && let Some(client) = self.client.take()
        {
            // Closing the connection is the one way to roll back that can't be forgotten.
            drop(Object::take(client));
        }
    }
}

impl Connection {
    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(|| Error::Database("the connection was given back".into()))
    }

    pub(crate) async fn fold<S>(
        &mut self,
        sql: &str,
        values: Values,
        mut state: S,
        mut step: impl FnMut(&mut S, &Row<'_>) -> Result<()> + Send,
    ) -> Result<S> {
        for row in self.query(sql, values).await? {
            step(&mut state, &Row::Postgres(&row))?;
        }
        Ok(state)
    }

    pub(crate) async fn optional<T>(
        &mut self,
        sql: &str,
        values: Values,
        map: impl FnOnce(&Row<'_>) -> Result<T> + Send,
    ) -> Result<Option<T>> {
        let rows = self.query(sql, values).await?;
        rows.first().map(|row| map(&Row::Postgres(row))).transpose()
    }

    async fn query(&self, sql: &str, values: Values) -> Result<Vec<tokio_postgres::Row>> {
        let client = self.client()?;
        let statement = client.prepare_typed_cached(sql, &types(&values)).await?;
        let parameters = parameters(&values);
        Ok(client.query(&statement, &references(&parameters)).await?)
    }

    pub(crate) async fn execute(&mut self, sql: &str, values: Values) -> Result<u64> {
        let client = self.client()?;
        let statement = client.prepare_typed_cached(sql, &types(&values)).await?;
        let parameters = parameters(&values);
        Ok(client.execute(&statement, &references(&parameters)).await?)
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.client()?.batch_execute("COMMIT").await?;
        self.writing = false;
        Ok(())
    }
}

/// The types are ours to say: left to guess, the server takes the `1 = 2` that stands for an empty
/// `IN ()` for text and then refuses the integers.
fn types(values: &Values) -> Vec<Type> {
    let of = |value: &Value| match value {
        Value::String(_) => Type::TEXT,
        _ => Type::INT8,
    };
    values.iter().map(of).collect()
}

fn parameters(values: &Values) -> Vec<Parameter<'_>> {
    values.iter().map(Parameter).collect()
}

fn references<'a>(parameters: &'a [Parameter<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync)).collect()
}

#[derive(Debug)]
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            Value::String(text) => text.to_sql_checked(kind, out),
            other => crate::tx::integer(other)?.to_sql_checked(kind, out),
        }
    }

    // The value decides, not the Rust type: `to_sql_checked` above refuses a mismatch.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
