//! The limits that administrators set, by project, user, share type and class.

use std::collections::BTreeMap;

use abaca_model::quota::{Limit, Resource, Scope};
use sea_query::{Cond, Expr, ExprTrait, OnConflict, Query, SimpleExpr};

use super::Subject;
use crate::error::{Error, Result};
use crate::row::Row;
use crate::tx::Tx;

const TABLE: &str = "quota_limits";
const CLASSES: &str = "quota_class_limits";

impl Subject<'_> {
    const fn scope_text(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::User(_) => "user",
            Self::ShareType(_) => "share_type",
        }
    }

    fn key(self) -> String {
        match self {
            Self::Project => String::new(),
            Self::User(id) => id.to_owned(),
            Self::ShareType(id) => id.to_string(),
        }
    }

    fn condition(self) -> Cond {
        Cond::all()
            .add(Expr::col("scope").eq(self.scope_text()))
            .add(Expr::col("subject").eq(self.key()))
    }
}

fn limit(row: &Row<'_>, column: usize) -> Result<Limit> {
    Limit::try_from(row.integer(column)?).map_err(|error| Error::Decode {
        column: "hard_limit".to_owned(),
        problem: error.to_string(),
    })
}

/// The limits set for these subjects of a project.
///
/// # Errors
/// What the database says.
pub async fn limits(
    tx: &mut Tx,
    project_id: &str,
    subjects: &[Subject<'_>],
) -> Result<BTreeMap<(Scope, Resource), Limit>> {
    let any = subjects.iter().fold(Cond::any(), |any, subject| any.add(subject.condition()));
    let scopes: Vec<_> = subjects.iter().map(|one| (one.scope_text(), one.scope())).collect();
    let mut select = Query::select();
    select
        .columns(["scope", "resource", "hard_limit"])
        .from(TABLE)
        .and_where(Expr::col("project_id").eq(project_id))
        .cond_where(any);
    let rows = tx
        .all(&select, move |row| {
            let text = row.string(0)?;
            let scope = scopes.iter().find(|(known, _)| *known == text).map(|(_, scope)| *scope);
            Ok((scope, row.parsed::<Resource>(1)?, limit(row, 2)?))
        })
        .await?;
    let keyed = |(scope, resource, limit): (Option<Scope>, Resource, Limit)| {
        scope.map(|scope| ((scope, resource), limit))
    };
    Ok(rows.into_iter().filter_map(keyed).collect())
}

/// The limits set for a project's users, each resource's together. Those that are no limit count
/// for nothing.
///
/// # Errors
/// What the database says.
pub async fn limits_of_users(tx: &mut Tx, project_id: &str) -> Result<BTreeMap<Resource, i64>> {
    let mut select = Query::select();
    select
        .columns(["resource", "hard_limit"])
        .from(TABLE)
        .and_where(Expr::col("project_id").eq(project_id))
        .and_where(Expr::col("scope").eq("user"))
        .and_where(Expr::col("hard_limit").gt(0_i64));
    let add = |sums: &mut BTreeMap<Resource, i64>, row: &Row<'_>| {
        let sum = sums.entry(row.parsed(0)?).or_default();
        *sum = sum.saturating_add(row.integer(1)?);
        Ok(())
    };
    tx.fold(&select, BTreeMap::new(), add).await
}

/// Sets some limits and leaves the others.
///
/// # Errors
/// What the database says; [`Error::ForeignKey`] when the share type is gone.
pub async fn set(
    tx: &mut Tx,
    project_id: &str,
    subject: Subject<'_>,
    limits: &BTreeMap<Resource, Limit>,
) -> Result<()> {
    let share_type = match subject {
        Subject::ShareType(id) => Some(id.to_string()),
        Subject::Project | Subject::User(_) => None,
    };
    let row = |resource: Resource, limit: Limit| -> [SimpleExpr; 6] {
        [
            project_id.into(),
            subject.scope_text().into(),
            subject.key().into(),
            resource.as_str().into(),
            i64::from(limit).into(),
            share_type.clone().into(),
        ]
    };
    let columns = ["project_id", "scope", "subject", "resource"];
    for (resource, limit) in limits {
        let mut insert = Query::insert();
        insert
            .into_table(TABLE)
            .columns(columns.into_iter().chain(["hard_limit", "share_type_id"]))
            .values_panic(row(*resource, *limit))
            .on_conflict(OnConflict::columns(columns).update_column("hard_limit").to_owned());
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Removes the limits of a subject; a project's go with those of its users.
///
/// # Errors
/// What the database says.
pub async fn clear(tx: &mut Tx, project_id: &str, subject: Subject<'_>) -> Result<()> {
    let which = match subject {
        Subject::Project => Cond::all().add(Expr::col("scope").is_in(["project", "user"])),
        Subject::User(_) | Subject::ShareType(_) => subject.condition(),
    };
    let mut delete = Query::delete();
    delete.from_table(TABLE).and_where(Expr::col("project_id").eq(project_id)).cond_where(which);
    tx.execute(&delete).await.map(drop)
}

/// The limits set for a class.
///
/// # Errors
/// What the database says.
pub async fn class(tx: &mut Tx, name: &str) -> Result<BTreeMap<Resource, Limit>> {
    let mut select = Query::select();
    select
        .columns(["resource", "hard_limit"])
        .from(CLASSES)
        .and_where(Expr::col("class_name").eq(name));
    let rows = tx.all(&select, |row| Ok((row.parsed(0)?, limit(row, 1)?))).await?;
    Ok(rows.into_iter().collect())
}

/// Sets some limits of a class and leaves the others.
///
/// # Errors
/// What the database says.
pub async fn set_class(tx: &mut Tx, name: &str, limits: &BTreeMap<Resource, Limit>) -> Result<()> {
    for (resource, limit) in limits {
        let mut insert = Query::insert();
        insert
            .into_table(CLASSES)
            .columns(["class_name", "resource", "hard_limit"])
            .values_panic([name.into(), resource.as_str().into(), i64::from(*limit).into()])
            .on_conflict(
                OnConflict::columns(["class_name", "resource"])
                    .update_column("hard_limit")
                    .to_owned(),
            );
        tx.execute(&insert).await?;
    }
    Ok(())
}
