//! The list of share instances, the oldest first.

use abaca_model::{AccessRulesStatus, ShareInstanceId, ShareStatus, Timestamp};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement};

use super::{SHARES, TABLE};
use crate::db::Dialect;
use crate::error::Result;
use crate::list::{Direction, Position, SortType, Sorting};
use crate::row::Row;
use crate::tx::Tx;
use crate::{export_locations, hosts};

/// Which share instances a list is of. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this project's shares.
    pub project_id: Option<String>,
    /// Of this share.
    pub share_id: Option<String>,
    /// Of shares in the recycle bin, or of those not in it.
    pub soft_deleted: Option<bool>,
    /// In this status.
    pub status: Option<String>,
    /// In this pool, or in a pool of this `host@backend`.
    pub host: Option<String>,
    /// With the export location that has this id.
    pub export_location_id: Option<String>,
    /// With an export location at this path.
    pub export_location_path: Option<String>,
    /// Only those of replicated shares.
    pub replicas: bool,
}

impl Filter {
    fn condition(&self) -> Cond {
        let is = |column, value: &Option<String>| {
            value.clone().map(|value| Expr::col((TABLE, column)).eq(value))
        };
        Cond::all()
            .add_option(self.project_id.as_deref().map(of_project))
            .add_option(is("share_id", &self.share_id))
            .add_option(self.soft_deleted.map(of_recycle_bin))
            .add_option(is("status", &self.status))
            .add_option(
                self.host
                    .as_deref()
                    .map(|host| hosts::at_or_in(Expr::col((TABLE, "host")), host, '#')),
            )
            .add_option(self.replicas.then(|| Expr::col((TABLE, "replica_state")).is_not_null()))
            .add_option(exported(
                self.export_location_id.as_deref(),
                self.export_location_path.as_deref(),
            ))
    }
}

fn of_project(project: &str) -> Expr {
    let mut shares = Query::select();
    shares
        .from(SHARES)
        .column((SHARES, "id"))
        .and_where(Expr::col((SHARES, "project_id")).eq(project));
    Expr::col((TABLE, "share_id")).in_subquery(shares)
}

fn of_recycle_bin(is_in: bool) -> Expr {
    let mut shares = Query::select();
    shares
        .from(SHARES)
        .column((SHARES, "id"))
        .and_where(Expr::col((SHARES, "scheduled_to_be_deleted_at")).is_not_null());
    let share = Expr::col((TABLE, "share_id"));
    if is_in { share.in_subquery(shares) } else { share.not_in_subquery(shares) }
}

/// Whether an instance has an export location with this id and at this path.
pub(crate) fn exported(id: Option<&str>, path: Option<&str>) -> Option<Expr> {
    if id.is_none() && path.is_none() {
        return None;
    }
    let mut locations = Query::select();
    locations.from(export_locations::TABLE).column("share_instance_id");
    if let Some(id) = id {
        locations.and_where(Expr::col((export_locations::TABLE, "id")).eq(id));
    }
    if let Some(path) = path {
        locations.and_where(Expr::col((export_locations::TABLE, "path")).eq(path));
    }
    Some(Expr::col((TABLE, "id")).in_subquery(locations))
}

/// Which rows of a list.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Which instances.
    pub filter: &'a Filter,
    /// With their export locations.
    pub with_exports: bool,
    /// Behind this place; `None`: from the beginning.
    pub after: Option<Position>,
    /// Leave out this many.
    pub offset: u64,
    /// At most this many.
    pub limit: u64,
}

/// A row of a list, borrowed. With export locations, there is a row for each of them, those of an
/// instance together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedInstance<'a> {
    /// Its id.
    pub id: &'a str,
    /// The share's id.
    pub share_id: &'a str,
    /// `host@backend#pool`; `None` until it is scheduled.
    pub host: Option<&'a str>,
    /// The zone of its host, or the one asked for.
    pub availability_zone: Option<&'a str>,
    /// Its status.
    pub status: ShareStatus,
    /// The state of its access rules.
    pub access_rules_status: AccessRulesStatus,
    /// Its replica state.
    pub replica_state: Option<&'a str>,
    /// Its progress.
    pub progress: Option<&'a str>,
    /// Its access rules are all read-only for the moment.
    pub cast_rules_to_readonly: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// The share's type.
    pub share_type_id: &'a str,
    /// The path of an export location, if there is one and they were asked for.
    pub export_path: Option<&'a str>,
}

