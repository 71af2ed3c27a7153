//! `/scheduler-stats/pools`: what the scheduler knows of the backends' pools.

pub(super) mod contract;

use std::collections::BTreeMap;

use abaca_model::Timestamp;
use abaca_model::scheduler::{self, Pool};
use abaca_store::services::{self, PoolRecord};
use abaca_store::share_types;
use regex::Regex;
use serde_json::{Value, json};

use super::share_types::visible;
use super::{ApiError, Call, Reply, V, dict_literal};

const SHARE_TYPE_FILTER: V = V(2, 23);

/// Lists pools by name.
pub(super) async fn pools(call: Call) -> Result<Reply, ApiError> {
    list(&call, false).await
}

/// Lists pools with everything known of them.
pub(super) async fn pools_detail(call: Call) -> Result<Reply, ApiError> {
    list(&call, true).await
}

async fn list(call: &Call, detailed: bool) -> Result<Reply, ApiError> {
    // As of every query the last value of a key counts: one expression for each, at most.
    let mut given: BTreeMap<_, _> = call.query.iter().collect();
    let share_type = match call.since(SHARE_TYPE_FILTER) {
        true => given.remove("share_type").filter(|name| !name.is_empty()),
        false => None,
    };
    let filters = given.into_iter().map(|(key, value)| Filter::parse(key, value));
    let mut filters = filters.collect::<Result<Vec<_>, _>>()?;
    let mut tx = call.app.db.read().await?;
    if let Some(name) = share_type {
        let found = share_types::by_name_or_id(&mut tx, visible(call), name).await?;
        let unknown = || ApiError::bad_request(format!("Share type {name} not found."));
        filters.push(Filter::Capabilities(found.ok_or_else(unknown)?.extra_specs));
    }
    let listed: Vec<Value> = services::pools(&mut tx)
        .await?
        .iter()
        .filter_map(|record| Some((record, schedulable(call, record)?)))
        .filter(|(_, pool)| filters.iter().all(|filter| filter.accepts(pool)))
        .map(|(record, pool)| view(record, &pool, detailed))
        .collect();
    Reply::ok(&json!({ "pools": listed }))
}

/// The pool, if its service is up and enabled and its report makes sense.
fn schedulable(call: &Call, record: &PoolRecord) -> Option<Pool> {
    match record.pool(Timestamp::now(), call.app.settings.service_down_after) {
        Ok(pool) => (pool.service_up && pool.service_enabled).then_some(pool),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(pool = record.name, %error, source, "a pool is left out");
            None
        }
    }
}

/// One condition on a pool: a regular expression that its beginning has to match, or what it has
/// to be able to.
enum Filter {
    Name(Regex),
    Host(Regex),
    Backend(Regex),
    Pool(Regex),
    /// In the words of a share type's extra specs.
    Capabilities(BTreeMap<String, String>),
    /// A key that no pool has.
    Never,
}

impl Filter {
    fn parse(key: &str, value: &str) -> Result<Self, ApiError> {
        let make = match key {
            "name" => Self::Name,
            "host" => Self::Host,
            "backend" => Self::Backend,
            "pool" => Self::Pool,
            "capabilities" => return dict_literal::read(key, value).map(Self::Capabilities),
            _ => return Ok(Self::Never),
        };
        let expression = Regex::new(&format!("^(?:{value})")).map_err(|_| {
            ApiError::bad_request(format!(
                "Invalid value {value} for {key}. Expecting a regular expression."
            ))
        })?;
        Ok(make(expression))
    }

    fn accepts(&self, pool: &Pool) -> bool {
        match self {
            Self::Name(expression) => expression.is_match(&pool.name.to_string()),
            Self::Host(expression) => expression.is_match(pool.name.host()),
            Self::Backend(expression) => expression.is_match(pool.name.backend()),
            Self::Pool(expression) => expression.is_match(pool.name.pool()),
            Self::Capabilities(specs) => scheduler::satisfies(&pool.report(), specs).is_ok(),
            Self::Never => false,
        }
    }
}

fn view(record: &PoolRecord, pool: &Pool, detailed: bool) -> Value {
    let mut view = json!({
        "name": record.name,
        "host": pool.name.host(),
        "backend": pool.name.backend(),
        "pool": pool.name.pool(),
    });
    if detailed {
        let mut capabilities = pool.report();
        capabilities.insert("timestamp".to_owned(), json!(record.reported_at));
        view["capabilities"] = Value::Object(capabilities);
    }
    view
}
