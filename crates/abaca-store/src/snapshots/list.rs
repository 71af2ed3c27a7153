//! Lists of snapshots: filtered, sorted, in pages by key.

use std::collections::BTreeMap;

use abaca_model::{SnapshotId, SnapshotStatus};
use sea_query::{Cond, Expr, ExprTrait, Query};

use super::{COLUMNS, METADATA, SnapshotWithStatus, TABLE, complete, select, snapshot};
use crate::db::Dialect;
use crate::error::Result;
use crate::like;
use crate::list::{self, Direction, Position, SortType, Sorting};
use crate::tx::Tx;

/// Which snapshots a list is of. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this project. `None`: of every project.
    pub project_id: Option<String>,
    /// The snapshot with this id.
    pub id: Option<String>,
    /// Made by this user.
    pub user_id: Option<String>,
    /// Of this share.
    pub share_id: Option<String>,
    /// With just this name.
    pub name: Option<String>,
    /// With just this description.
    pub description: Option<String>,
    /// With this in its name, whatever the case.
    pub name_like: Option<String>,
    /// With this in its description, whatever the case.
    pub description_like: Option<String>,
    /// With an instance in this status.
    pub status: Option<String>,
    /// Of this size in GiB.
    pub size: Option<i64>,
    /// Taken when the share had this size in GiB.
    pub share_size: Option<i64>,
    /// Of a share with this protocol.
    pub share_proto: Option<String>,
    /// Not if its deletion has been deferred.
    pub hide_deferred: bool,
    /// With all of this metadata.
    pub metadata: BTreeMap<String, String>,
    /// With, or without, shares that were created from it.
    pub used: Option<bool>,
}

/// What a list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When it was asked for.
    CreatedAt,
    /// The tenant's description.
    Description,
    /// Its id.
    Id,
    /// The tenant's name for it.
    Name,
    /// The project.
    ProjectId,
    /// The share.
    ShareId,
    /// The protocol.
    ShareProto,
    /// The share's size then.
    ShareSize,
    /// The size.
    Size,
    /// When it last changed; never before ever.
    UpdatedAt,
    /// The user.
    UserId,
}

/// Which rows of a list, and in which order.
pub type Page<'a> = list::Page<'a, Filter, SortKey>;

impl SortKey {
    fn sorting(self, direction: Direction) -> Sorting {
        let (column, holds, nullable) = match self {
            Self::CreatedAt => ("created_at", SortType::Integer, false),
            Self::Description => ("description", SortType::Text, true),
            Self::Id => ("id", SortType::Id, false),
            Self::Name => ("name", SortType::Text, true),
            Self::ProjectId => ("project_id", SortType::Text, false),
            Self::ShareId => ("share_id", SortType::Text, false),
            Self::ShareProto => ("share_proto", SortType::Text, false),
            Self::ShareSize => ("share_size", SortType::Integer, false),
            Self::Size => ("size", SortType::Integer, false),
            Self::UpdatedAt => ("updated_at", SortType::Integer, true),
            Self::UserId => ("user_id", SortType::Text, false),
        };
        Sorting { table: TABLE, column, holds, nullable, direction }
    }
}

impl Filter {
    fn condition(&self, dialect: Dialect) -> Cond {
        let is = |column, value: &Option<String>| {
            value.clone().map(|value| Expr::col((TABLE, column)).eq(value))
        };
        let has = |column, part: &Option<String>| {
            let column = Expr::col((TABLE, column));
            part.as_deref().map(|part| like::contains(dialect, column, part))
        };
        let number =
            |column, value: Option<i64>| value.map(|value| Expr::col((TABLE, column)).eq(value));
        Cond::all()
            .add_option(is("project_id", &self.project_id))
            .add_option(is("id", &self.id))
            .add_option(is("user_id", &self.user_id))
            .add_option(is("share_id", &self.share_id))
            .add_option(is("name", &self.name))
            .add_option(is("description", &self.description))
            .add_option(is("share_proto", &self.share_proto))
            .add_option(number("size", self.size))
            .add_option(number("share_size", self.share_size))
            .add_option(has("name", &self.name_like))
            .add_option(has("description", &self.description_like))
            .add_option(self.status.as_deref().map(has_instance_in))
            .add_option(self.hide_deferred.then(is_kept))
            .add_option(self.used.map(|used| if used { is_used() } else { is_used().not() }))
            .add_option(list::all_of(&self.metadata, has_metadata))
    }
}

/// No instance's deletion has been deferred.
pub(super) fn is_kept() -> Expr {
    let mut instances = Query::select();
    instances
        .expr(Expr::cust("1"))
        .from("snapshot_instances")
        .and_where(Expr::col(("snapshot_instances", "snapshot_id")).equals((TABLE, "id")))
        .and_where(
            Expr::col(("snapshot_instances", "status"))
                .is_in(SnapshotStatus::DEFERRED.map(SnapshotStatus::as_str)),
        );
    Expr::exists(instances).not()
}

fn has_instance_in(status: &str) -> Expr {
    let mut instances = Query::select();
    instances
        .expr(Expr::cust("1"))
        .from("snapshot_instances")
        .and_where(Expr::col(("snapshot_instances", "snapshot_id")).equals((TABLE, "id")))
        .and_where(Expr::col(("snapshot_instances", "status")).eq(status));
    Expr::exists(instances)
}

fn has_metadata(name: &str, value: &str) -> Expr {
    let mut pairs = Query::select();
    pairs
        .expr(Expr::cust("1"))
        .from(METADATA)
        .and_where(Expr::col((METADATA, "snapshot_id")).equals((TABLE, "id")))
        .and_where(Expr::col((METADATA, "name")).eq(name))
        .and_where(Expr::col((METADATA, "value")).eq(value));
    Expr::exists(pairs)
}

fn is_used() -> Expr {
    let mut shares = Query::select();
    shares
        .expr(Expr::cust("1"))
        .from("shares")
        .and_where(Expr::col(("shares", "source_snapshot_id")).equals((TABLE, "id")));
    Expr::exists(shares)
}

/// A page of a list, and the place where it goes on, if it does.
///
/// # Errors
/// What the database says.
pub async fn list(
    tx: &mut Tx,
    page: Page<'_>,
) -> Result<(Vec<SnapshotWithStatus>, Option<Position>)> {
    let sorting = page.sort_key.sorting(page.direction);
    let mut select = select();
    select.column(sorting.key()).cond_where(page.filter.condition(tx.dialect()));
    page.bound(&mut select, &sorting, tx.dialect());
    let (snapshots, next) = sorting
        .fold(tx, &select, page.limit, COLUMNS.len(), Vec::new(), |snapshots, row| {
            snapshots.push(snapshot(row)?);
            Ok(())
        })
        .await?;
    Ok((complete(tx, snapshots).await?, next))
}

/// How many snapshots there are.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64> {
    let select = Query::select().cond_where(filter.condition(tx.dialect())).take();
    list::count(tx, TABLE, select).await
}

/// The place in a list of the snapshot with this id, of `project_id` if one is given, whatever the
/// filter otherwise; `None`: there is none.
///
/// # Errors
/// What the database says.
pub async fn position(
    tx: &mut Tx,
    id: SnapshotId,
    project_id: Option<&str>,
    sort_key: SortKey,
) -> Result<Option<Position>> {
    // The direction does not matter to a place.
    let sorting = sort_key.sorting(Direction::Ascending);
    sorting.place_of_project(tx, &id.to_string(), project_id).await
}
