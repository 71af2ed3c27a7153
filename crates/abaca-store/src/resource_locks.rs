//! What keeps shares and access rules from being deleted, and rules from being read.
//!
//! Whoever places a lock and whoever does what it forbids hold the row of the share, so that one of
//! them comes first. Locks go with what they lock, by the database's own means.

use abaca_model::{
    LockAction, LockedResource, LockedType, ResourceLock, ResourceLockId, Timestamp,
};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement};
use uuid::Uuid;

use crate::db::Dialect;
use crate::error::Result;
use crate::like;
use crate::list::{self, Direction, Position, SortType, Sorting};
use crate::row::Row;
use crate::tx::Tx;

const TABLE: &str = "resource_locks";
const COLUMNS: [&str; 11] = [
    "id",
    "project_id",
    "user_id",
    "lock_context",
    "resource_type",
    "resource_id",
    "resource_action",
    "lock_reason",
    "cause_id",
    "created_at",
    "updated_at",
];

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS.map(|column| (TABLE, column))).from(TABLE).take()
}

fn lock(row: &Row<'_>) -> Result<ResourceLock> {
    let id: Uuid = row.parsed(5)?;
    Ok(ResourceLock {
        id: row.parsed(0)?,
        project_id: row.string(1)?,
        user_id: row.string(2)?,
        context: row.parsed(3)?,
        resource: match row.parsed::<LockedType>(4)? {
            LockedType::Share => LockedResource::Share(id.into()),
            LockedType::AccessRule => LockedResource::AccessRule(id.into()),
        },
        action: row.parsed(6)?,
        reason: row.optional_string(7)?,
        cause: row.optional_parsed(8)?,
        created_at: row.time(9)?,
        updated_at: row.optional_time(10)?,
    })
}

/// Adds a lock. The share must be locked in this transaction, a rule's share likewise.
///
/// # Errors
/// What the database says; [`crate::Error::ForeignKey`] when there is no such resource.
pub async fn insert(tx: &mut Tx, new: &ResourceLock) -> Result<()> {
    let id = new.resource.uuid().to_string();
    let (share, rule) = match new.resource {
        LockedResource::Share(_) => (Some(id.clone()), None),
        LockedResource::AccessRule(_) => (None, Some(id.clone())),
    };
    let mut insert = Query::insert();
    insert
        .into_table(TABLE)
        .columns(COLUMNS.into_iter().chain(["share_id", "access_rule_id"]))
        .values_panic([
            new.id.to_string().into(),
            new.project_id.as_str().into(),
            new.user_id.as_str().into(),
            new.context.as_str().into(),
            new.resource.kind().as_str().into(),
            id.into(),
            new.action.as_str().into(),
            new.reason.clone().into(),
            new.cause.map(|cause| cause.to_string()).into(),
            new.created_at.micros().into(),
            new.updated_at.map(Timestamp::micros).into(),
            share.into(),
            rule.into(),
        ]);
    tx.execute(&insert).await.map(drop)
}

/// The lock with this id, of whatever project.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: ResourceLockId) -> Result<Option<ResourceLock>> {
    let mut select = select();
    select.and_where(Expr::col((TABLE, "id")).eq(id.to_string()));
    tx.optional(&select, lock).await
}

/// The locks that keep anyone from doing `action` to this resource, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_resource(
    tx: &mut Tx,
    resource: LockedResource,
    action: LockAction,
) -> Result<Vec<ResourceLock>> {
    tx.all(&select_of_resource(resource, action), lock).await
}

/// The oldest of those locks, `limit` at most.
///
/// # Errors
/// What the database says.
pub async fn oldest_of_resource(
    tx: &mut Tx,
    resource: LockedResource,
    action: LockAction,
    limit: u64,
) -> Result<Vec<ResourceLock>> {
    let select = select_of_resource(resource, action).limit(limit).take();
    tx.all(&select, lock).await
}

fn select_of_resource(resource: LockedResource, action: LockAction) -> SelectStatement {
    select()
        .and_where(Expr::col((TABLE, "resource_id")).eq(resource.uuid().to_string()))
        .and_where(Expr::col((TABLE, "resource_action")).eq(action.as_str()))
        .order_by((TABLE, "created_at"), Order::Asc)
        .order_by((TABLE, "id"), Order::Asc)
        .take()
}

/// The locks on reading a share's rules.
///
/// # Errors
/// What the database says.
pub async fn on_reading_rules_of(tx: &mut Tx, share_id: Uuid) -> Result<Vec<ResourceLock>> {
    let rules = "share_access_rules";
    let mut select = select();
    select
        .inner_join(rules, Expr::col((rules, "id")).equals((TABLE, "access_rule_id")))
        .and_where(Expr::col((rules, "share_id")).eq(share_id.to_string()))
        .and_where(Expr::col((TABLE, "resource_action")).eq(LockAction::Show.as_str()));
    tx.all(&select, lock).await
}

