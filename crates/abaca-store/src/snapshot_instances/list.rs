//! Lists of snapshot instances: filtered, sorted, in pages by key, with borrowed columns.

use abaca_model::{
    ShareId, ShareInstanceId, SnapshotId, SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use sea_query::{Cond, Expr, ExprTrait, Query, SelectStatement};

use super::{SNAPSHOTS, TABLE, join_snapshot};
use crate::db::Dialect;
use crate::error::Result;
use crate::hosts;
use crate::list::{self, Direction, Position, SortType, Sorting};
use crate::row::Row;
use crate::tx::Tx;

/// Which snapshot instances a list is of. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of snapshots of this project.
    pub project_id: Option<String>,
    /// Of this snapshot.
    pub snapshot_id: Option<SnapshotId>,
    /// In this status.
    pub status: Option<SnapshotStatus>,
    /// Of snapshots of this share.
    pub share_id: Option<ShareId>,
    /// Of this share instance.
    pub share_instance_id: Option<ShareInstanceId>,
    /// Where `host`, `host@backend` or `host@backend#pool` says.
    pub host: Option<String>,
    /// Made at this time or later.
    pub created_since: Option<Timestamp>,
    /// Made before this time.
    pub created_before: Option<Timestamp>,
}

/// What a list can be sorted by. Each has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When it was asked for.
    CreatedAt,
    /// Its id.
    Id,
    /// The share.
    ShareId,
    /// The share instance.
    ShareInstanceId,
    /// The snapshot.
    SnapshotId,
    /// The status, by its text.
    Status,
    /// When it last changed; never before ever.
    UpdatedAt,
}

/// Which rows of a list, and in which order.
pub type Page<'a> = list::Page<'a, Filter, SortKey>;

/// A row of a list, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedInstance<'a> {
    /// Its id.
    pub id: &'a str,
    /// The snapshot's id.
    pub snapshot_id: &'a str,
    /// Its status.
    pub status: &'a str,
    /// The rest, if the list is detailed.
    pub details: Option<InstanceDetails<'a>>,
}

/// What a detailed list says beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceDetails<'a> {
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// The share's id.
    pub share_id: &'a str,
    /// The share instance's id.
    pub share_instance_id: &'a str,
    /// Its progress.
    pub progress: Option<&'a str>,
    /// Where the backend keeps the bytes.
    pub provider_location: Option<&'a str>,
}

const SHARE_INSTANCES: &str = "share_instances";
const SUMMARY: [&str; 3] = ["id", "snapshot_id", "status"];
const DETAILS: [&str; 6] =
    ["created_at", "updated_at", "share_id", "share_instance_id", "progress", "provider_location"];

impl SortKey {
    fn sorting(self, direction: Direction) -> Sorting {
        let (column, holds) = match self {
            Self::CreatedAt => ("created_at", SortType::Integer),
            Self::Id => ("id", SortType::Id),
            Self::ShareId => ("share_id", SortType::Text),
            Self::ShareInstanceId => ("share_instance_id", SortType::Text),
            Self::SnapshotId => ("snapshot_id", SortType::Text),
            Self::Status => ("status", SortType::Text),
            Self::UpdatedAt => ("updated_at", SortType::Integer),
        };
        let nullable = self == Self::UpdatedAt;
        Sorting { table: TABLE, column, holds, nullable, direction }
    }
}

impl Filter {
    /// Joins the tables that the condition is about, beside the instances themselves.
    fn join(&self, select: &mut SelectStatement) {
        if self.host.is_some() {
            let own = Expr::col((SHARE_INSTANCES, "id")).equals((TABLE, "share_instance_id"));
            select.inner_join(SHARE_INSTANCES, own);
        }
        if self.project_id.is_some() {
            join_snapshot(select);
        }
    }

    fn condition(&self) -> Cond {
        let own = |column| Expr::col((TABLE, column));
        let project = self.project_id.as_deref();
        Cond::all()
            .add_option(project.map(|id| Expr::col((SNAPSHOTS, "project_id")).eq(id)))
            .add_option(self.snapshot_id.map(|id| own("snapshot_id").eq(id.to_string())))
            .add_option(self.status.map(|status| own("status").eq(status.as_str())))
            .add_option(self.share_id.map(|id| own("share_id").eq(id.to_string())))
            .add_option(
                self.share_instance_id.map(|id| own("share_instance_id").eq(id.to_string())),
            )
            .add_option(self.host.as_deref().map(on_host))
            .add_option(self.created_since.map(|time| own("created_at").gte(time.micros())))
            .add_option(self.created_before.map(|time| own("created_at").lt(time.micros())))
    }
}

/// In the pool, a pool of the backend, or a backend of the host.
fn on_host(host: &str) -> Cond {
    let column = Expr::col((SHARE_INSTANCES, "host"));
    match host {
        pool if pool.contains('#') => Cond::all().add(column.eq(pool)),
        backend if backend.contains('@') => hosts::at_or_in(column, backend, '#'),
        host => hosts::at_or_in(column, host, '@'),
    }
}

/// How a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Id, snapshot and status.
    Summary,
    /// Everything.
    Detail,
}

