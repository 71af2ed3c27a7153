//! What the service tells a tenant of an operation that failed.

use std::time::Duration;

use abaca_model::{MessageAction, MessageDetail, MessageId, MessageResource, Timestamp};
use sea_query::{Cond, Expr, ExprTrait, Query, SelectStatement};

use crate::error::Result;
use crate::list::{self, Direction, Position, SortType, Sorting};
use crate::row::Row;
use crate::tx::Tx;

/// A message to the project whose operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Whom it tells.
    pub project_id: String,
    /// The request that asked for the operation.
    pub request_id: String,
    /// The code of a [`MessageResource`].
    pub resource_type: String,
    /// Which share or snapshot.
    pub resource_id: String,
    /// The code of a [`MessageAction`].
    pub action_id: String,
    /// What was being done.
    pub action: String,
    /// The code of a [`MessageDetail`].
    pub detail_id: String,
    /// What came of it, and what to do.
    pub detail: String,
    /// How grave it is.
    pub level: String,
    /// When.
    pub created_at: Timestamp,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

/// What a new message tells.
#[derive(Debug, Clone, Copy)]
pub struct NewMessage<'a> {
    /// Whom it tells.
    pub project_id: &'a str,
    /// The request that asked for the operation.
    pub request_id: &'a str,
    /// What it is about.
    pub resource: MessageResource,
    /// Which one.
    pub resource_id: &'a str,
    /// What was being done.
    pub action: MessageAction,
    /// What came of it.
    pub detail: MessageDetail,
    /// Why, in a sentence before that of `detail`; may be empty.
    pub reason: &'a str,
}

const TABLE: &str = "messages";
const COLUMNS: [&str; 12] = [
    "id",
    "project_id",
    "request_id",
    "resource_type",
    "resource_id",
    "action_id",
    "action",
    "detail_id",
    "detail",
    "message_level",
    "created_at",
    "expires_at",
];

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS.map(|column| (TABLE, column))).from(TABLE).take()
}

fn message(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        id: row.parsed(0)?,
        project_id: row.string(1)?,
        request_id: row.string(2)?,
        resource_type: row.string(3)?,
        resource_id: row.string(4)?,
        action_id: row.string(5)?,
        action: row.string(6)?,
        detail_id: row.string(7)?,
        detail: row.string(8)?,
        level: row.string(9)?,
        created_at: row.time(10)?,
        expires_at: row.time(11)?,
    })
}

/// Adds an error message that is kept for `kept` from `now` on; returns its id.
///
/// # Errors
/// What the database says.
pub async fn insert(
    tx: &mut Tx,
    new: &NewMessage<'_>,
    now: Timestamp,
    kept: Duration,
) -> Result<MessageId> {
    let id = MessageId::random();
    let detail = [new.reason, new.detail.text()].join(" ");
    let insert = Query::insert()
        .into_table(TABLE)
        .columns(COLUMNS)
        .values_panic([
            id.to_string().into(),
            new.project_id.into(),
            new.request_id.into(),
            new.resource.code().into(),
            new.resource_id.into(),
            new.action.code().into(),
            new.action.text().into(),
            new.detail.code().into(),
            detail.trim_start().into(),
            "ERROR".into(),
            now.micros().into(),
            now.after(kept).micros().into(),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(id)
}

/// The message with this id, of whatever project.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, id: MessageId) -> Result<Option<Message>> {
    let select = select().and_where(Expr::col((TABLE, "id")).eq(id.to_string())).take();
    tx.optional(&select, message).await
}

/// Removes a message. `false`: there is none.
///
/// # Errors
/// What the database says.
pub async fn delete(tx: &mut Tx, id: MessageId) -> Result<bool> {
    let delete =
        Query::delete().from_table(TABLE).and_where(Expr::col("id").eq(id.to_string())).to_owned();
    Ok(tx.execute(&delete).await? == 1)
}

/// Which messages a list is of. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this project. `None`: of every project.
    pub project_id: Option<String>,
    /// Of this request.
    pub request_id: Option<String>,
    /// About a resource of this kind.
    pub resource_type: Option<String>,
    /// About this resource.
    pub resource_id: Option<String>,
    /// With this action.
    pub action_id: Option<String>,
    /// With this detail.
    pub detail_id: Option<String>,
    /// With this level.
    pub level: Option<String>,
    /// Not older than this.
    pub created_since: Option<Timestamp>,
    /// Not newer than this.
    pub created_before: Option<Timestamp>,
}

