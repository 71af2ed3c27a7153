//! Lists of shares, read row by row as borrowed columns.
//!
//! A share's own columns, those of its instances and its metadata come from one statement, so that
//! they fit together. A share has a row for each instance and each pair of metadata: rows of one
//! share come together.

use abaca_model::{AccessRulesStatus, ShareId, ShareStatus, Timestamp};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

use super::sort::{PLACES, SortKey};
use super::{Filter, METADATA, TABLE};
use crate::db::Dialect;
use crate::error::Result;
use crate::list::{self, Direction, Position, Sorting};
use crate::row::Row;
use crate::tx::Tx;
use crate::{export_locations, share_instances};

/// Which rows of a list, and in which order.
pub type Page<'a> = list::Page<'a, Filter, SortKey>;

/// A share's own columns, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedShare<'a> {
    /// Its id.
    pub id: &'a str,
    /// The project that owns it.
    pub project_id: &'a str,
    /// The user who made it.
    pub user_id: &'a str,
    /// The tenant's name for it.
    pub name: Option<&'a str>,
    /// The tenant's description.
    pub description: Option<&'a str>,
    /// Size in GiB.
    pub size: i64,
    /// `NFS`, `CIFS`, ...
    pub share_proto: &'a str,
    /// Visible to every project.
    pub is_public: bool,
    /// Its type's id.
    pub share_type_id: &'a str,
    /// Its type's name.
    pub share_type_name: &'a str,
    /// The snapshot it was created from.
    pub source_snapshot_id: Option<&'a str>,
    /// Snapshots may be taken.
    pub snapshot_support: bool,
    /// Shares may be created from its snapshots.
    pub create_share_from_snapshot_support: bool,
    /// It may be reverted to its latest snapshot.
    pub revert_to_snapshot_support: bool,
    /// Its snapshots may be mounted.
    pub mount_snapshot_support: bool,
    /// `readable`, `writable` or `dr`.
    pub replication_type: Option<&'a str>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Where a migration of it stands.
    pub task_state: Option<&'a str>,
    /// When it will be deleted; `None`: it is not in the recycle bin.
    pub scheduled_to_be_deleted_at: Option<Timestamp>,
}

/// One of a share's instances, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedPlace<'a> {
    /// Its id.
    pub id: &'a str,
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
}

/// An export location of an instance, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedExport<'a> {
    /// What a client mounts.
    pub path: &'a str,
    /// Shown to administrators only.
    pub is_admin_only: bool,
}

/// A row of a detailed list. Each instance, each pair of metadata and each export location of a
/// share is in one row at least, and may be in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareRow<'a> {
    /// The share, the same in all its rows.
    pub share: ListedShare<'a>,
    /// An instance. Instances come in the order of their age.
    pub place: ListedPlace<'a>,
    /// A pair of metadata, if it has any.
    pub metadata: Option<(&'a str, &'a str)>,
    /// An export location of the instance, if it has any and they were asked for.
    pub export: Option<ListedExport<'a>>,
}

const PAGE: &str = "page";
const SORTED_BY: &str = "sorted_by";
const TYPES: &str = "share_types";
const OWN: [&str; 18] = [
    "id",
    "project_id",
    "user_id",
    "name",
    "description",
    "size",
    "share_proto",
    "is_public",
    "share_type_id",
    "source_snapshot_id",
    "snapshot_support",
    "create_share_from_snapshot_support",
    "revert_to_snapshot_support",
    "mount_snapshot_support",
    "replication_type",
    "created_at",
    "task_state",
    "scheduled_to_be_deleted_at",
];
const OF_PLACE: [&str; 7] = [
    "id",
    "host",
    "availability_zone",
    "status",
    "access_rules_status",
    "replica_state",
    "progress",
];
/// Where the columns of the other tables begin in a row.
const PLACE: usize = OWN.len() + 2;
const PAIR: usize = PLACE + OF_PLACE.len();
const EXPORT: usize = PAIR + 2;

