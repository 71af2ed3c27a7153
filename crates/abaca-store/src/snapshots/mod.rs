//! Snapshots as tenants see them: one row each, whose status is that of its instances.

mod list;

use std::collections::{BTreeMap, HashMap};

use abaca_model::{
    ShareId, ShareStatus, Snapshot, SnapshotId, SnapshotPlace, SnapshotStatus, Timestamp,
    aggregate_status, representative,
};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use crate::error::Result;
use crate::metadata;
use crate::row::Row;
use crate::tx::Tx;

pub use list::{Filter, Page, SortKey, count, list, position};

/// A snapshot and what its instances say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotWithStatus {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The aggregate of its instances' statuses.
    pub status: SnapshotStatus,
    /// Where the backend of the representative instance keeps the bytes.
    pub provider_location: Option<String>,
}

const TABLE: &str = "snapshots";
const METADATA: &str = metadata::OF_SNAPSHOTS.name;
const COLUMNS: [&str; 11] = [
    "id",
    "share_id",
    "project_id",
    "user_id",
    "name",
    "description",
    "size",
    "share_size",
    "share_proto",
    "created_at",
    "updated_at",
];

fn select() -> SelectStatement {
    let mut select = Query::select();
    select.from(TABLE).columns(COLUMNS.map(|column| (TABLE, column)));
    select
}

/// Its metadata is read apart.
fn snapshot(row: &Row<'_>) -> Result<Snapshot> {
    Ok(Snapshot {
        id: row.parsed(0)?,
        share_id: row.parsed(1)?,
        project_id: row.string(2)?,
        user_id: row.string(3)?,
        name: row.optional_string(4)?,
        description: row.optional_string(5)?,
        size: row.integer(6)?,
        share_size: row.integer(7)?,
        share_proto: row.string(8)?,
        created_at: row.time(9)?,
        updated_at: row.optional_time(10)?,
        metadata: BTreeMap::new(),
    })
}

/// The snapshot with this id; `None` also when it has no instance, so that it is nowhere.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: SnapshotId) -> Result<Option<SnapshotWithStatus>> {
    let mut select = select();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    let found = tx.optional(&select, snapshot).await?;
    Ok(complete(tx, found.into_iter().collect()).await?.into_iter().next())
}

/// Adds metadata and status to snapshots.
async fn complete(tx: &mut Tx, snapshots: Vec<Snapshot>) -> Result<Vec<SnapshotWithStatus>> {
    if snapshots.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = snapshots.iter().map(|snapshot| snapshot.id.to_string()).collect();
    let mut metadata = metadata::of_many(tx, metadata::OF_SNAPSHOTS, &ids).await?;
    let places = places_of(tx, &ids).await?;
    let complete = snapshots.into_iter().filter_map(|mut snapshot| {
        let places = places.get(&snapshot.id)?;
        let statuses: Vec<_> = places.iter().map(Place::status).collect();
        let status = aggregate_status(&statuses)?;
        let representative = places.get(representative(&statuses)?)?;
        snapshot.metadata = metadata.remove(&snapshot.id.to_string()).unwrap_or_default();
        let provider_location = representative.provider_location.clone();
        Some(SnapshotWithStatus { snapshot, status, provider_location })
    });
    Ok(complete.collect())
}

/// One instance, as far as its snapshot's status asks.
struct Place {
    status: SnapshotStatus,
    share_status: ShareStatus,
    replica_state: Option<String>,
    provider_location: Option<String>,
}

impl Place {
    fn status(&self) -> SnapshotPlace<'_> {
        SnapshotPlace {
            status: self.status,
            share_status: self.share_status,
            replica_state: self.replica_state.as_deref(),
        }
    }
}

async fn places_of(tx: &mut Tx, ids: &[String]) -> Result<HashMap<SnapshotId, Vec<Place>>> {
    let mut all = HashMap::new();
    for ids in ids.chunks(metadata::OWNERS) {
        all = add_places(tx, ids, all).await?;
    }
    Ok(all)
}