impl Filter {
    fn condition(&self) -> Cond {
        let is = |column, value: &Option<String>| {
            value.clone().map(|value| Expr::col((TABLE, column)).eq(value))
        };
        let created = || Expr::col((TABLE, "created_at"));
        Cond::all()
            .add_option(is("project_id", &self.project_id))
            .add_option(is("request_id", &self.request_id))
            .add_option(is("resource_type", &self.resource_type))
            .add_option(is("resource_id", &self.resource_id))
            .add_option(is("action_id", &self.action_id))
            .add_option(is("detail_id", &self.detail_id))
            .add_option(is("message_level", &self.level))
            .add_option(self.created_since.map(|time| created().gte(time.micros())))
            .add_option(self.created_before.map(|time| created().lte(time.micros())))
    }
}

/// What a list can be sorted by: a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the fields'")]
pub enum SortKey {
    Id,
    ProjectId,
    RequestId,
    ResourceType,
    ResourceId,
    ActionId,
    DetailId,
    Level,
    CreatedAt,
    ExpiresAt,
}

impl SortKey {
    fn sorting(self, direction: Direction) -> Sorting {
        let (column, holds) = match self {
            Self::Id => ("id", SortType::Id),
            Self::ProjectId => ("project_id", SortType::Text),
            Self::RequestId => ("request_id", SortType::Text),
            Self::ResourceType => ("resource_type", SortType::Text),
            Self::ResourceId => ("resource_id", SortType::Text),
            Self::ActionId => ("action_id", SortType::Text),
            Self::DetailId => ("detail_id", SortType::Text),
            Self::Level => ("message_level", SortType::Text),
            Self::CreatedAt => ("created_at", SortType::Integer),
            Self::ExpiresAt => ("expires_at", SortType::Integer),
        };
        Sorting { table: TABLE, column, holds, nullable: false, direction }
    }
}

/// Which rows of a list, and in which order.
pub type Page<'a> = list::Page<'a, Filter, SortKey>;

/// A page of a list, and the place where it goes on, if it does.
///
/// # Errors
/// What the database says.
pub async fn list(tx: &mut Tx, page: Page<'_>) -> Result<(Vec<Message>, Option<Position>)> {
    let sorting = page.sort_key.sorting(page.direction);
    let mut select = select();
    select.column(sorting.key()).cond_where(page.filter.condition());
    page.bound(&mut select, &sorting, tx.dialect());
    sorting
        .fold(tx, &select, page.limit, COLUMNS.len(), Vec::new(), |messages, row| {
            messages.push(message(row)?);
            Ok(())
        })
        .await
}

/// The place in a list of the message with this id, of `project_id` if one is given, whatever the
/// filter otherwise; `None`: there is none.
///
/// # Errors
/// What the database says.
pub async fn position(
    tx: &mut Tx,
    id: MessageId,
    project_id: Option<&str>,
    sort_key: SortKey,
) -> Result<Option<Position>> {
    // The direction does not matter to a place.
    let sorting = sort_key.sorting(Direction::Ascending);
    sorting.place_of_project(tx, &id.to_string(), project_id).await
}

/// Forgets what expired before `now`; returns how many.
///
/// # Errors
/// What the database says.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    let delete = Query::delete()
        .from_table(TABLE)
        .and_where(Expr::col("expires_at").lt(now.micros()))
        .to_owned();
    tx.execute(&delete).await
}
