//! Share instances: a share in each place it lives in.

mod list;

use abaca_model::{ShareId, ShareInstance, ShareInstanceId, ShareStatus, ShareTypeId, Timestamp};
use sea_query::{Expr, ExprTrait, LockType, Order, Query, SelectStatement};

use crate::error::{Error, Result};
use crate::row::Row;
use crate::tx::Tx;

pub(crate) use list::exported;
pub use list::{Filter, ListedInstance, Page, fold, position};

pub(crate) const TABLE: &str = "share_instances";
const SHARES: &str = "shares";
const COLUMNS: [&str; 14] = [
    "id",
    "share_id",
    "host",
    "availability_zone",
    "status",
    "access_rules_status",
    "replica_state",
    "progress",
    "cast_rules_to_readonly",
    "fence",
    "created_at",
    "updated_at",
    "scheduled_at",
    "launched_at",
];

fn select() -> SelectStatement {
    let mut select = Query::select();
    select.from(TABLE).columns(COLUMNS.map(|column| (TABLE, column)));
    select
}

fn record(row: &Row<'_>) -> Result<ShareInstance> {
    Ok(ShareInstance {
        id: row.parsed(0)?,
        share_id: row.parsed(1)?,
        host: row.optional_string(2)?,
        availability_zone: row.optional_string(3)?,
        status: row.parsed(4)?,
        access_rules_status: row.parsed(5)?,
        replica_state: row.optional_string(6)?,
        progress: row.optional_string(7)?,
        cast_rules_to_readonly: row.boolean(8)?,
        fence: row.integer(9)?,
        created_at: row.time(10)?,
        updated_at: row.optional_time(11)?,
        scheduled_at: row.optional_time(12)?,
        launched_at: row.optional_time(13)?,
    })
}

/// The instance with this id.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: ShareInstanceId) -> Result<Option<ShareInstance>> {
    let mut select = select();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    tx.optional(&select, record).await
}

/// What an instance has of its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfShare {
    /// The share's project.
    pub project_id: String,
    /// The user who made the share.
    pub user_id: String,
    /// The share is visible to every project.
    pub is_public: bool,
    /// The share's type.
    pub share_type_id: ShareTypeId,
}

/// As [`get`], with what it has of its share.
///
/// # Errors
/// What the database says.
pub async fn get_with_share(
    tx: &mut Tx,
    id: ShareInstanceId,
) -> Result<Option<(ShareInstance, OfShare)>> {
    let mut select = select();
    select
        .columns(["project_id", "user_id", "is_public", "share_type_id"].map(|c| (SHARES, c)))
        .inner_join(SHARES, Expr::col((SHARES, "id")).equals((TABLE, "share_id")))
        .and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    tx.optional(&select, |row| {
        let share = OfShare {
            project_id: row.string(14)?,
            user_id: row.string(15)?,
            is_public: row.boolean(16)?,
            share_type_id: row.parsed(17)?,
        };
        Ok((record(row)?, share))
    })
    .await
}

/// As [`get`]; nobody else can change the instance until this transaction ends.
///
/// # Errors
/// What the database says.
pub async fn get_locked(tx: &mut Tx, id: ShareInstanceId) -> Result<Option<ShareInstance>> {
    let mut select = select();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    lock(tx, &mut select);
    tx.optional(&select, record).await
}

/// Of the instances in these statuses that a service, `host@backend`, holds, the ids of those that
/// follow `after`, up to `limit`.
///
/// # Errors
/// What the database says.
pub async fn ids_of_service(
    tx: &mut Tx,
    service: &str,
    statuses: &[ShareStatus],
    after: Option<ShareInstanceId>,
    limit: u64,
) -> Result<Vec<ShareInstanceId>> {
    let mut select = Query::select();
    select
        .column("id")
        .from(TABLE)
        .and_where(crate::hosts::on_service(Expr::col((TABLE, "host")), service))
        .and_where(Expr::col("status").is_in(statuses.iter().map(|status| status.as_str())))
        .and_where_option(after.map(|after| Expr::col("id").gt(after.to_string())))
        .order_by("id", Order::Asc)
        .limit(limit);
    tx.all(&select, |row| row.parsed(0)).await
}

