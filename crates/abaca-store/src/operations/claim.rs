//! What a runner does with an operation: claim, renew, advance, put back, end.
//!
//! Every write is guarded by the fence it got with its claim; the affected rows tell whether it
//! still holds the lease.

use std::time::Duration;

use abaca_model::{Operation, OperationState, Timestamp};
use sea_query::{
    Cond, Expr, ExprTrait, LockBehavior, LockType, Order, Query, SelectStatement, UnionType,
    UpdateStatement,
};

use super::{COLUMNS, operation};
use crate::db::Dialect;
use crate::error::Result;
use crate::like;
use crate::tx::Tx;

/// Claims the oldest operation whose runner let its lease end, or else the oldest that is due, among
/// those of `services`; `None` stands for what any worker may run. The claimer is alone with it until
/// the lease ends.
///
/// # Errors
/// What the database says.
pub async fn claim(
    tx: &mut Tx,
    owner: &str,
    services: &[Option<&str>],
    now: Timestamp,
    lease: Duration,
) -> Result<Option<Operation>> {
    if services.is_empty() {
        return Ok(None);
    }
    let mut found = None;
    // They are few, since few run, but what is due may be without end.
    if tx.optional(&abandoned(services, now), |_| Ok(())).await?.is_some() {
        let select = free(tx, abandoned(services, now));
        found = tx.optional(&select, operation).await?;
    }
    if found.is_none() {
        for service in services_with_due(tx, services, now).await? {
            let select = free(tx, due(tx.dialect(), service.as_deref(), now));
            found = tx.optional(&select, operation).await?;
            if found.is_some() {
                break;
            }
        }
    }
    let Some(mut operation) = found else { return Ok(None) };
    let expires_at = now.after(lease);
    let update = Query::update()
        .table("operations")
        .value("state", OperationState::Running.as_str())
        .value("lease_owner", owner)
        .value("lease_expires_at", expires_at.micros())
        .value("fence", operation.fence + 1)
        .and_where(Expr::col("id").eq(operation.id.to_string()))
        .and_where(Expr::col("fence").eq(operation.fence))
        .to_owned();
    if tx.execute(&update).await? == 0 {
        return Ok(None);
    }
    operation.fence += 1;
    operation.lease_expires_at = Some(expires_at);
    // The state and the owner stay those before the claim: a takeover shows by them.
    Ok(Some(operation))
}

/// Whether [`claim`] would find something.
///
/// # Errors
/// What the database says.
pub async fn any_claimable(tx: &mut Tx, services: &[Option<&str>], now: Timestamp) -> Result<bool> {
    if services.is_empty() {
        return Ok(false);
    }
    Ok(!services_with_due(tx, services, now).await?.is_empty()
        || tx.optional(&abandoned(services, now), |_| Ok(())).await?.is_some())
}

/// Those of `services` that have something due, the one whose oldest has been due for longest first.
/// However much waits, for these or others, one row of each is looked at.
async fn services_with_due(
    tx: &mut Tx,
    services: &[Option<&str>],
    now: Timestamp,
) -> Result<Vec<Option<String>>> {
    let dialect = tx.dialect();
    let oldest = |service: &Option<&str>| {
        let mut one = due(dialect, *service, now);
        one.clear_selects().columns(["service", "run_at"]);
        Query::select().columns(["service", "run_at"]).from_subquery(one, "oldest").to_owned()
    };
    let mut each = services.iter().map(oldest);
    let Some(mut select) = each.next() else { return Ok(Vec::new()) };
    for other in each {
        select.union(UnionType::All, other);
    }
    let found = tx.all(&select, |row| Ok((row.integer(1)?, row.optional_string(0)?)));
    let mut found = found.await?;
    found.sort();
    Ok(found.into_iter().map(|(_, service)| service).collect())
}

/// The oldest operation of a service that is due.
fn due(dialect: Dialect, service: Option<&str>, now: Timestamp) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns(COLUMNS)
        .from("operations")
        .and_where(Expr::col("state").eq(OperationState::Queued.as_str()))
        .and_where(match service {
            Some(service) => Expr::col("service").eq(service),
            None => Expr::col("service").is_null(),
        })
        .and_where(Expr::col("run_at").lte(now.micros()));
    if dialect == Dialect::Postgres {
        // It would sort what has no service, not knowing that the index has it in this order.
        select.order_by("service", Order::Asc);
    }
    select.order_by("run_at", Order::Asc).limit(1);
    select
}