/// The shares of a page, with what they are sorted by.
fn page_of(
    dialect: Dialect,
    page: &Page<'_>,
    sorting: Sorting,
    columns: &[&'static str],
) -> SelectStatement {
    let mut rows = Query::select();
    rows.from(TABLE)
        .columns(columns.iter().map(|column| (TABLE, *column)))
        .expr_as(Expr::col(sorting.key()), SORTED_BY)
        .cond_where(page.filter.condition(dialect));
    join_places(&mut rows, sorting);
    page.bound(&mut rows, &sorting, dialect);
    rows
}

/// What is sorted by may be of an instance; of several, one has to speak for the share.
fn join_places(select: &mut SelectStatement, sorting: Sorting) {
    if sorting.table != PLACES {
        return;
    }
    let of_place = |column| Func::min(Expr::col((share_instances::TABLE, column)));
    let mut places = Query::select();
    places
        .from(share_instances::TABLE)
        .expr_as(Expr::col((share_instances::TABLE, "share_id")), "id")
        .expr_as(of_place(sorting.column), sorting.column)
        .group_by_col((share_instances::TABLE, "share_id"));
    select.join_subquery(
        sea_query::JoinType::InnerJoin,
        places,
        PLACES,
        Expr::col((PLACES, "id")).equals((TABLE, "id")),
    );
}

/// Adds to the shares of `rows` all that is shown of them.
fn detailed(rows: SelectStatement, with_exports: bool) -> SelectStatement {
    let instances = share_instances::TABLE;
    let mut select = Query::select();
    select
        .from_subquery(rows, PAGE)
        .columns(OWN.map(|column| (PAGE, column)))
        .columns([(PAGE, SORTED_BY), (TYPES, "name")])
        .columns(OF_PLACE.map(|column| (instances, column)))
        .columns(["name", "value"].map(|column| (METADATA, column)))
        .inner_join(TYPES, Expr::col((TYPES, "id")).equals((PAGE, "share_type_id")))
        .inner_join(instances, Expr::col((instances, "share_id")).equals((PAGE, "id")))
        .left_join(METADATA, Expr::col((METADATA, "share_id")).equals((PAGE, "id")));
    if with_exports {
        let exports = export_locations::TABLE;
        select.columns(["path", "is_admin_only"].map(|column| (exports, column))).left_join(
            exports,
            Expr::col((exports, "share_instance_id")).equals((instances, "id")),
        );
    }
    select
}

fn in_order(select: &mut SelectStatement, with_exports: bool) {
    let instances = share_instances::TABLE;
    select.order_by((instances, "created_at"), Order::Asc).order_by((instances, "id"), Order::Asc);
    if with_exports {
        let exports = export_locations::TABLE;
        select.order_by((exports, "created_at"), Order::Asc).order_by((exports, "id"), Order::Asc);
    }
}

fn share_row<'a>(row: &'a Row<'_>, with_exports: bool) -> Result<ShareRow<'a>> {
    let share = ListedShare {
        id: row.text(0)?,
        project_id: row.text(1)?,
        user_id: row.text(2)?,
        name: row.optional_text(3)?,
        description: row.optional_text(4)?,
        size: row.integer(5)?,
        share_proto: row.text(6)?,
        is_public: row.boolean(7)?,
        share_type_id: row.text(8)?,
        source_snapshot_id: row.optional_text(9)?,
        snapshot_support: row.boolean(10)?,
        create_share_from_snapshot_support: row.boolean(11)?,
        revert_to_snapshot_support: row.boolean(12)?,
        mount_snapshot_support: row.boolean(13)?,
        replication_type: row.optional_text(14)?,
        created_at: row.time(15)?,
        task_state: row.optional_text(16)?,
        scheduled_to_be_deleted_at: row.optional_time(17)?,
        share_type_name: row.text(OWN.len() + 1)?,
    };
    let place = ListedPlace {
        id: row.text(PLACE)?,
        host: row.optional_text(PLACE + 1)?,
        availability_zone: row.optional_text(PLACE + 2)?,
        status: row.parsed(PLACE + 3)?,
        access_rules_status: row.parsed(PLACE + 4)?,
        replica_state: row.optional_text(PLACE + 5)?,
        progress: row.optional_text(PLACE + 6)?,
    };
    let metadata = row.optional_text(PAIR)?.zip(row.optional_text(PAIR + 1)?);
    let export = if with_exports { export(row)? } else { None };
    Ok(ShareRow { share, place, metadata, export })
}

fn export<'a>(row: &'a Row<'_>) -> Result<Option<ListedExport<'a>>> {
    let Some(path) = row.optional_text(EXPORT)? else { return Ok(None) };
    Ok(Some(ListedExport { path, is_admin_only: row.boolean(EXPORT + 1)? }))
}

/// Folds a page of a detailed list into `state`, row by row, and says where the list goes on, if it
/// does.
///
/// # Errors
/// What the database says.
pub async fn fold_details<S, F>(
    tx: &mut Tx,
    page: Page<'_>,
    with_exports: bool,
    state: S,
    mut step: F,
) -> Result<(S, Option<Position>)>
where
    S: Send + 'static,
    F: FnMut(&mut S, &ShareRow<'_>) -> Result<()> + Send + 'static,
{
    let sorting = page.sort_key.sorting(page.direction);
    let mut select = detailed(page_of(tx.dialect(), &page, sorting, &OWN), with_exports);
    Sorting { table: PAGE, column: SORTED_BY, ..sorting }.order(&mut select, tx.dialect());
    in_order(&mut select, with_exports);
    let step = move |state: &mut S, row: &Row<'_>| step(state, &share_row(row, with_exports)?);
    sorting.fold(tx, &select, page.limit, OWN.len(), state, step).await
}

/// Folds a page of a list of ids and names into `state`, and says where the list goes on, if it
/// does.
///
/// # Errors
/// What the database says.
pub async fn fold_summaries<S, F>(
    tx: &mut Tx,
    page: Page<'_>,
    state: S,
    mut step: F,
) -> Result<(S, Option<Position>)>
where
    S: Send + 'static,
    F: FnMut(&mut S, &str, Option<&str>) -> Result<()> + Send + 'static,
{
    let sorting = page.sort_key.sorting(page.direction);
    let select = page_of(tx.dialect(), &page, sorting, &["id", "name"]);
    let step = move |state: &mut S, row: &Row<'_>| step(state, row.text(0)?, row.optional_text(1)?);
    sorting.fold(tx, &select, page.limit, 2, state, step).await
}

/// Folds the rows of one share into `state`; there are none when there is no such share.
///
/// # Errors
/// What the database says.
pub async fn show<S, F>(
    tx: &mut Tx,
    id: ShareId,
    with_exports: bool,
    state: S,
    mut step: F,
) -> Result<S>
where
    S: Send + 'static,
    F: FnMut(&mut S, &ShareRow<'_>) -> Result<()> + Send + 'static,
{
    let mut rows = Query::select();
    rows.from(TABLE)
        .columns(OWN.map(|column| (TABLE, column)))
        .expr_as(Expr::col((TABLE, "id")), SORTED_BY)
        .and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    let mut select = detailed(rows, with_exports);
    in_order(&mut select, with_exports);
    tx.fold(&select, state, move |state, row| step(state, &share_row(row, with_exports)?)).await
}

/// How many shares there are.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64> {
    let select = Query::select().cond_where(filter.condition(tx.dialect())).take();
    list::count(tx, TABLE, select).await
}

/// The place in a list of the share with this id, if the filter's scope has it, whatever else the
/// filter says.
///
/// # Errors
/// What the database says.
pub async fn position(
    tx: &mut Tx,
    id: ShareId,
    filter: &Filter,
    sort_key: SortKey,
) -> Result<Option<Position>> {
    // The direction does not matter to a place.
    let sorting = sort_key.sorting(Direction::Ascending);
    let mut select = sorting.select_place(TABLE, &id.to_string());
    select.cond_where(filter.scope_condition());
    join_places(&mut select, sorting);
    sorting.place(tx, &select).await
}
