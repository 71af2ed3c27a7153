//! What the queue's rows tell, of operations that are pending and of those that have ended.

use abaca_model::{Operation, OperationId, OperationKind, OperationState, Timestamp};
use sea_query::{Alias, Expr, ExprTrait, Func, Order, Query};
use uuid::Uuid;

use super::{COLUMNS, operation};
use crate::error::Result;
use crate::tx::Tx;

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

/// The operation of this kind that a resource was given last.
///
/// # Errors
/// What the database says.
pub async fn last(
    tx: &mut Tx,
    kind: OperationKind,
    resource_id: Uuid,
) -> Result<Option<Operation>> {
    let select = Query::select()
        .columns(COLUMNS)
        .from("operations")
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .order_by("created_at", Order::Desc)
        .limit(1)
        .to_owned();
    tx.optional(&select, operation).await
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

/// Forgets the operations of this kind that a resource had, and that succeeded before `before`.
///
/// # Errors
/// What the database says.
pub async fn delete_succeeded(
    tx: &mut Tx,
    kind: OperationKind,
    resource_id: Uuid,
    before: Timestamp,
) -> Result<()> {
    let delete = Query::delete()
        .from_table("operations")
        .and_where(Expr::col("resource_id").eq(resource_id.to_string()))
        .and_where(Expr::col("kind").eq(kind.as_str()))
        .and_where(Expr::col("state").eq(OperationState::Succeeded.as_str()))
        .and_where(Expr::col("finished_at").lt(before.micros()))
        .to_owned();
    tx.execute(&delete).await.map(drop)
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
