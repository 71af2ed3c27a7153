//! Pairs of text that belong to a resource: one table for each kind of resource, one way to read
//! and change them.

use std::collections::{BTreeMap, HashMap};

use abaca_model::{ExportLocationId, ShareId, ShareInstanceId, SnapshotId};
use sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};

use crate::error::Result;
use crate::tx::Tx;

/// Names and values.
pub type Pairs = BTreeMap<String, String>;

/// Pairs in one statement: every database takes so many parameters, and a request's thousands of
/// pairs don't hold the others up with a statement each.
const CHUNK: usize = 500;

/// Resources whose pairs are read in one statement: no fewer than a page of a list has by default.
pub(crate) const OWNERS: usize = 1_000;

/// What has metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A share.
    Share(ShareId),
    /// A snapshot.
    Snapshot(SnapshotId),
    /// An export location of a share instance.
    ExportLocation(ExportLocationId),
    /// A share instance; clients see that of replicas.
    ShareInstance(ShareInstanceId),
}

/// Where the pairs of one kind of resource are kept.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Its column with the id of the resource.
    pub(crate) owner: &'static str,
    /// The table of the resources themselves.
    pub(crate) owners: &'static str,
}

pub(crate) const OF_SHARES: Table =
    Table { name: "share_metadata", owner: "share_id", owners: "shares" };
pub(crate) const OF_SNAPSHOTS: Table =
    Table { name: "snapshot_metadata", owner: "snapshot_id", owners: "snapshots" };
pub(crate) const OF_EXPORT_LOCATIONS: Table = Table {
    name: "share_instance_export_location_metadata",
    owner: "export_location_id",
    owners: "share_instance_export_locations",
};

pub(crate) const OF_SHARE_INSTANCES: Table = Table {
    name: "share_instance_metadata",
    owner: "share_instance_id",
    owners: "share_instances",
};

pub(crate) const OF_ACCESS_RULES: Table = Table {
    name: "share_access_rule_metadata",
    owner: "access_rule_id",
    owners: "share_access_rules",
};

impl Owner {
    fn table(self) -> Table {
        match self {
            Self::Share(_) => OF_SHARES,
            Self::Snapshot(_) => OF_SNAPSHOTS,
            Self::ExportLocation(_) => OF_EXPORT_LOCATIONS,
            Self::ShareInstance(_) => OF_SHARE_INSTANCES,
        }
    }

    fn id(self) -> String {
        match self {
            Self::Share(id) => id.to_string(),
            Self::Snapshot(id) => id.to_string(),
            Self::ExportLocation(id) => id.to_string(),
            Self::ShareInstance(id) => id.to_string(),
        }
    }
}

/// Makes sure that nobody else changes the metadata of `owner` until this transaction ends. `false`:
/// there is no such resource.
///
/// # Errors
/// What the database says.
pub async fn lock(tx: &mut Tx, owner: Owner) -> Result<bool> {
    let mut select = Query::select();
    select.column("id").from(owner.table().owners).and_where(Expr::col("id").eq(owner.id()));
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// All pairs of `owner`.
///
/// # Errors
/// What the database says.
pub async fn all(tx: &mut Tx, owner: Owner) -> Result<Pairs> {
    let mut found = of_many(tx, owner.table(), &[owner.id()]).await?;
    Ok(found.remove(&owner.id()).unwrap_or_default())
}

/// The value that `owner` has under `name`.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, owner: Owner, name: &str) -> Result<Option<String>> {
    let table = owner.table();
    let mut select = Query::select();
    select
        .from(table.name)
        .column("value")
        .and_where(Expr::col(table.owner).eq(owner.id()))
        .and_where(Expr::col("name").eq(name));
    tx.optional(&select, |row| row.string(0)).await
}

/// The pairs of several share instances, by their ids.
///
/// # Errors
/// What the database says.
pub async fn of_share_instances(tx: &mut Tx, ids: &[String]) -> Result<HashMap<String, Pairs>> {
    of_many(tx, OF_SHARE_INSTANCES, ids).await
}

/// The pairs of several resources of one kind, by their ids.
pub(crate) async fn of_many(
    tx: &mut Tx,
    table: Table,
    ids: &[String],
) -> Result<HashMap<String, Pairs>> {
    let mut all = HashMap::new();
    for ids in ids.chunks(OWNERS) {
        let mut select = Query::select();
        select
            .from(table.name)
            .columns([table.owner, "name", "value"])
            .and_where(Expr::col(table.owner).is_in(ids));
        all = tx
            .fold(&select, all, |all: &mut HashMap<String, Pairs>, row| {
                all.entry(row.string(0)?).or_default().insert(row.string(1)?, row.string(2)?);
                Ok(())
            })
            .await?;
    }
    Ok(all)
}

/// Adds pairs to those of `owner`; a name that is there gets the new value.
///
/// # Errors
/// What the database says.
pub async fn put(tx: &mut Tx, owner: Owner, pairs: &Pairs) -> Result<()> {
    put_text(tx, owner.table(), &owner.id(), pairs).await
}

/// As [`put`], for a resource whose id is at hand as text.
pub(crate) async fn put_text(tx: &mut Tx, table: Table, id: &str, pairs: &Pairs) -> Result<()> {
    let pairs: Vec<_> = pairs.iter().collect();
    for chunk in pairs.chunks(CHUNK) {
        let mut insert = Query::insert();
        insert.into_table(table.name).columns([table.owner, "name", "value"]).on_conflict(
            OnConflict::columns([table.owner, "name"]).update_column("value").to_owned(),
        );
        for (name, value) in chunk {
            insert.values_panic([id.into(), name.as_str().into(), value.as_str().into()]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Removes pairs of `owner` by their names. How many there were.
///
/// # Errors
/// What the database says.
pub async fn remove(tx: &mut Tx, owner: Owner, names: &[&str]) -> Result<u64> {
    let table = owner.table();
    let mut removed = 0;
    for chunk in names.chunks(CHUNK) {
        let mut delete = Query::delete();
        delete
            .from_table(table.name)
            .and_where(Expr::col(table.owner).eq(owner.id()))
            .and_where(Expr::col("name").is_in(chunk.iter().copied()));
        removed += tx.execute(&delete).await?;
    }
    Ok(removed)
}