/// Those of the instances that are still there; nobody else can change them until this transaction
/// ends.
///
/// # Errors
/// What the database says.
pub async fn all_locked(tx: &mut Tx, ids: &[ShareInstanceId]) -> Result<Vec<ShareInstance>> {
    let mut select = select();
    select
        .and_where(Expr::col((TABLE, "id")).is_in(ids.iter().map(ToString::to_string)))
        .order_by((TABLE, "id"), Order::Asc);
    lock(tx, &mut select);
    tx.all(&select, record).await
}

/// Every instance of a share, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_share(tx: &mut Tx, id: ShareId) -> Result<Vec<ShareInstance>> {
    tx.all(&select_of_share(id), record).await
}

/// As [`of_share`]; nobody else can change them until this transaction ends.
///
/// # Errors
/// What the database says.
pub async fn of_share_locked(tx: &mut Tx, id: ShareId) -> Result<Vec<ShareInstance>> {
    let mut select = select_of_share(id);
    lock(tx, &mut select);
    tx.all(&select, record).await
}

fn select_of_share(id: ShareId) -> SelectStatement {
    let mut select = select();
    select
        .and_where(Expr::col((TABLE, "share_id")).eq(id.to_string()))
        .order_by((TABLE, "created_at"), Order::Asc)
        .order_by((TABLE, "id"), Order::Asc);
    select
}

/// Whether the deletion of any instance has been deferred.
///
/// # Errors
/// What the database says.
pub async fn any_deferred(tx: &mut Tx) -> Result<bool> {
    let deferred = ShareStatus::DEFERRED.map(ShareStatus::as_str);
    let select = Query::select()
        .column("id")
        .from(TABLE)
        .and_where(Expr::col("status").is_in(deferred))
        .limit(1)
        .take();
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

fn lock(tx: &Tx, select: &mut SelectStatement) {
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
}

/// Adds an instance.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, instance: &ShareInstance) -> Result<()> {
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(COLUMNS).values_panic([
        instance.id.to_string().into(),
        instance.share_id.to_string().into(),
        instance.host.clone().into(),
        instance.availability_zone.clone().into(),
        instance.status.as_str().into(),
        instance.access_rules_status.as_str().into(),
        instance.replica_state.clone().into(),
        instance.progress.clone().into(),
        i64::from(instance.cast_rules_to_readonly).into(),
        instance.fence.into(),
        instance.created_at.micros().into(),
        instance.updated_at.map(Timestamp::micros).into(),
        instance.scheduled_at.map(Timestamp::micros).into(),
        instance.launched_at.map(Timestamp::micros).into(),
    ]);
    tx.execute(&insert).await.map(drop)
}

/// Takes a locked instance over from whatever works on it: sets its status and raises its fence,
/// which is returned.
///
/// # Errors
/// What the database says; a conflict when the instance was not locked and has changed.
pub async fn take_over(
    tx: &mut Tx,
    instance: &ShareInstance,
    status: ShareStatus,
    now: Timestamp,
) -> Result<i64> {
    let fence = instance.fence + 1;
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("status", status.as_str())
        .value("fence", fence)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(instance.id.to_string()))
        .and_where(Expr::col("fence").eq(instance.fence));
    match tx.execute(&update).await? {
        1 => Ok(fence),
        _ => Err(Error::Conflict("the share instance was changed meanwhile".into())),
    }
}

/// As [`take_over`], for many that this transaction has locked: the fence of each rises by one.
///
/// # Errors
/// `Conflict` when one is gone; what the database says.
pub async fn take_over_all(
    tx: &mut Tx,
    instances: &[ShareInstance],
    status: ShareStatus,
    now: Timestamp,
) -> Result<()> {
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("status", status.as_str())
        .value("fence", Expr::col("fence").add(1))
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").is_in(instances.iter().map(|instance| instance.id.to_string())));
    if tx.execute(&update).await? == instances.len() as u64 {
        return Ok(());
    }
    Err(Error::Conflict("a share instance was changed meanwhile".into()))
}
