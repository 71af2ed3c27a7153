//! The operation queue: enqueue, claim, renew, advance, end.
//!
//! Every write of a runner is guarded by the fence it got with its claim; the affected rows tell
//! whether it still holds the lease.

use std::time::Duration;

use abaca_model::{Operation, OperationId, OperationKind, OperationState, Timestamp};
use sea_query::{
    Alias, Cond, Expr, ExprTrait, Func, LockBehavior, LockType, Order, Query, SelectStatement,
    UpdateStatement,
};
use uuid::Uuid;

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;

/// What a request says of the operation it asks for.
#[derive(Debug, Clone)]
pub struct NewOperation<'a> {
    /// What to do.
    pub kind: OperationKind,
    /// The share instance or snapshot instance to do it to.
    pub resource_id: Uuid,
    /// That resource's fence as it is after this transaction.
    pub resource_fence: i64,
    /// `host@backend`; `None`: any worker.
    pub service: Option<&'a str>,
    /// A JSON object for the steps.
    pub arguments: String,
    /// The project of the request.
    pub project_id: &'a str,
    /// The user of the request.
    pub user_id: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
    /// When the request came.
    pub now: Timestamp,
}

const COLUMNS: [&str; 19] = [
    "id",
    "kind",
    "resource_id",
    "resource_fence",
    "service",
    "state",
    "step",
    "arguments",
    "attempts",
    "run_at",
    "lease_owner",
    "lease_expires_at",
    "fence",
    "project_id",
    "user_id",
    "request_id",
    "error",
    "created_at",
    "finished_at",
];

/// The service `host@backend` that a `host@backend#pool` belongs to.
#[must_use]
pub fn service_of(host: &str) -> &str {
    host.split('#').next().unwrap_or(host)
}

/// Puts an operation into the queue, in the transaction that changes its resource.
///
/// # Errors
/// What the database says.
pub async fn enqueue(tx: &mut Tx, new: &NewOperation<'_>) -> Result<OperationId> {
    let id = OperationId::random();
    let mut insert = Query::insert();
    insert.into_table("operations").columns(COLUMNS).values_panic(values(id, new));
    tx.execute(&insert).await?;
    Ok(id)
}

