//! What the service tells a tenant of an operation that failed.

use abaca_model::{MessageId, Timestamp};
use sea_query::{Expr, ExprTrait, Order, Query};

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;

/// A message to the project whose operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Whom it tells.
    pub project_id: String,
    /// The request that asked for the operation.
    pub request_id: String,
    /// `SHARE`, `SHARE_SNAPSHOT`, as the API names them.
    pub resource_type: String,
    /// Which share or snapshot.
    pub resource_id: String,
    /// What was being done.
    pub action: String,
    /// What happened.
    pub detail: String,
    /// When.
    pub created_at: Timestamp,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

const COLUMNS: [&str; 9] = [
    "id",
    "project_id",
    "request_id",
    "resource_type",
    "resource_id",
    "action",
    "detail",
    "created_at",
    "expires_at",
];

/// The messages of a project, oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_project(tx: &mut Tx, project_id: &str) -> Result<Vec<Message>> {
    let select = Query::select()
        .columns(COLUMNS)
        .from("messages")
        .and_where(Expr::col("project_id").eq(project_id))
        .order_by("created_at", Order::Asc)
        .to_owned();
    tx.all(&select, message).await
}

fn message(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        id: row.parsed(0)?,
        project_id: row.string(1)?,
        request_id: row.string(2)?,
        resource_type: row.string(3)?,
        resource_id: row.string(4)?,
        action: row.string(5)?,
        detail: row.string(6)?,
        created_at: row.time(7)?,
        expires_at: row.time(8)?,
    })
}

/// Adds a message.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, message: &Message) -> Result<()> {
    let insert = Query::insert()
        .into_table("messages")
        .columns(COLUMNS)
        .values_panic([
            message.id.to_string().into(),
            message.project_id.as_str().into(),
            message.request_id.as_str().into(),
            message.resource_type.as_str().into(),
            message.resource_id.as_str().into(),
            message.action.as_str().into(),
            message.detail.as_str().into(),
            message.created_at.micros().into(),
            message.expires_at.micros().into(),
        ])
        .to_owned();
    tx.execute(&insert).await.map(drop)
}

/// Forgets what expired before `now`; returns how many.
///
/// # Errors
/// What the database says.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    let delete = Query::delete()
        .from_table("messages")
        .and_where(Expr::col("expires_at").lt(now.micros()))
        .to_owned();
    tx.execute(&delete).await
}