/// Folds a page of a list into `state`, row by row, and says where the list goes on, if it does.
///
/// # Errors
/// What the database says.
pub async fn fold<S, F>(
    tx: &mut Tx,
    page: Page<'_>,
    shape: Shape,
    state: S,
    mut step: F,
) -> Result<(S, Option<Position>)>
where
    S: Send + 'static,
    F: FnMut(&mut S, &ListedInstance<'_>) -> Result<()> + Send + 'static,
{
    let (sorting, limit) = (page.sort_key.sorting(page.direction), page.limit);
    let select = select_page(tx.dialect(), &page, shape);
    let key = match shape {
        Shape::Summary => SUMMARY.len(),
        Shape::Detail => SUMMARY.len() + DETAILS.len(),
    };
    let step = move |state: &mut S, row: &Row<'_>| step(state, &listed_instance(row, shape)?);
    sorting.fold(tx, &select, limit, key, state, step).await
}

/// The sort column stands behind the columns of the shape.
fn select_page(dialect: Dialect, page: &Page<'_>, shape: Shape) -> SelectStatement {
    let sorting = page.sort_key.sorting(page.direction);
    let mut select = listed(page.filter, shape);
    select.column(sorting.key()).cond_where(page.filter.condition());
    page.bound(&mut select, &sorting, dialect);
    select
}

fn listed(filter: &Filter, shape: Shape) -> SelectStatement {
    let mut select = Query::select();
    select.from(TABLE).columns(SUMMARY.map(|column| (TABLE, column)));
    if shape == Shape::Detail {
        select.columns(DETAILS.map(|column| (TABLE, column)));
    }
    filter.join(&mut select);
    select
}

fn listed_instance<'a>(row: &'a Row<'_>, shape: Shape) -> Result<ListedInstance<'a>> {
    let details = match shape {
        Shape::Summary => None,
        Shape::Detail => Some(InstanceDetails {
            created_at: row.time(3)?,
            updated_at: row.optional_time(4)?,
            share_id: row.text(5)?,
            share_instance_id: row.text(6)?,
            progress: row.optional_text(7)?,
            provider_location: row.optional_text(8)?,
        }),
    };
    Ok(ListedInstance {
        id: row.text(0)?,
        snapshot_id: row.text(1)?,
        status: row.text(2)?,
        details,
    })
}

/// How many instances there are.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64> {
    let mut select = Query::select();
    filter.join(&mut select);
    select.cond_where(filter.condition());
    list::count(tx, TABLE, select).await
}

/// The place in a list of the instance with this id, of a snapshot of `project_id` if one is given,
/// whatever the filter otherwise; `None`: there is none.
///
/// # Errors
/// What the database says.
pub async fn position(
    tx: &mut Tx,
    id: SnapshotInstanceId,
    project_id: Option<&str>,
    sort_key: SortKey,
) -> Result<Option<Position>> {
    // The direction does not matter to a place.
    let sorting = sort_key.sorting(Direction::Ascending);
    let scope = Filter { project_id: project_id.map(str::to_owned), ..Filter::default() };
    let mut select = sorting.select_place(TABLE, &id.to_string());
    scope.join(&mut select);
    sorting.place(tx, select.cond_where(scope.condition())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How SQLite would run a page that goes on in the middle of a list.
    fn plan(database: &rusqlite::Connection, filter: &Filter, sort_key: SortKey) -> String {
        let id = "275516e8-c998-4e78-a41e-7dd3a03e71cd".to_owned();
        let sorting = sort_key.sorting(Direction::Descending);
        let value = match sorting.holds {
            SortType::Integer => crate::list::SortValue::Integer(Some(5)),
            SortType::Text | SortType::Id => crate::list::SortValue::Text(Some("m".to_owned())),
        };
        let page = Page {
            filter,
            sort_key,
            direction: Direction::Descending,
            after: Some(Position { value, id }),
            offset: 0,
            limit: 1_000,
        };
        let select = select_page(Dialect::Sqlite, &page, Shape::Detail);
        let sql = format!("EXPLAIN QUERY PLAN {}", select.to_string(sea_query::SqliteQueryBuilder));
        let mut statement = database.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    fn database() -> rusqlite::Connection {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../../migrations/V1__initial.sql")).unwrap();
        database
    }

    #[test]
    fn every_sort_walks_an_index() {
        let database = database();
        for key in [
            SortKey::CreatedAt,
            SortKey::Id,
            SortKey::ShareId,
            SortKey::ShareInstanceId,
            SortKey::SnapshotId,
            SortKey::Status,
            SortKey::UpdatedAt,
        ] {
            let plan = plan(&database, &Filter::default(), key);
            assert!(plan.contains(" snapshot_instances USING INDEX"), "{key:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{key:?}: {plan}");
        }
    }

    #[test]
    fn every_filter_uses_an_index() {
        let database = database();
        let id = "275516e8-c998-4e78-a41e-7dd3a03e71cd";
        let time = Some(Timestamp::from_micros(7));
        let all = Filter::default;
        for filter in [
            Filter { project_id: Some("project".to_owned()), ..all() },
            Filter { snapshot_id: id.parse().ok(), ..all() },
            Filter { status: Some(SnapshotStatus::Error), ..all() },
            Filter { share_id: id.parse().ok(), ..all() },
            Filter { share_instance_id: id.parse().ok(), ..all() },
            Filter { host: Some("a@b#c".to_owned()), ..all() },
            Filter { created_since: time, ..all() },
            Filter { created_before: time, ..all() },
        ] {
            let plan = plan(&database, &filter, SortKey::CreatedAt);
            let scans =
                plan.split("; ").any(|step| step.starts_with("SCAN") && !step.contains("INDEX"));
            assert!(!scans, "{filter:?}: {plan}");
        }
    }
}
