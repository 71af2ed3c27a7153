//! The paths under which share instances can be mounted.

use abaca_model::{ExportLocation, ExportLocationId, ShareId, ShareInstanceId};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement};

use crate::error::Result;
use crate::metadata;
use crate::row::Row;
use crate::tx::Tx;

pub(crate) const TABLE: &str = "share_instance_export_locations";
const INSTANCES: &str = "share_instances";
const COLUMNS: [&str; 6] =
    ["id", "share_instance_id", "path", "is_admin_only", "created_at", "updated_at"];

/// Which export locations of a share are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfShare {
    /// The share.
    pub share_id: ShareId,
    /// Also those for administrators.
    pub with_admin_only: bool,
    /// Also those of replicas beside the active one.
    pub with_secondary_replicas: bool,
}

impl OfShare {
    fn select(self) -> SelectStatement {
        let mut select = select();
        select
            .inner_join(
                INSTANCES,
                Expr::col((INSTANCES, "id")).equals((TABLE, "share_instance_id")),
            )
            .and_where(Expr::col((INSTANCES, "share_id")).eq(self.share_id.to_string()));
        if !self.with_admin_only {
            select.and_where(Expr::col((TABLE, "is_admin_only")).eq(0_i64));
        }
        if !self.with_secondary_replicas {
            let state = || Expr::col((INSTANCES, "replica_state"));
            select.cond_where(Cond::any().add(state().is_null()).add(state().eq("active")));
        }
        select
    }
}

fn select() -> SelectStatement {
    let mut select = Query::select();
    select.from(TABLE).columns(COLUMNS.map(|column| (TABLE, column)));
    select
}

fn in_order(select: &mut SelectStatement) {
    select.order_by((TABLE, "created_at"), Order::Asc).order_by((TABLE, "id"), Order::Asc);
}

/// Its metadata is read apart.
fn location(row: &Row<'_>) -> Result<ExportLocation> {
    Ok(ExportLocation {
        id: row.parsed(0)?,
        share_instance_id: row.parsed(1)?,
        path: row.string(2)?,
        is_admin_only: row.boolean(3)?,
        metadata: metadata::Pairs::new(),
        created_at: row.time(4)?,
        updated_at: row.optional_time(5)?,
    })
}

/// The locations that `select` finds, with their metadata.
async fn complete(tx: &mut Tx, select: &SelectStatement) -> Result<Vec<ExportLocation>> {
    let mut locations = tx.all(select, location).await?;
    let ids: Vec<String> = locations.iter().map(|location| location.id.to_string()).collect();
    let mut metadata = metadata::of_many(tx, metadata::OF_EXPORT_LOCATIONS, &ids).await?;
    for location in &mut locations {
        location.metadata = metadata.remove(&location.id.to_string()).unwrap_or_default();
    }
    Ok(locations)
}

/// The export locations of a share, the oldest first, but those of instances that a migration is
/// still filling.
///
/// # Errors
/// What the database says.
pub async fn of_share(tx: &mut Tx, wanted: OfShare) -> Result<Vec<ExportLocation>> {
    let mut select = wanted.select();
    select.and_where(Expr::col((INSTANCES, "status")).ne("migrating_to"));
    in_order(&mut select);
    complete(tx, &select).await
}

/// One export location of a share.
///
/// # Errors
/// What the database says.
pub async fn get_of_share(
    tx: &mut Tx,
    wanted: OfShare,
    id: ExportLocationId,
) -> Result<Option<ExportLocation>> {
    let mut select = wanted.select();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    Ok(complete(tx, &select).await?.pop())
}

/// The export locations of a share instance, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_instance(tx: &mut Tx, id: ShareInstanceId) -> Result<Vec<ExportLocation>> {
    let mut select = select();
    select.and_where(Expr::col((TABLE, "share_instance_id")).eq(id.to_string()));
    in_order(&mut select);
    complete(tx, &select).await
}

/// Whether a share instance in a pool, `host@backend#pool`, has this export path.
///
/// # Errors
/// What the database says.
pub async fn any_at(tx: &mut Tx, host: &str, path: &str) -> Result<bool> {
    let mut select = Query::select();
    select
        .column((TABLE, "id"))
        .from(TABLE)
        .inner_join(INSTANCES, Expr::col((INSTANCES, "id")).equals((TABLE, "share_instance_id")))
        .and_where(Expr::col((TABLE, "path")).eq(path))
        .and_where(Expr::col((INSTANCES, "host")).eq(host))
        .limit(1);
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// One export location of a share instance.
///
/// # Errors
/// What the database says.
pub async fn get_of_instance(
    tx: &mut Tx,
    instance: ShareInstanceId,
    id: ExportLocationId,
) -> Result<Option<ExportLocation>> {
    let mut select = select();
    select
        .and_where(Expr::col((TABLE, "share_instance_id")).eq(instance.to_string()))
        .and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    Ok(complete(tx, &select).await?.pop())
}