/// Changes the action and the reason of a lock. What came with it goes when it no longer keeps its
/// resource from being deleted. `false`: it is gone.
///
/// # Errors
/// What the database says.
pub async fn update(
    tx: &mut Tx,
    id: ResourceLockId,
    action: LockAction,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let update = Query::update()
        .table(TABLE)
        .value("resource_action", action.as_str())
        .value("lock_reason", reason.map(str::to_owned))
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    if action != LockAction::Delete {
        let caused = Query::delete()
            .from_table(TABLE)
            .and_where(Expr::col("cause_id").eq(id.to_string()))
            .to_owned();
        tx.execute(&caused).await?;
    }
    Ok(tx.execute(&update).await? == 1)
}

/// Removes a lock, and those that came with it. `false`: there is none.
///
/// # Errors
/// What the database says.
pub async fn delete(tx: &mut Tx, id: ResourceLockId) -> Result<bool> {
    let delete =
        Query::delete().from_table(TABLE).and_where(Expr::col("id").eq(id.to_string())).to_owned();
    Ok(tx.execute(&delete).await? == 1)
}

/// Which locks a list is of. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this project. `None`: of every project.
    pub project_id: Option<String>,
    /// With this id.
    pub id: Option<String>,
    /// Placed by this user.
    pub user_id: Option<String>,
    /// On this resource.
    pub resource_id: Option<String>,
    /// On a resource of this kind.
    pub resource_type: Option<LockedType>,
    /// With this action.
    pub action: Option<LockAction>,
    /// Placed as this.
    pub context: Option<String>,
    /// For exactly this reason.
    pub reason: Option<String>,
    /// With this in the reason, whatever its case.
    pub reason_contains: Option<String>,
    /// Not older than this.
    pub created_since: Option<Timestamp>,
    /// Not newer than this.
    pub created_before: Option<Timestamp>,
}

impl Filter {
    fn condition(&self, dialect: Dialect) -> Cond {
        let column = |column| Expr::col((TABLE, column));
        let is = |name, value: &Option<String>| value.clone().map(|value| column(name).eq(value));
        let word = |name, value: Option<&'static str>| value.map(|value| column(name).eq(value));
        let part = self.reason_contains.as_deref();
        Cond::all()
            .add_option(is("project_id", &self.project_id))
            .add_option(is("id", &self.id))
            .add_option(is("user_id", &self.user_id))
            .add_option(is("resource_id", &self.resource_id))
            .add_option(word("resource_type", self.resource_type.map(LockedType::as_str)))
            .add_option(word("resource_action", self.action.map(LockAction::as_str)))
            .add_option(is("lock_context", &self.context))
            .add_option(is("lock_reason", &self.reason))
            .add_option(part.map(|part| like::contains(dialect, column("lock_reason"), part)))
            .add_option(self.created_since.map(|time| column("created_at").gte(time.micros())))
            .add_option(self.created_before.map(|time| column("created_at").lte(time.micros())))
    }
}

/// What a list can be sorted by: a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the fields'")]
pub enum SortKey {
    Id,
    ProjectId,
    UserId,
    Context,
    ResourceType,
    ResourceId,
    Action,
    Reason,
    CreatedAt,
    UpdatedAt,
}

impl SortKey {
    fn sorting(self, direction: Direction) -> Sorting {
        let (column, holds) = match self {
            Self::Id => ("id", SortType::Id),
            Self::ProjectId => ("project_id", SortType::Text),
            Self::UserId => ("user_id", SortType::Text),
            Self::Context => ("lock_context", SortType::Text),
            Self::ResourceType => ("resource_type", SortType::Text),
            Self::ResourceId => ("resource_id", SortType::Text),
            Self::Action => ("resource_action", SortType::Text),
            Self::Reason => ("lock_reason", SortType::Text),
            Self::CreatedAt => ("created_at", SortType::Integer),
            Self::UpdatedAt => ("updated_at", SortType::Integer),
        };
        let nullable = matches!(self, Self::Reason | Self::UpdatedAt);
        Sorting { table: TABLE, column, holds, nullable, direction }
    }
}

/// Which rows of a list, and in which order.
pub type Page<'a> = list::Page<'a, Filter, SortKey>;

/// A page of a list, and the place where it goes on, if it does.
///
/// # Errors
/// What the database says.
pub async fn list(tx: &mut Tx, page: Page<'_>) -> Result<(Vec<ResourceLock>, Option<Position>)> {
    let sorting = page.sort_key.sorting(page.direction);
    let mut select = select();
    select.column(sorting.key()).cond_where(page.filter.condition(tx.dialect()));
    page.bound(&mut select, &sorting, tx.dialect());
    sorting
        .fold(tx, &select, page.limit, COLUMNS.len(), Vec::new(), |locks, row| {
            locks.push(lock(row)?);
            Ok(())
        })
        .await
}

/// How many locks there are.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64> {
    let select = Query::select().cond_where(filter.condition(tx.dialect())).take();
    list::count(tx, TABLE, select).await
}

/// The place in a list of the lock with this id, of `project_id` if one is given, whatever the
/// filter otherwise; `None`: there is none.
///
/// # Errors
/// What the database says.
pub async fn position(
    tx: &mut Tx,
    id: ResourceLockId,
    project_id: Option<&str>,
    sort_key: SortKey,
) -> Result<Option<Position>> {
    // The direction does not matter to a place.
    let sorting = sort_key.sorting(Direction::Ascending);
    sorting.place_of_project(tx, &id.to_string(), project_id).await
}
