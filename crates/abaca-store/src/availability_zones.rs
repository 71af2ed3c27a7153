//! Availability zones: made when a service first reports one, never removed.

use abaca_model::{AvailabilityZone, AvailabilityZoneId, Timestamp};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;

const TABLE: &str = "availability_zones";
const COLUMNS: [&str; 4] = ["id", "name", "created_at", "updated_at"];

fn zone(row: &Row<'_>) -> Result<AvailabilityZone> {
    Ok(AvailabilityZone {
        id: row.parsed(0)?,
        name: row.string(1)?,
        created_at: row.time(2)?,
        updated_at: row.optional_time(3)?,
    })
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from(TABLE).take()
}

/// The zones in which a service is that no administrator disabled, by name.
///
/// # Errors
/// What the database says.
pub async fn in_use(tx: &mut Tx) -> Result<Vec<AvailabilityZone>> {
    let enabled = Query::select()
        .column("availability_zone")
        .from("services")
        .and_where(Expr::col("disabled").eq(0_i64))
        .take();
    let mut zones = select();
    zones.and_where(Expr::col("name").in_subquery(enabled)).order_by("name", Order::Asc);
    tx.all(&zones, zone).await
}

/// The zone with this name or id.
///
/// # Errors
/// What the database says.
pub async fn by_name_or_id(tx: &mut Tx, name_or_id: &str) -> Result<Option<AvailabilityZone>> {
    let key = match name_or_id.parse::<AvailabilityZoneId>() {
        Ok(id) => Expr::col("id").eq(id.to_string()),
        Err(_) => Expr::col("name").eq(name_or_id),
    };
    tx.optional(select().and_where(key), zone).await
}

/// Makes the zone `name` if it isn't there.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when another transaction made it at the same
/// time: try again.
pub async fn ensure(tx: &mut Tx, name: &str, now: Timestamp) -> Result<()> {
    let found = tx.optional(select().and_where(Expr::col("name").eq(name)), zone).await?;
    if found.is_some() {
        return Ok(());
    }
    let insert = Query::insert()
        .into_table(TABLE)
        .columns(COLUMNS)
        .values_panic([
            AvailabilityZoneId::random().to_string().into(),
            name.into(),
            now.micros().into(),
            None::<i64>.into(),
        ])
        .take();
    tx.execute(&insert).await?;
    Ok(())
}
