//! Share group types, their specs, and the projects that may use those that are not public.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use abaca_model::{ShareGroupType, ShareGroupTypeId};
use sea_query::{Cond, Expr, ExprTrait, Query};

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;
use crate::type_tables::{Listed, TypeTables, Visible};

const TABLES: TypeTables = TypeTables {
    types: TABLE,
    specs: SPECS,
    projects: "share_group_type_projects",
    type_id: TYPE_ID,
};
const TABLE: &str = "share_group_types";
const SPECS: &str = "share_group_type_specs";
const SHARE_TYPES: &str = "share_group_type_share_types";
const TYPE_ID: &str = "share_group_type_id";

type Found = BTreeMap<ShareGroupTypeId, ShareGroupType>;

/// The types for which all of `condition` holds, by name.
async fn fetch(tx: &mut Tx, condition: Cond) -> Result<Vec<ShareGroupType>> {
    // One row for each spec of each type, or one without a spec.
    let types = Query::select()
        .columns([(TABLE, "id"), (TABLE, "name"), (TABLE, "is_public"), (TABLE, "created_at")])
        .columns([(SPECS, "name"), (SPECS, "value")])
        .from(TABLE)
        .left_join(SPECS, Expr::col((SPECS, TYPE_ID)).equals((TABLE, "id")))
        .cond_where(condition.clone())
        .take();
    let found = tx.fold(&types, Found::new(), collect).await?;
    let share_types = Query::select()
        .columns([(SHARE_TYPES, TYPE_ID), (SHARE_TYPES, "share_type_id")])
        .from(TABLE)
        .inner_join(SHARE_TYPES, Expr::col((SHARE_TYPES, TYPE_ID)).equals((TABLE, "id")))
        .cond_where(condition)
        .take();
    let found = tx.fold(&share_types, found, add_share_type).await?;
    let mut found: Vec<ShareGroupType> = found.into_values().collect();
    // Here, since every database has its own idea of the order of texts.
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn collect(found: &mut Found, row: &Row<'_>) -> Result<()> {
    let id = row.parsed(0)?;
    let group_type = match found.entry(id) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(ShareGroupType {
            id,
            name: row.string(1)?,
            is_public: row.boolean(2)?,
            created_at: row.time(3)?,
            group_specs: BTreeMap::new(),
            share_types: BTreeSet::new(),
        }),
    };
    if let Some(key) = row.optional_string(4)? {
        group_type.group_specs.insert(key, row.string(5)?);
    }
    Ok(())
}

fn add_share_type(found: &mut Found, row: &Row<'_>) -> Result<()> {
    if let Some(group_type) = found.get_mut(&row.parsed(0)?) {
        group_type.share_types.insert(row.parsed(1)?);
    }
    Ok(())
}

/// The type with this id.
///
/// # Errors
/// What the database says.
pub async fn by_id(
    tx: &mut Tx,
    visible: Visible<'_>,
    id: ShareGroupTypeId,
) -> Result<Option<ShareGroupType>> {
    let with_id = Expr::col((TABLE, "id")).eq(id.to_string());
    Ok(fetch(tx, Cond::all().add(TABLES.visible(visible)).add(with_id)).await?.pop())
}

/// The type with this name.
///
/// # Errors
/// What the database says.
pub async fn by_name(
    tx: &mut Tx,
    visible: Visible<'_>,
    name: &str,
) -> Result<Option<ShareGroupType>> {
    let with_name = Expr::col((TABLE, "name")).eq(name);
    Ok(fetch(tx, Cond::all().add(TABLES.visible(visible)).add(with_name)).await?.pop())
}

/// Types, by name.
///
/// # Errors
/// What the database says.
pub async fn list(
    tx: &mut Tx,
    visible: Visible<'_>,
    listed: Listed<'_>,
) -> Result<Vec<ShareGroupType>> {
    fetch(tx, Cond::all().add(TABLES.visible(visible)).add(TABLES.listed(listed))).await
}

/// Adds a type with its specs and its share types.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when its name is taken,
/// [`crate::Error::ForeignKey`] when a share type is gone.
pub async fn insert(tx: &mut Tx, group_type: &ShareGroupType) -> Result<()> {
    let insert = Query::insert()
        .into_table(TABLE)
        .columns(["id", "name", "is_public", "created_at"])
        .values_panic([
            group_type.id.to_string().into(),
            group_type.name.as_str().into(),
            i64::from(group_type.is_public).into(),
            group_type.created_at.micros().into(),
        ])
        .take();
    tx.execute(&insert).await?;
    for share_type in &group_type.share_types {
        let insert = Query::insert()
            .into_table(SHARE_TYPES)
            .columns([TYPE_ID, "share_type_id"])
            .values_panic([group_type.id.to_string().into(), share_type.to_string().into()])
            .take();
        tx.execute(&insert).await?;
    }
    TABLES.set_specs(tx, group_type.id.uuid(), &group_type.group_specs).await
}

/// Removes a type with its specs and grants; returns false if it is gone.
///
/// # Errors
/// What the database says.
pub async fn delete(tx: &mut Tx, id: ShareGroupTypeId) -> Result<bool> {
    TABLES.delete(tx, id.uuid()).await
}

/// Sets some specs and leaves the others.
///
/// # Errors
/// What the database says; [`crate::Error::ForeignKey`] when the type is gone.
pub async fn set_specs(
    tx: &mut Tx,
    id: ShareGroupTypeId,
    specs: &BTreeMap<String, String>,
) -> Result<()> {
    TABLES.set_specs(tx, id.uuid(), specs).await
}

/// Removes a spec; returns false if there is none of this name.
///
/// # Errors
/// What the database says.
pub async fn delete_spec(tx: &mut Tx, id: ShareGroupTypeId, key: &str) -> Result<bool> {
    TABLES.delete_spec(tx, id.uuid(), key).await
}

/// The projects a type was granted to, in their ids' order.
///
/// # Errors
/// What the database says.
pub async fn projects(tx: &mut Tx, id: ShareGroupTypeId) -> Result<Vec<String>> {
    TABLES.projects(tx, id.uuid()).await
}

/// Grants a type to a project.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when it was granted before,
/// [`crate::Error::ForeignKey`] when the type is gone.
pub async fn grant(tx: &mut Tx, id: ShareGroupTypeId, project_id: &str) -> Result<()> {
    TABLES.grant(tx, id.uuid(), project_id).await
}

/// Takes a grant back; returns false if there was none.
///
/// # Errors
/// What the database says.
pub async fn revoke(tx: &mut Tx, id: ShareGroupTypeId, project_id: &str) -> Result<bool> {
    TABLES.revoke(tx, id.uuid(), project_id).await
}
