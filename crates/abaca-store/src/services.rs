//! Services, by their heartbeats, and the pools their backends report.

use std::time::Duration;

use abaca_model::scheduler::{Capacity, ParsePoolNameError, Pool, ReportError};
use abaca_model::{Service, Timestamp};
use sea_query::{
    CaseStatement, Expr, ExprTrait, Func, JoinType, LockType, Order, Query, SelectStatement,
};
use serde_json::{Map, Value};

use crate::availability_zones;
use crate::db::Dialect;
use crate::error::{Error, Result};
use crate::growth::{growth, is_growing, sum};
use crate::row::Row;
use crate::tx::Tx;

/// The name clients know the service of a backend by.
pub const SHARE_BINARY: &str = "manila-share";

const TABLE: &str = "services";
const COLUMNS: [&str; 8] = [
    "id",
    "host",
    "binary_name",
    "availability_zone",
    "disabled",
    "disabled_reason",
    "created_at",
    "heartbeat_at",
];

fn service(row: &Row<'_>) -> Result<Service> {
    Ok(Service {
        id: row.integer(0)?,
        host: row.string(1)?,
        binary: row.string(2)?,
        availability_zone: row.string(3)?,
        disabled: row.boolean(4)?,
        disabled_reason: row.optional_string(5)?,
        created_at: row.time(6)?,
        heartbeat_at: row.time(7)?,
    })
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from(TABLE).take()
}

/// Every service, by number.
///
/// # Errors
/// What the database says.
pub async fn list(tx: &mut Tx) -> Result<Vec<Service>> {
    tx.all(select().order_by("id", Order::Asc), service).await
}

/// One service.
///
/// # Errors
/// What the database says.
pub async fn find(tx: &mut Tx, host: &str, binary: &str) -> Result<Option<Service>> {
    let mut found = select();
    found.and_where(Expr::col("host").eq(host)).and_where(Expr::col("binary_name").eq(binary));
    tx.optional(&found, service).await
}

/// Takes a service out of scheduling or puts it back, with the administrator's reason for it;
/// returns false if there is no such service.
///
/// # Errors
/// What the database says.
pub async fn set_disabled(
    tx: &mut Tx,
    id: i64,
    disabled: bool,
    reason: Option<&str>,
) -> Result<bool> {
    let update = Query::update()
        .table(TABLE)
        .value("disabled", i64::from(disabled))
        .value("disabled_reason", reason.map(str::to_owned))
        .and_where(Expr::col("id").eq(id))
        .take();
    Ok(tx.execute(&update).await? > 0)
}

/// A service says that it is alive and in which zone; its first heartbeat registers it.
///
/// # Errors
/// What the database says; [`Error::Unique`] when two services register at the same time: try
/// again.
pub async fn heartbeat(
    tx: &mut Tx,
    host: &str,
    binary: &str,
    zone: &str,
    now: Timestamp,
) -> Result<()> {
    availability_zones::ensure(tx, zone, now).await?;
    let update = Query::update()
        .table(TABLE)
        .value("availability_zone", zone)
        .value("heartbeat_at", now.micros())
        .and_where(Expr::col("host").eq(host))
        .and_where(Expr::col("binary_name").eq(binary))
        .take();
    if tx.execute(&update).await? > 0 {
        return Ok(());
    }
    let highest = Query::select().expr(Func::max(Expr::col("id"))).from(TABLE).take();
    let highest = tx.optional(&highest, |row| row.optional_integer(0)).await?.flatten();
    let insert = Query::insert()
        .into_table(TABLE)
        .columns(COLUMNS)
        .values_panic([
            (highest.unwrap_or(0) + 1).into(),
            host.into(),
            binary.into(),
            zone.into(),
            0_i64.into(),
            None::<String>.into(),
            now.micros().into(),
            now.micros().into(),
        ])
        .take();
    tx.execute(&insert).await?;
    Ok(())
}

/// Replaces what the backend `service_host` (`host@backend`) says of its pools; `pools` are full
/// names with reports.
///
/// # Errors
/// What the database says.
pub async fn report_pools(
    tx: &mut Tx,
    service_host: &str,
    pools: &[(String, Map<String, Value>)],
    now: Timestamp,
) -> Result<()> {
    let old = Query::delete()
        .from_table("pools")
        .and_where(Expr::col("service_host").eq(service_host))
        .take();
    tx.execute(&old).await?;
    if pools.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table("pools").columns(["name", "service_host", "capabilities", "updated_at"]);
    for (name, report) in pools {
        insert.values_panic([
            name.as_str().into(),
            service_host.into(),
            Value::Object(report.clone()).to_string().into(),
            now.micros().into(),
        ]);
    }
    tx.execute(&insert).await?;
    Ok(())
}