async fn add_places(
    tx: &mut Tx,
    ids: &[String],
    all: HashMap<SnapshotId, Vec<Place>>,
) -> Result<HashMap<SnapshotId, Vec<Place>>> {
    let mut select = Query::select();
    select
        .from("snapshot_instances")
        .columns([
            ("snapshot_instances", "snapshot_id"),
            ("snapshot_instances", "status"),
            ("share_instances", "status"),
            ("share_instances", "replica_state"),
            ("snapshot_instances", "provider_location"),
        ])
        .inner_join(
            "share_instances",
            Expr::col(("share_instances", "id"))
                .equals(("snapshot_instances", "share_instance_id")),
        )
        .and_where(Expr::col(("snapshot_instances", "snapshot_id")).is_in(ids))
        .order_by(("snapshot_instances", "created_at"), Order::Asc)
        .order_by(("snapshot_instances", "id"), Order::Asc);
    tx.fold(&select, all, |all: &mut HashMap<SnapshotId, Vec<Place>>, row| {
        all.entry(row.parsed(0)?).or_default().push(Place {
            status: row.parsed(1)?,
            share_status: row.parsed(2)?,
            replica_state: row.optional_string(3)?,
            provider_location: row.optional_string(4)?,
        });
        Ok(())
    })
    .await
}

/// Adds a snapshot and its metadata.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, snapshot: &Snapshot) -> Result<()> {
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(COLUMNS).values_panic([
        snapshot.id.to_string().into(),
        snapshot.share_id.to_string().into(),
        snapshot.project_id.as_str().into(),
        snapshot.user_id.as_str().into(),
        snapshot.name.clone().into(),
        snapshot.description.clone().into(),
        snapshot.size.into(),
        snapshot.share_size.into(),
        snapshot.share_proto.as_str().into(),
        snapshot.created_at.micros().into(),
        snapshot.updated_at.map(Timestamp::micros).into(),
    ]);
    tx.execute(&insert).await?;
    metadata::put(tx, metadata::Owner::Snapshot(snapshot.id), &snapshot.metadata).await
}

/// What a tenant may change of a snapshot; `None` leaves it, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The name.
    pub name: Option<Option<String>>,
    /// The description.
    pub description: Option<Option<String>>,
}

/// Changes a snapshot. `false`: there is none.
///
/// # Errors
/// What the database says.
pub async fn update(tx: &mut Tx, id: SnapshotId, change: &Change, now: Timestamp) -> Result<bool> {
    let mut update = Query::update();
    update
        .table(TABLE)
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()));
    if let Some(name) = &change.name {
        update.value("name", name.clone());
    }
    if let Some(description) = &change.description {
        update.value("description", description.clone());
    }
    Ok(tx.execute(&update).await? == 1)
}

/// How many snapshots there are of a share.
///
/// # Errors
/// What the database says.
pub async fn count_of_share(tx: &mut Tx, share_id: ShareId) -> Result<i64> {
    let mut select = Query::select();
    select
        .from(TABLE)
        .expr(Func::count(Expr::col("id")))
        .and_where(Expr::col("share_id").eq(share_id.to_string()));
    Ok(tx.optional(&select, |row| row.integer(0)).await?.unwrap_or(0))
}

/// As [`count_of_share`], without those whose deletion has been deferred.
///
/// # Errors
/// What the database says.
pub async fn count_kept_of_share(tx: &mut Tx, share_id: ShareId) -> Result<i64> {
    let mut select = Query::select();
    select
        .from(TABLE)
        .expr(Func::count(Expr::col("id")))
        .and_where(Expr::col("share_id").eq(share_id.to_string()))
        .and_where(list::is_kept());
    Ok(tx.optional(&select, |row| row.integer(0)).await?.unwrap_or(0))
}

/// The latest snapshot of a share, of those that its tenant still has.
///
/// # Errors
/// What the database says.
pub async fn latest_of_share(tx: &mut Tx, share_id: ShareId) -> Result<Option<SnapshotId>> {
    let mut select = Query::select();
    select
        .from(TABLE)
        .column("id")
        .and_where(Expr::col("share_id").eq(share_id.to_string()))
        .and_where(list::is_kept())
        .order_by("created_at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(1);
    tx.optional(&select, |row| row.parsed(0)).await
}
