//! The audit record of what administrators set by hand.

use abaca_model::{AuditId, Timestamp};
use sea_query::{Expr, ExprTrait, Order, Query};

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;

/// Who set which resource from which status to which, when, by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub created_at: Timestamp,
    /// Who.
    pub user_id: String,
    /// In which project that user was.
    pub project_id: String,
    /// The id of the request.
    pub request_id: String,
    /// What was done: `reset_status`, `reset_replica_state`, `reset_task_state`, `force_delete`.
    pub action: String,
    /// `share_instance`, `snapshot_instance` or `share`.
    pub resource_type: String,
    /// Which.
    pub resource_id: String,
    /// The status before, or the state that was set.
    pub status_from: String,
    /// The same after.
    pub status_to: String,
}

const COLUMNS: [&str; 10] = [
    "id",
    "created_at",
    "user_id",
    "project_id",
    "request_id",
    "action",
    "resource_type",
    "resource_id",
    "status_from",
    "status_to",
];

/// Adds a record.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, record: &AuditRecord) -> Result<()> {
    let insert = Query::insert()
        .into_table("audit_records")
        .columns(COLUMNS)
        .values_panic([
            record.id.to_string().into(),
            record.created_at.micros().into(),
            record.user_id.as_str().into(),
            record.project_id.as_str().into(),
            record.request_id.as_str().into(),
            record.action.as_str().into(),
            record.resource_type.as_str().into(),
            record.resource_id.as_str().into(),
            record.status_from.as_str().into(),
            record.status_to.as_str().into(),
        ])
        .to_owned();
    tx.execute(&insert).await.map(drop)
}

/// The records of one resource, oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_resource(tx: &mut Tx, resource_id: &str) -> Result<Vec<AuditRecord>> {
    let select = Query::select()
        .columns(COLUMNS)
        .from("audit_records")
        .and_where(Expr::col("resource_id").eq(resource_id))
        .order_by("created_at", Order::Asc)
        .to_owned();
    tx.all(&select, record).await
}

fn record(row: &Row<'_>) -> Result<AuditRecord> {
    Ok(AuditRecord {
        id: row.parsed(0)?,
        created_at: row.time(1)?,
        user_id: row.string(2)?,
        project_id: row.string(3)?,
        request_id: row.string(4)?,
        action: row.string(5)?,
        resource_type: row.string(6)?,
        resource_id: row.string(7)?,
        status_from: row.string(8)?,
        status_to: row.string(9)?,
    })
}
