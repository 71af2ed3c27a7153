//! Shares in the recycle bin: those with a time at which they will be deleted.

use abaca_model::{ShareId, ShareStatus, Timestamp};
use sea_query::{Cond, Expr, ExprTrait, Order, Query};

use super::TABLE;
use crate::error::Result;
use crate::share_instances;
use crate::tx::Tx;

/// Puts a share into the recycle bin until `when`, or takes it out.
///
/// # Errors
/// What the database says.
pub async fn set_deletion(
    tx: &mut Tx,
    id: ShareId,
    when: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("scheduled_to_be_deleted_at", when.map(Timestamp::micros))
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()));
    tx.execute(&update).await.map(drop)
}

/// At most `limit` shares behind `after`, ordered by id, whose time in the recycle bin was over at
/// `now` and that nothing works on. One whose deletion failed counts only when that was before
/// `retry_before`.
///
/// # Errors
/// What the database says.
pub async fn expired(
    tx: &mut Tx,
    now: Timestamp,
    retry_before: Timestamp,
    after: Option<ShareId>,
    limit: u64,
) -> Result<Vec<ShareId>> {
    let instances = share_instances::TABLE;
    let status = || Expr::col((instances, "status"));
    let settled = [ShareStatus::Available, ShareStatus::Error, ShareStatus::Inactive];
    let failed_long_ago = Cond::all()
        .add(status().eq(ShareStatus::ErrorDeleting.as_str()))
        .add(Expr::col((instances, "updated_at")).lte(retry_before.micros()));
    let mut places = Query::select();
    places.from(instances).column((instances, "share_id")).cond_where(
        Cond::any().add(status().is_in(settled.map(ShareStatus::as_str))).add(failed_long_ago),
    );
    let mut select = Query::select();
    select
        .from(TABLE)
        .column((TABLE, "id"))
        .and_where(Expr::col((TABLE, "scheduled_to_be_deleted_at")).lte(now.micros()))
        .and_where(Expr::col((TABLE, "id")).in_subquery(places))
        .order_by((TABLE, "id"), Order::Asc)
        .limit(limit);
    if let Some(after) = after {
        select.and_where(Expr::col((TABLE, "id")).gt(after.to_string()));
    }
    tx.all(&select, |row| row.parsed(0)).await
}