/// As [`enqueue`], for up to some hundred in one statement.
///
/// # Errors
/// What the database says.
pub async fn enqueue_all(tx: &mut Tx, new: &[NewOperation<'_>]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table("operations").columns(COLUMNS);
    for operation in new {
        insert.values_panic(values(OperationId::random(), operation));
    }
    tx.execute(&insert).await.map(drop)
}

fn values(id: OperationId, new: &NewOperation<'_>) -> [Expr; COLUMNS.len()] {
    [
        id.to_string().into(),
        new.kind.as_str().into(),
        new.resource_id.to_string().into(),
        new.resource_fence.into(),
        new.service.map(str::to_owned).into(),
        OperationState::Queued.as_str().into(),
        0_i64.into(),
        new.arguments.as_str().into(),
        0_i64.into(),
        new.now.micros().into(),
        None::<String>.into(),
        None::<i64>.into(),
        0_i64.into(),
        new.project_id.into(),
        new.user_id.into(),
        new.request_id.into(),
        None::<String>.into(),
        new.now.micros().into(),
        None::<i64>.into(),
    ]
}

/// Whether an operation of this kind is queued or runs for a resource. One that is queued becomes due
/// at once, with all its attempts: there is something new to do. To be trusted when whoever ends such
/// an operation must hold a lock that the caller holds.
///
/// # Errors
/// What the database says.
pub async fn hasten(
    tx: &mut Tx,
    kind: OperationKind,
    resource_id: Uuid,
    now: Timestamp,
) -> Result<bool> {
    let update = Query::update()
        .table("operations")
        .value("run_at", now.micros())
        .value("attempts", 0_i64)
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .and_where(Expr::col("state").eq(OperationState::Queued.as_str()))
        .to_owned();
    if tx.execute(&update).await? > 0 {
        return Ok(true);
    }
    // Also what was put back into the queue just now.
    let select = Query::select()
        .column("id")
        .from("operations")
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .and_where(Expr::col("finished_at").is_null())
        .limit(1)
        .to_owned();
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// Claims the oldest operation that is due, or whose runner let its lease end, among those that
/// `services` (and any worker) may run. The claimer is alone with it until the lease ends.
///
/// # Errors
/// What the database says.
pub async fn claim(
    tx: &mut Tx,
    owner: &str,
    services: &[String],
    now: Timestamp,
    lease: Duration,
) -> Result<Option<Operation>> {
    // Two selects, since neither database walks one index for both conditions.
    let mut found = None;
    for condition in [due(now), abandoned(now)] {
        let mut select = claimable(services, condition);
        if tx.dialect().has_row_locks() {
            select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        found = tx.optional(&select, operation).await?;
        if found.is_some() {
            break;
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
pub async fn any_claimable(tx: &mut Tx, services: &[String], now: Timestamp) -> Result<bool> {
    for condition in [due(now), abandoned(now)] {
        if tx.optional(&claimable(services, condition), |_| Ok(())).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn due(now: Timestamp) -> Cond {
    Cond::all()
        .add(Expr::col("state").eq(OperationState::Queued.as_str()))
        .add(Expr::col("run_at").lte(now.micros()))
}

fn abandoned(now: Timestamp) -> Cond {
    Cond::all()
        .add(Expr::col("state").eq(OperationState::Running.as_str()))
        .add(Expr::col("lease_expires_at").lt(now.micros()))
}

fn claimable(services: &[String], condition: Cond) -> SelectStatement {
    let mut mine = Cond::any().add(Expr::col("service").is_null());
    if !services.is_empty() {
        mine = mine.add(Expr::col("service").is_in(services.iter().map(String::as_str)));
    }
    Query::select()
        .columns(COLUMNS)
        .from("operations")
        .cond_where(Cond::all().add(condition).add(mine))
        .order_by("run_at", Order::Asc)
        .limit(1)
        .to_owned()
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
    let owned = format!("{}/%", escape_like(worker));
    let update = Query::update()
        .table("operations")
        .value("lease_expires_at", 0_i64)
        .and_where(Expr::col("state").eq(OperationState::Running.as_str()))
        .and_where(Expr::col("lease_owner").like(sea_query::LikeExpr::new(owned).escape('!')))
        .to_owned();
    tx.execute(&update).await
}

/// `text` with `!` before what LIKE would take as a wildcard; to be used with `ESCAPE '!'`.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(character);
    }
    escaped
}

/// The operation with this id.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: OperationId) -> Result<Option<Operation>> {
    let select = Query::select()
        .columns(COLUMNS)
        .from("operations")
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    tx.optional(&select, operation).await
}

/// Every operation of a resource, oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_resource(tx: &mut Tx, resource_id: Uuid) -> Result<Vec<Operation>> {
    let select = Query::select()
        .columns(COLUMNS)
        .from("operations")
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .order_by("created_at", Order::Asc)
        .to_owned();
    tx.all(&select, operation).await
}

/// The arguments of every operation of this kind that a resource had, as far back as the log goes.
///
/// # Errors
/// What the database says.
pub async fn arguments_of(
    tx: &mut Tx,
    resource_id: Uuid,
    kind: OperationKind,
) -> Result<Vec<String>> {
    let select = Query::select()
        .column("arguments")
        .from("operations")
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .to_owned();
    tx.all(&select, |row| row.string(0)).await
}

/// Of these resources, those that an operation was once made for and none is pending for: what was
/// left of them in a backend is nobody's any more.
///
/// # Errors
/// What the database says.
pub async fn done_with(tx: &mut Tx, resources: &[Uuid]) -> Result<Vec<Uuid>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let ended = Expr::col("finished_at");
    let select = Query::select()
        .column("resource_id")
        .from("operations")
        .and_where(Expr::col("resource_id").is_in(resources.iter().map(Uuid::to_string)))
        .group_by_col("resource_id")
        .and_having(Func::count(ended).eq(Func::count(Expr::col("id"))))
        .to_owned();
    tx.all(&select, |row| row.parsed(0)).await
}

/// How many operations of a kind are in a state, and when the oldest of them was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The kind.
    pub kind: OperationKind,
    /// The state.
    pub state: OperationState,
    /// How many.
    pub count: i64,
    /// When the oldest was asked for.
    pub oldest: Timestamp,
}

/// The operations that have not ended, by kind and state.
///
/// # Errors
/// What the database says.
pub async fn pending(tx: &mut Tx) -> Result<Vec<Count>> {
    let select = Query::select()
        .column("kind")
        .column("state")
        .expr(Func::count(Expr::col("id")))
        .expr(Func::min(Expr::col("created_at")))
        .from("operations")
        .and_where(
            Expr::col("state")
                .is_in([OperationState::Queued.as_str(), OperationState::Running.as_str()]),
        )
        .group_by_columns([Alias::new("kind"), Alias::new("state")])
        .to_owned();
    tx.all(&select, |row| {
        Ok(Count {
            kind: row.parsed(0)?,
            state: row.parsed(1)?,
            count: row.integer(2)?,
            oldest: row.time(3)?,
        })
    })
    .await
}

/// The services that have operations of this kind still to end.
///
/// # Errors
/// What the database says.
pub async fn services_busy_with(tx: &mut Tx, kind: OperationKind) -> Result<Vec<String>> {
    let select = Query::select()
        .distinct()
        .column("service")
        .from("operations")
        .and_where(
            Expr::col("state")
                .is_in([OperationState::Queued.as_str(), OperationState::Running.as_str()]),
        )
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .and_where(Expr::col("service").is_not_null())
        .to_owned();
    tx.all(&select, |row| row.string(0)).await
}

/// Forgets operations that ended before `before`; returns how many.
///
/// # Errors
/// What the database says.
pub async fn delete_finished(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    let delete = Query::delete()
        .from_table("operations")
        .and_where(Expr::col("finished_at").lt(before.micros()))
        .to_owned();
    tx.execute(&delete).await
}

fn operation(row: &Row<'_>) -> Result<Operation> {
    Ok(Operation {
        id: row.parsed(0)?,
        kind: row.parsed(1)?,
        resource_id: row.parsed(2)?,
        resource_fence: row.integer(3)?,
        service: row.optional_string(4)?,
        state: row.parsed(5)?,
        step: row.integer(6)?,
        arguments: row.string(7)?,
        attempts: row.integer(8)?,
        run_at: row.time(9)?,
        lease_owner: row.optional_string(10)?,
        lease_expires_at: row.optional_time(11)?,
        fence: row.integer(12)?,
        project_id: row.string(13)?,
        user_id: row.string(14)?,
        request_id: row.string(15)?,
        error: row.optional_string(16)?,
        created_at: row.time(17)?,
        finished_at: row.optional_time(18)?,
    })
}
