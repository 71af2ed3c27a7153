//! Share types, their extra specs, and the projects that may use those that are not public.

use std::collections::BTreeMap;

use abaca_model::{ShareType, ShareTypeId, Timestamp};
use sea_query::{Expr, ExprTrait, LockType, Query, SelectStatement};

use crate::error::{Error, Result};
use crate::row::Row;
use crate::share_migrations;
use crate::tx::Tx;
use crate::type_tables::TypeTables;

pub use crate::type_tables::{Listed, Visible};

const TABLES: TypeTables = TypeTables {
    types: TABLE,
    specs: SPECS,
    projects: "share_type_projects",
    type_id: "share_type_id",
};
const TABLE: &str = "share_types";
const SPECS: &str = "share_type_extra_specs";

/// One row for each extra spec of each type, or one without a spec.
fn select() -> SelectStatement {
    Query::select()
        .columns([(TABLE, "id"), (TABLE, "name"), (TABLE, "description"), (TABLE, "is_public")])
        .columns([(TABLE, "created_at"), (TABLE, "updated_at")])
        .columns([(SPECS, "name"), (SPECS, "value")])
        .from(TABLE)
        .left_join(SPECS, Expr::col((SPECS, "share_type_id")).equals((TABLE, "id")))
        .take()
}

async fn fetch(tx: &mut Tx, select: &SelectStatement) -> Result<Vec<ShareType>> {
    let types = tx.fold(select, BTreeMap::new(), collect).await?;
    let mut types: Vec<ShareType> = types.into_values().collect();
    // Here, since every database has its own idea of the order of texts.
    types.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(types)
}

fn collect(types: &mut BTreeMap<ShareTypeId, ShareType>, row: &Row<'_>) -> Result<()> {
    let id = row.parsed(0)?;
    let share_type = match types.entry(id) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => entry.insert(ShareType {
            id,
            name: row.string(1)?,
            description: row.optional_string(2)?,
            is_public: row.boolean(3)?,
            extra_specs: BTreeMap::new(),
            created_at: row.time(4)?,
            updated_at: row.optional_time(5)?,
        }),
    };
    if let Some(key) = row.optional_string(6)? {
        share_type.extra_specs.insert(key, row.string(7)?);
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
    id: ShareTypeId,
) -> Result<Option<ShareType>> {
    let mut found = select();
    found
        .cond_where(TABLES.visible(visible))
        .and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    Ok(fetch(tx, &found).await?.pop())
}

/// The type with this name.
///
/// # Errors
/// What the database says.
pub async fn by_name(tx: &mut Tx, visible: Visible<'_>, name: &str) -> Result<Option<ShareType>> {
    let mut found = select();
    found.cond_where(TABLES.visible(visible)).and_where(Expr::col((TABLE, "name")).eq(name));
    Ok(fetch(tx, &found).await?.pop())
}

/// The type with this name, or with this id if it looks like one.
///
/// # Errors
/// What the database says.
pub async fn by_name_or_id(
    tx: &mut Tx,
    visible: Visible<'_>,
    name_or_id: &str,
) -> Result<Option<ShareType>> {
    match name_or_id.parse() {
        Ok(id) => by_id(tx, visible, id).await,
        Err(_) => by_name(tx, visible, name_or_id).await,
    }
}

/// Types, by name.
///
/// # Errors
/// What the database says.
pub async fn list(tx: &mut Tx, visible: Visible<'_>, listed: Listed<'_>) -> Result<Vec<ShareType>> {
    let mut found = select();
    found.cond_where(TABLES.visible(visible)).cond_where(TABLES.listed(listed));
    fetch(tx, &found).await
}

/// Adds a type with its extra specs.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when its name is taken.
pub async fn insert(tx: &mut Tx, share_type: &ShareType) -> Result<()> {
    let insert = Query::insert()
        .into_table(TABLE)
        .columns(["id", "name", "description", "is_public", "created_at", "updated_at"])
        .values_panic([
            share_type.id.to_string().into(),
            share_type.name.as_str().into(),
            share_type.description.clone().into(),
            i64::from(share_type.is_public).into(),
            share_type.created_at.micros().into(),
            share_type.updated_at.map(Timestamp::micros).into(),
        ])
        .take();
    tx.execute(&insert).await?;
    TABLES.set_specs(tx, share_type.id.uuid(), &share_type.extra_specs).await
}

/// Writes the name, the description and whether it is public; returns false if it is gone.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when its new name is taken.
pub async fn update(tx: &mut Tx, share_type: &ShareType) -> Result<bool> {
    let update = Query::update()
        .table(TABLE)
        .value("name", share_type.name.as_str())
        .value("description", share_type.description.clone())
        .value("is_public", i64::from(share_type.is_public))
        .value("updated_at", share_type.updated_at.map(Timestamp::micros))
        .and_where(Expr::col("id").eq(share_type.id.to_string()))
        .take();
    Ok(tx.execute(&update).await? > 0)
}

/// Keeps a type from being deleted until this transaction ends; returns false if it is gone.
///
/// # Errors
/// What the database says.
pub async fn lock(tx: &mut Tx, id: ShareTypeId) -> Result<bool> {
    let mut select = Query::select();
    select.column("id").from(TABLE).and_where(Expr::col("id").eq(id.to_string()));
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// Removes a type with its extra specs and grants; returns false if it is gone.
///
/// # Errors
/// What the database says; [`crate::Error::ForeignKey`] while there are shares of this type, or some
/// that change to it. Then the transaction must not be committed.
pub async fn delete(tx: &mut Tx, id: ShareTypeId) -> Result<bool> {
    let deleted = TABLES.delete(tx, id.uuid()).await?;
    // Looked at afterwards: who begins such a change has locked the type.
    if share_migrations::any_to_type(tx, id).await? {
        return Err(Error::ForeignKey("a share changes to this type".into()));
    }
    Ok(deleted)
}

/// Sets some extra specs and leaves the others.
///
/// # Errors
/// What the database says; [`crate::Error::ForeignKey`] when the type is gone.
pub async fn set_extra_specs(
    tx: &mut Tx,
    id: ShareTypeId,
    specs: &BTreeMap<String, String>,
) -> Result<()> {
    TABLES.set_specs(tx, id.uuid(), specs).await
}

/// Removes an extra spec; returns false if there is none of this name.
///
/// # Errors
/// What the database says.
pub async fn delete_extra_spec(tx: &mut Tx, id: ShareTypeId, key: &str) -> Result<bool> {
    TABLES.delete_spec(tx, id.uuid(), key).await
}

/// The projects a type was granted to, in their ids' order.
///
/// # Errors
/// What the database says.
pub async fn projects(tx: &mut Tx, id: ShareTypeId) -> Result<Vec<String>> {
    TABLES.projects(tx, id.uuid()).await
}

/// Grants a type to a project.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when it was granted before,
/// [`crate::Error::ForeignKey`] when the type is gone.
pub async fn grant(tx: &mut Tx, id: ShareTypeId, project_id: &str) -> Result<()> {
    TABLES.grant(tx, id.uuid(), project_id).await
}

/// Takes a grant back; returns false if there was none.
///
/// # Errors
/// What the database says.
pub async fn revoke(tx: &mut Tx, id: ShareTypeId, project_id: &str) -> Result<bool> {
    TABLES.revoke(tx, id.uuid(), project_id).await
}
