//! The operation queue: what requests put into it, what runners do with it, what is told of it.

mod claim;
mod log;

use abaca_model::{Operation, OperationId, OperationKind, OperationState, Timestamp};
use sea_query::{Expr, ExprTrait, Query, UpdateStatement};
use uuid::Uuid;

pub use self::claim::{
    Next, advance, any_claimable, claim, end, hand_over, put_back, release_leases_of, renew,
    set_arguments,
};
pub use self::log::{
    Count, arguments_of, delete_finished, delete_succeeded, done_with, get, last, of_resource,
    pending, services_busy_with,
};
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
    if tx.execute(&due_now(kind, resource_id, now)).await? > 0 {
        return Ok(true);
    }
    // Also what was put back into the queue just now.
    is_pending(tx, kind, resource_id).await
}

/// Of what is queued.
fn due_now(kind: OperationKind, resource_id: Uuid, now: Timestamp) -> UpdateStatement {
    Query::update()
        .table("operations")
        .value("run_at", now.micros())
        .value("attempts", 0_i64)
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .and_where(Expr::col("state").eq(OperationState::Queued.as_str()))
        .to_owned()
}

/// As [`hasten`], but whether one is queued that was made for this fence of the resource: it will find
/// all that is there when this transaction ends. One that runs may have looked already. With
/// `arguments` it is told these instead of its own.
///
/// # Errors
/// What the database says.
pub async fn hasten_queued(
    tx: &mut Tx,
    kind: OperationKind,
    (resource_id, resource_fence): (Uuid, i64),
    arguments: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let mut update = due_now(kind, resource_id, now);
    update.and_where(Expr::col("resource_fence").eq(resource_fence));
    if let Some(arguments) = arguments {
        update.value("arguments", arguments);
    }
    Ok(tx.execute(&update).await? > 0)
}

/// Whether an operation of this kind is queued or runs for a resource.
///
/// # Errors
/// What the database says.
pub async fn is_pending(tx: &mut Tx, kind: OperationKind, resource_id: Uuid) -> Result<bool> {
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

/// Whether an operation that was made for this fence of a resource has still to end.
///
/// # Errors
/// What the database says.
pub async fn is_at_work(tx: &mut Tx, resource_id: Uuid, resource_fence: i64) -> Result<bool> {
    let select = Query::select()
        .column("id")
        .from("operations")
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("resource_fence").eq(resource_fence))
        .and_where(Expr::col("finished_at").is_null())
        .limit(1)
        .to_owned();
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// Lets any worker go on with what is queued or runs for a resource: that of its service may never
/// come back. Only for what needs no backend any more.
///
/// # Errors
/// What the database says.
pub async fn open_to_all(tx: &mut Tx, kind: OperationKind, resource_id: Uuid) -> Result<()> {
    let update = Query::update()
        .table("operations")
        .value("service", None::<String>)
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .and_where(Expr::col("finished_at").is_null())
        .to_owned();
    tx.execute(&update).await.map(drop)
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