/// What is known of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolRecord {
    /// `host@backend#pool`
    pub name: String,
    /// What its backend says of it.
    pub report: Map<String, Value>,
    /// When the backend said that.
    pub reported_at: Timestamp,
    /// The zone of its service.
    pub availability_zone: String,
    /// An administrator took its service out of scheduling.
    pub disabled: bool,
    /// The last heartbeat of its service.
    pub heartbeat_at: Timestamp,
    /// Sizes of the share instances in it, in GiB, or those they are growing to.
    pub provisioned_gb: i64,
    /// Of these, what was placed or asked for since the backend reported.
    pub pending_gb: i64,
}

/// Why a pool can't be scheduled to.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// Its name has not the form `host@backend#pool`.
    #[error("a pool's name")]
    Name(#[from] ParsePoolNameError),
    /// Its backend reports something that makes no sense.
    #[error("a pool's report")]
    Report(#[from] ReportError),
}

impl PoolRecord {
    /// The pool as the scheduler sees it; its service is up if it sent a heartbeat in the last
    /// `down_after` before `now`.
    ///
    /// # Errors
    /// When the name or the report make no sense.
    pub fn pool(&self, now: Timestamp, down_after: Duration) -> Result<Pool, PoolError> {
        let (provisioned, pending) = (self.provisioned_gb, self.pending_gb);
        Ok(Pool {
            name: self.name.parse()?,
            availability_zone: self.availability_zone.clone(),
            service_up: now.since(self.heartbeat_at) <= down_after,
            service_enabled: !self.disabled,
            capacity: Capacity::from_report(&self.report, provisioned, pending)?,
            capabilities: self.report.clone(),
        })
    }
}

/// Every pool, by name.
///
/// # Errors
/// What the database says.
pub async fn pools(tx: &mut Tx) -> Result<Vec<PoolRecord>> {
    let used = usage(tx.dialect());
    let select = Query::select()
        .columns([("pools", "name"), ("pools", "capabilities"), ("pools", "updated_at")])
        .columns([(TABLE, "availability_zone"), (TABLE, "disabled"), (TABLE, "heartbeat_at")])
        .columns([("used", "provisioned"), ("used", "pending")])
        .from("pools")
        .inner_join(
            TABLE,
            Expr::col((TABLE, "host"))
                .equals(("pools", "service_host"))
                .and(Expr::col((TABLE, "binary_name")).eq(SHARE_BINARY)),
        )
        .join_subquery(
            JoinType::LeftJoin,
            used,
            "used",
            Expr::col(("used", "host")).equals(("pools", "name")),
        )
        .order_by(("pools", "name"), Order::Asc)
        .take();
    tx.all(&select, pool).await
}

/// For every pool with share instances: their sizes, or those they are growing to; and what the
/// backend's last report can't know of: the sizes of those placed since, and what others grow by.
fn usage(dialect: Dialect) -> SelectStatement {
    let size = || Expr::col(("shares", "size"));
    let growth = || growth(is_growing());
    let placed_since =
        Expr::col(("share_instances", "scheduled_at")).gt(Expr::col(("pools", "updated_at")));
    let placed: Expr = CaseStatement::new().case(placed_since, size()).finally(0_i64).into();
    Query::select()
        .column(("share_instances", "host"))
        .expr_as(sum(dialect, size().add(growth())), "provisioned")
        .expr_as(sum(dialect, placed.add(growth())), "pending")
        .from("share_instances")
        .inner_join("shares", Expr::col(("shares", "id")).equals(("share_instances", "share_id")))
        .inner_join("pools", Expr::col(("pools", "name")).equals(("share_instances", "host")))
        .group_by_col(("share_instances", "host"))
        .take()
}

fn pool(row: &Row<'_>) -> Result<PoolRecord> {
    let report = serde_json::from_str(row.text(1)?).map_err(|error| Error::Decode {
        column: "capabilities".to_owned(),
        problem: error.to_string(),
    })?;
    Ok(PoolRecord {
        name: row.string(0)?,
        report,
        reported_at: row.time(2)?,
        availability_zone: row.string(3)?,
        disabled: row.boolean(4)?,
        heartbeat_at: row.time(5)?,
        provisioned_gb: row.optional_integer(6)?.unwrap_or(0),
        pending_gb: row.optional_integer(7)?.unwrap_or(0),
    })
}

/// Makes others who place shares wait until this transaction ends, so that each counts what the
/// one before placed.
///
/// # Errors
/// What the database says.
pub async fn lock_pools(tx: &mut Tx) -> Result<()> {
    if !tx.dialect().has_row_locks() {
        return Ok(());
    }
    let select = Query::select()
        .column("name")
        .from("pools")
        .order_by("name", Order::Asc)
        .lock(LockType::Update)
        .to_owned();
    tx.all(&select, |_| Ok(())).await.map(drop)
}