/// The oldest operation of any of these services whose runner let its lease end.
fn abandoned(services: &[Option<&str>], now: Timestamp) -> SelectStatement {
    let mut mine = Cond::any();
    if services.contains(&None) {
        mine = mine.add(Expr::col("service").is_null());
    }
    let named: Vec<&str> = services.iter().copied().flatten().collect();
    if !named.is_empty() {
        mine = mine.add(Expr::col("service").is_in(named));
    }
    Query::select()
        .columns(COLUMNS)
        .from("operations")
        .and_where(Expr::col("state").eq(OperationState::Running.as_str()))
        .and_where(Expr::col("lease_expires_at").lt(now.micros()))
        .cond_where(mine)
        .order_by("run_at", Order::Asc)
        .limit(1)
        .to_owned()
}

/// As `select`, of what no other claimer is about to take; it is locked.
fn free(tx: &Tx, mut select: SelectStatement) -> SelectStatement {
    if tx.dialect().has_row_locks() {
        select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    select
}

/// An update that only the holder of the claim can make.
fn guarded(operation: &Operation) -> UpdateStatement {
    Query::update()
        .table("operations")
        .and_where(Expr::col("id").eq(operation.id.to_string()))
        .and_where(Expr::col("fence").eq(operation.fence))
        .and_where(Expr::col("state").eq(OperationState::Running.as_str()))
        .to_owned()
}

/// Extends the lease. `false`: it is lost.
///
/// # Errors
/// What the database says.
pub async fn renew(
    tx: &mut Tx,
    operation: &Operation,
    now: Timestamp,
    lease: Duration,
) -> Result<bool> {
    let update = guarded(operation).value("lease_expires_at", now.after(lease).micros()).to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Who goes on with an operation after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// The same runner, which keeps its lease, for this service.
    Keep(Option<&'a str>),
    /// A worker of this service: the operation goes back into the queue.
    HandOver(&'a str),
}

/// Records that the present step is done and who runs the next. `false`: the lease is lost, and the
/// caller's transaction must not be committed.
///
/// # Errors
/// What the database says.
pub async fn advance(tx: &mut Tx, operation: &Operation, next: Next<'_>) -> Result<bool> {
    let mut update = guarded(operation);
    update.value("step", operation.step + 1).value("attempts", 0_i64);
    match next {
        Next::Keep(service) => {
            update.value("service", service.map(str::to_owned));
        }
        Next::HandOver(service) => {
            update
                .value("service", service)
                .value("state", OperationState::Queued.as_str())
                .value("lease_owner", None::<String>)
                .value("lease_expires_at", None::<i64>);
        }
    }
    Ok(tx.execute(&update).await? == 1)
}

/// Changes what the steps are told, from the next claim on. `false`: the lease is lost, and the
/// caller's transaction must not be committed.
///
/// # Errors
/// What the database says.
pub async fn set_arguments(tx: &mut Tx, operation: &Operation, arguments: &str) -> Result<bool> {
    let update = guarded(operation).value("arguments", arguments).to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Puts the operation back into the queue, for its present step and a worker of this service. `false`:
/// the lease is lost.
///
/// # Errors
/// What the database says.
pub async fn hand_over(tx: &mut Tx, operation: &Operation, service: &str) -> Result<bool> {
    let update = guarded(operation)
        .value("service", service)
        .value("state", OperationState::Queued.as_str())
        .value("lease_owner", None::<String>)
        .value("lease_expires_at", None::<i64>)
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Puts the operation back into the queue, for its present step, not to be run before `run_at`.
/// `attempts` counts the failures so far. `false`: the lease is lost.
///
/// # Errors
/// What the database says.
pub async fn put_back(
    tx: &mut Tx,
    operation: &Operation,
    run_at: Timestamp,
    attempts: i64,
    error: Option<&str>,
) -> Result<bool> {
    let update = guarded(operation)
        .value("state", OperationState::Queued.as_str())
        .value("lease_owner", None::<String>)
        .value("lease_expires_at", None::<i64>)
        .value("run_at", run_at.micros())
        .value("attempts", attempts)
        .value("error", error.map(str::to_owned))
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Ends the operation. `false`: the lease is lost, and the caller's transaction must not be
/// committed.
///
/// # Errors
/// What the database says.
pub async fn end(
    tx: &mut Tx,
    operation: &Operation,
    state: OperationState,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let update = guarded(operation)
        .value("state", state.as_str())
        .value("error", error.map(str::to_owned))
        .value("lease_owner", None::<String>)
        .value("lease_expires_at", None::<i64>)
        .value("finished_at", now.micros())
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Ends the leases that a worker's earlier process left behind, so that its operations are resumed
/// at once. Owners are `worker/process`; fences protect against a process that is still alive.
///
/// # Errors
/// What the database says.
pub async fn release_leases_of(tx: &mut Tx, worker: &str) -> Result<u64> {
    let update = Query::update()
        .table("operations")
        .value("lease_expires_at", 0_i64)
        .and_where(Expr::col("state").eq(OperationState::Running.as_str()))
        .and_where(like::begins(Expr::col("lease_owner"), &format!("{worker}/")))
        .to_owned();
    tx.execute(&update).await
}
