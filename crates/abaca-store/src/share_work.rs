//! What operations read and write of share instances. Every write is guarded by the fence the
//! operation was made with; `false` means that the instance was taken over or is gone.

use std::collections::BTreeMap;

use abaca_model::{ShareId, ShareInstanceId, ShareStatus, ShareTypeId, Timestamp};
use sea_query::{Expr, ExprTrait, Query, UpdateStatement};

use crate::affinity;
use crate::error::Result;
use crate::export_work::{self, NewExportLocation, Owner};
use crate::metadata::{self, Pairs};
use crate::row::Row;
use crate::shares;
use crate::tx::Tx;

/// A share instance as an operation needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareWork {
    /// The instance.
    pub id: ShareInstanceId,
    /// Its share.
    pub share_id: ShareId,
    /// The project that owns the share.
    pub project_id: String,
    /// Size of the share in GiB.
    pub size: i64,
    /// Protocol of the share.
    pub share_proto: String,
    /// Type of the share.
    pub share_type_id: ShareTypeId,
    /// The last part of the path the share is mounted by, if the tenant chose one.
    pub mount_point_name: Option<String>,
    /// `host@backend#pool`; `None` until it is placed.
    pub host: Option<String>,
    /// The zone it is in or was asked for.
    pub availability_zone: Option<String>,
    /// Its status.
    pub status: ShareStatus,
    /// Its fence.
    pub fence: i64,
}

/// The share instance with this id.
///
/// # Errors
/// What the database says.
pub async fn load(tx: &mut Tx, id: ShareInstanceId) -> Result<Option<ShareWork>> {
    let select = Query::select()
        .column(("share_instances", "id"))
        .columns(
            ["id", "project_id", "size", "share_proto", "share_type_id"]
                .map(|column| ("shares", column)),
        )
        .columns(
            ["host", "availability_zone", "status", "fence"]
                .map(|column| ("share_instances", column)),
        )
        .column(("shares", "mount_point_name"))
        .from("share_instances")
        .inner_join("shares", Expr::col(("shares", "id")).equals(("share_instances", "share_id")))
        .and_where(Expr::col(("share_instances", "id")).eq(id.to_string()))
        .to_owned();
    tx.optional(&select, share_work).await
}

fn share_work(row: &Row<'_>) -> Result<ShareWork> {
    Ok(ShareWork {
        id: row.parsed(0)?,
        share_id: row.parsed(1)?,
        project_id: row.string(2)?,
        size: row.integer(3)?,
        share_proto: row.string(4)?,
        share_type_id: row.parsed(5)?,
        host: row.optional_string(6)?,
        availability_zone: row.optional_string(7)?,
        status: row.parsed(8)?,
        fence: row.integer(9)?,
        mount_point_name: row.optional_string(10)?,
    })
}

/// The extra specs of a share type, required and optional alike.
///
/// # Errors
/// What the database says.
pub async fn extra_specs(tx: &mut Tx, id: ShareTypeId) -> Result<BTreeMap<String, String>> {
    let select = Query::select()
        .columns(["name", "value"])
        .from("share_type_extra_specs")
        .and_where(Expr::col("share_type_id").eq(id.to_string()))
        .to_owned();
    let specs = tx.all(&select, |row| Ok((row.string(0)?, row.string(1)?))).await?;
    Ok(specs.into_iter().collect())
}

fn guarded(id: ShareInstanceId, fence: i64, now: Timestamp) -> UpdateStatement {
    Query::update()
        .table("share_instances")
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .and_where(Expr::col("fence").eq(fence))
        .to_owned()
}