const SHOWN: [&str; 11] = [
    "id",
    "share_id",
    "host",
    "availability_zone",
    "status",
    "access_rules_status",
    "replica_state",
    "progress",
    "cast_rules_to_readonly",
    "created_at",
    "updated_at",
];
const SORTING: Sorting = Sorting {
    table: TABLE,
    column: "created_at",
    holds: SortType::Integer,
    nullable: false,
    direction: Direction::Ascending,
};
const PAGE: &str = "page";

fn listed(dialect: Dialect, page: &Page<'_>) -> SelectStatement {
    let mut rows = Query::select();
    rows.from(TABLE)
        .columns(SHOWN.map(|column| (TABLE, column)))
        .cond_where(page.filter.condition());
    SORTING.bound(&mut rows, dialect, page.after.clone(), page.limit);
    if page.offset > 0 {
        rows.offset(page.offset);
    }
    let mut select = Query::select();
    select
        .from_subquery(rows, PAGE)
        .columns(SHOWN.map(|column| (PAGE, column)))
        .column((SHARES, "share_type_id"))
        .inner_join(SHARES, Expr::col((SHARES, "id")).equals((PAGE, "share_id")));
    Sorting { table: PAGE, ..SORTING }.order(&mut select, dialect);
    if page.with_exports {
        let locations = export_locations::TABLE;
        select
            .column((locations, "path"))
            .left_join(locations, Expr::col((locations, "share_instance_id")).equals((PAGE, "id")))
            .order_by((locations, "created_at"), Order::Asc)
            .order_by((locations, "id"), Order::Asc);
    }
    select
}

fn listed_instance<'a>(row: &'a Row<'_>, with_exports: bool) -> Result<ListedInstance<'a>> {
    Ok(ListedInstance {
        id: row.text(0)?,
        share_id: row.text(1)?,
        host: row.optional_text(2)?,
        availability_zone: row.optional_text(3)?,
        status: row.parsed(4)?,
        access_rules_status: row.parsed(5)?,
        replica_state: row.optional_text(6)?,
        progress: row.optional_text(7)?,
        cast_rules_to_readonly: row.boolean(8)?,
        created_at: row.time(9)?,
        updated_at: row.optional_time(10)?,
        share_type_id: row.text(11)?,
        export_path: if with_exports { row.optional_text(12)? } else { None },
    })
}

/// The place of an instance in the list, of a share of `project_id` if one is given; `None`: there is
/// no such instance.
///
/// # Errors
/// What the database says.
pub async fn position(
    tx: &mut Tx,
    id: ShareInstanceId,
    project_id: Option<&str>,
) -> Result<Option<Position>> {
    let mut select = SORTING.select_place(TABLE, &id.to_string());
    SORTING.place(tx, select.and_where_option(project_id.map(of_project))).await
}

/// Folds a page of a list into `state`, row by row, and says where the list goes on, if it does.
///
/// # Errors
/// What the database says.
pub async fn fold<S, F>(
    tx: &mut Tx,
    page: Page<'_>,
    state: S,
    mut step: F,
) -> Result<(S, Option<Position>)>
where
    S: Send + 'static,
    F: FnMut(&mut S, &ListedInstance<'_>) -> Result<()> + Send + 'static,
{
    let select = listed(tx.dialect(), &page);
    let Page { limit, with_exports, .. } = page;
    let step =
        move |state: &mut S, row: &Row<'_>| step(state, &listed_instance(row, with_exports)?);
    SORTING.fold(tx, &select, limit, 9, state, step).await
}
