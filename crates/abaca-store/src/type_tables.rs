//! What share types and share group types have in common: who sees them, their specs, and the
//! projects that may use those that are not public.

use std::collections::BTreeMap;

use sea_query::{Cond, Expr, ExprTrait, Query};
use uuid::Uuid;

use crate::error::Result;
use crate::metadata;
use crate::tx::Tx;

/// Which types are seen at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible<'a> {
    /// All: to administrators.
    All,
    /// The public ones and those this project was granted.
    To(&'a str),
}

/// Which of the visible types to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed<'a> {
    /// Each of them.
    All,
    /// Those this project may use.
    UsableBy(&'a str),
    /// Those that are not public.
    Private,
}

/// The tables of one kind of type.
pub(crate) struct TypeTables {
    /// With `id` and `is_public`.
    pub(crate) types: &'static str,
    /// With the type's id, `name` and `value`.
    pub(crate) specs: &'static str,
    /// With the type's id and `project_id`.
    pub(crate) projects: &'static str,
    /// The name of the column with the type's id in the two other tables.
    pub(crate) type_id: &'static str,
}

impl TypeTables {
    pub(crate) fn visible(&self, visible: Visible<'_>) -> Cond {
        match visible {
            Visible::All => Cond::all(),
            Visible::To(project_id) => self.public_or_granted(project_id),
        }
    }

    pub(crate) fn listed(&self, listed: Listed<'_>) -> Cond {
        match listed {
            Listed::All => Cond::all(),
            Listed::UsableBy(project_id) => self.public_or_granted(project_id),
            Listed::Private => Cond::all().add(Expr::col((self.types, "is_public")).eq(0_i64)),
        }
    }

    fn public_or_granted(&self, project_id: &str) -> Cond {
        let granted = Query::select()
            .column(self.type_id)
            .from(self.projects)
            .and_where(Expr::col("project_id").eq(project_id))
            .take();
        Cond::any()
            .add(Expr::col((self.types, "is_public")).eq(1_i64))
            .add(Expr::col((self.types, "id")).in_subquery(granted))
    }

    /// Removes a type with its specs and grants; false if it is gone.
    pub(crate) async fn delete(&self, tx: &mut Tx, id: Uuid) -> Result<bool> {
        let delete = Query::delete()
            .from_table(self.types)
            .and_where(Expr::col("id").eq(id.to_string()))
            .take();
        Ok(tx.execute(&delete).await? > 0)
    }

    /// Sets some specs and leaves the others.
    pub(crate) async fn set_specs(
        &self,
        tx: &mut Tx,
        id: Uuid,
        specs: &BTreeMap<String, String>,
    ) -> Result<()> {
        let table = metadata::Table { name: self.specs, owner: self.type_id, owners: self.types };
        metadata::put_text(tx, table, &id.to_string(), specs).await
    }

    /// False if there is none of this name.
    pub(crate) async fn delete_spec(&self, tx: &mut Tx, id: Uuid, key: &str) -> Result<bool> {
        let delete = Query::delete()
            .from_table(self.specs)
            .and_where(Expr::col(self.type_id).eq(id.to_string()))
            .and_where(Expr::col("name").eq(key))
            .take();
        Ok(tx.execute(&delete).await? > 0)
    }

    /// The projects a type was granted to, in their ids' order.
    pub(crate) async fn projects(&self, tx: &mut Tx, id: Uuid) -> Result<Vec<String>> {
        let select = Query::select()
            .column("project_id")
            .from(self.projects)
            .and_where(Expr::col(self.type_id).eq(id.to_string()))
            .take();
        let mut projects = tx.all(&select, |row| row.string(0)).await?;
        projects.sort_unstable();
        Ok(projects)
    }

    pub(crate) async fn grant(&self, tx: &mut Tx, id: Uuid, project_id: &str) -> Result<()> {
        let insert = Query::insert()
            .into_table(self.projects)
            .columns([self.type_id, "project_id"])
            .values_panic([id.to_string().into(), project_id.into()])
            .take();
        tx.execute(&insert).await?;
        Ok(())
    }

    /// False if there was none.
    pub(crate) async fn revoke(&self, tx: &mut Tx, id: Uuid, project_id: &str) -> Result<bool> {
        let delete = Query::delete()
            .from_table(self.projects)
            .and_where(Expr::col(self.type_id).eq(id.to_string()))
            .and_where(Expr::col("project_id").eq(project_id))
            .take();
        Ok(tx.execute(&delete).await? > 0)
    }
}