/// Records where the instance goes.
///
/// # Errors
/// What the database says.
pub async fn place(
    tx: &mut Tx,
    id: ShareInstanceId,
    fence: i64,
    host: &str,
    availability_zone: &str,
    now: Timestamp,
) -> Result<bool> {
    let update = guarded(id, fence, now)
        .value("host", host)
        .value("availability_zone", availability_zone)
        .value("scheduled_at", now.micros())
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Records that the instance is in its backend and can be used.
///
/// # Errors
/// What the database says.
pub async fn created(
    tx: &mut Tx,
    id: ShareInstanceId,
    fence: i64,
    exports: &[NewExportLocation],
    now: Timestamp,
) -> Result<bool> {
    let update = guarded(id, fence, now)
        .value("status", ShareStatus::Available.as_str())
        .value("progress", "100%")
        .value("launched_at", now.micros())
        .to_owned();
    if tx.execute(&update).await? == 0 {
        return Ok(false);
    }
    record_exports(tx, id, exports, now).await?;
    Ok(true)
}

/// Makes the export locations of the instance be `exports`.
///
/// # Errors
/// What the database says.
pub async fn record_exports(
    tx: &mut Tx,
    id: ShareInstanceId,
    exports: &[NewExportLocation],
    now: Timestamp,
) -> Result<()> {
    export_work::replace(tx, Owner::ShareInstance(id), exports, now).await
}

/// Sets the status of the instance.
///
/// # Errors
/// What the database says.
pub async fn set_status(
    tx: &mut Tx,
    id: ShareInstanceId,
    fence: i64,
    status: ShareStatus,
    now: Timestamp,
) -> Result<bool> {
    let update = guarded(id, fence, now).value("status", status.as_str()).to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Records the new size of the share, in GiB, and makes the instance available again.
///
/// # Errors
/// What the database says.
pub async fn resized(
    tx: &mut Tx,
    work: &ShareWork,
    fence: i64,
    size: i64,
    now: Timestamp,
) -> Result<bool> {
    if !set_status(tx, work.id, fence, ShareStatus::Available, now).await? {
        return Ok(false);
    }
    set_size(tx, work.share_id, size, now).await?;
    Ok(true)
}

/// Records the size in GiB of a share that its backend held already, and since when it is the
/// service's. Its instance must have been guarded in this transaction.
///
/// # Errors
/// What the database says.
pub async fn managed(tx: &mut Tx, work: &ShareWork, size: i64, now: Timestamp) -> Result<()> {
    set_size(tx, work.share_id, size, now).await?;
    metadata::put(tx, metadata::Owner::Share(work.share_id), &managed_at(now)).await
}

async fn set_size(tx: &mut Tx, share: ShareId, size: i64, now: Timestamp) -> Result<()> {
    let update = Query::update()
        .table("shares")
        .value("size", size)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(share.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// What tells since when a share or snapshot is the service's that it did not make.
pub(crate) fn managed_at(now: Timestamp) -> Pairs {
    Pairs::from([("__managed_at".to_owned(), now.to_string())])
}

/// Removes the instance, and with its last instance the share.
///
/// # Errors
/// What the database says; [`crate::Error::ForeignKey`] while snapshots refer to either.
pub async fn remove(tx: &mut Tx, work: &ShareWork, fence: i64) -> Result<bool> {
    // Of the last two that go at the same time, one must see that it is the last.
    shares::get_locked(tx, work.share_id).await?;
    let delete = Query::delete()
        .from_table("share_instances")
        .and_where(Expr::col("id").eq(work.id.to_string()))
        .and_where(Expr::col("fence").eq(fence))
        .to_owned();
    if tx.execute(&delete).await? == 0 {
        return Ok(false);
    }
    let others = Query::select()
        .column("id")
        .from("share_instances")
        .and_where(Expr::col("share_id").eq(work.share_id.to_string()))
        .limit(1)
        .to_owned();
    if tx.optional(&others, |_| Ok(())).await?.is_none() {
        affinity::forget(tx, work.share_id).await?;
        let delete = Query::delete()
            .from_table("shares")
            .and_where(Expr::col("id").eq(work.share_id.to_string()))
            .to_owned();
        tx.execute(&delete).await?;
    }
    Ok(true)
}

/// The share instances that a service holds: id and status, ordered by id.
///
/// # Errors
/// What the database says.
pub async fn held_by(tx: &mut Tx, service: &str) -> Result<Vec<(ShareInstanceId, ShareStatus)>> {
    let select = Query::select()
        .columns(["id", "status"])
        .from("share_instances")
        .and_where(crate::hosts::on_service(Expr::col("host"), service))
        .order_by("id", sea_query::Order::Asc)
        .to_owned();
    tx.all(&select, |row| Ok((row.parsed(0)?, row.parsed(1)?))).await
}
