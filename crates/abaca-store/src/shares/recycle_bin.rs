//! Shares in the recycle bin: those with a time at which they will be deleted.

use std::ops::RangeInclusive;
use std::time::Duration;

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

/// The shares whose time in the recycle bin was over at `now` and that nothing works on, in the
/// order of their times. One whose deletion failed is left alone for as long as it has been failing
/// by then, but no shorter or longer than `pause` says.
///
/// # Errors
/// What the database says.
pub async fn expired(
    tx: &mut Tx,
    now: Timestamp,
    pause: RangeInclusive<Duration>,
) -> Result<Vec<ShareId>> {
    let instances = share_instances::TABLE;
    let status = || Expr::col((instances, "status"));
    let end = || Expr::col((TABLE, "scheduled_to_be_deleted_at"));
    let failed = || Expr::col((instances, "updated_at"));
    let settled = [ShareStatus::Available, ShareStatus::Error, ShareStatus::Inactive];
    let has_paused = Cond::any()
        .add(failed().lte(now.before(*pause.end()).micros()))
        .add(failed().sub(end()).lte(Expr::val(now.micros()).sub(failed())));
    let failed_long_ago = Cond::all()
        .add(status().eq(ShareStatus::ErrorDeleting.as_str()))
        .add(failed().lte(now.before(*pause.start()).micros()))
        .add(has_paused);
    let mut place = Query::select();
    place
        .column((instances, "id"))
        .from(instances)
        .and_where(Expr::col((instances, "share_id")).equals((TABLE, "id")))
        .cond_where(
            Cond::any().add(status().is_in(settled.map(ShareStatus::as_str))).add(failed_long_ago),
        );
    let mut select = Query::select();
    select
        .from(TABLE)
        .column((TABLE, "id"))
        .and_where(end().lte(now.micros()))
        .and_where(Expr::exists(place))
        // Not by id: SQLite would walk all shares in that order, rather than the index of the times.
        .order_by((TABLE, "scheduled_to_be_deleted_at"), Order::Asc);
    tx.all(&select, |row| row.parsed(0)).await
}
