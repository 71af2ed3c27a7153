//! Shares that are moving: one row each, for as long as it moves.

use abaca_model::{MigrationWish, ShareId, ShareInstanceId, ShareTypeId, TaskState, Timestamp};
use sea_query::{Expr, ExprTrait, Query, SelectStatement, UpdateStatement};

use crate::error::Result;
use crate::row::Row;
use crate::shares;
use crate::tx::Tx;

pub(crate) const TABLE: &str = "share_migrations";
const COLUMNS: [&str; 11] = [
    "share_id",
    "source_instance_id",
    "destination_instance_id",
    "share_type_id",
    "state",
    "wanted",
    "plan",
    "total_bytes",
    "copied_bytes",
    "compared_bytes",
    "created_at",
];

/// A share that is moving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareMigration {
    /// The share.
    pub share_id: ShareId,
    /// The instance it moves from. The operation that moves it works on this.
    pub source: ShareInstanceId,
    /// The instance it moves to; `None` until there is one.
    pub destination: Option<ShareInstanceId>,
    /// The type it changes to; `None`: it keeps its own.
    pub share_type_id: Option<ShareTypeId>,
    /// How far it is. The share shows it, unless an administrator set something else there.
    pub state: TaskState,
    /// What an administrator asked of it.
    pub wanted: Option<MigrationWish>,
    /// What its operation remembers, as JSON.
    pub plan: String,
    /// How many bytes there are.
    pub progress: Progress,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// How far the copying is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes in the source.
    pub total: i64,
    /// Those that have been copied.
    pub copied: i64,
    /// Those that were found to be the same at both ends.
    pub compared: i64,
}

impl Progress {
    /// From 0 to 100: one half is the copying, the other the comparing.
    #[must_use]
    pub fn percent(&self) -> i64 {
        if self.total <= 0 {
            return 0;
        }
        let done = i128::from(self.copied) + i128::from(self.compared);
        i64::try_from(done * 50 / i128::from(self.total)).unwrap_or(100).clamp(0, 100)
    }
}

fn record(row: &Row<'_>) -> Result<ShareMigration> {
    Ok(ShareMigration {
        share_id: row.parsed(0)?,
        source: row.parsed(1)?,
        destination: row.optional_parsed(2)?,
        share_type_id: row.optional_parsed(3)?,
        state: row.parsed(4)?,
        wanted: row.optional_parsed(5)?,
        plan: row.string(6)?,
        progress: Progress {
            total: row.integer(7)?,
            copied: row.integer(8)?,
            compared: row.integer(9)?,
        },
        created_at: row.time(10)?,
    })
}

fn select(column: &'static str, id: String) -> SelectStatement {
    let mut select = Query::select();
    select.from(TABLE).columns(COLUMNS).and_where(Expr::col(column).eq(id));
    select
}

/// The migration of a share, if it is moving.
///
/// # Errors
/// What the database says.
pub async fn of_share(tx: &mut Tx, id: ShareId) -> Result<Option<ShareMigration>> {
    tx.optional(&select("share_id", id.to_string()), record).await
}

/// As [`of_share`], by the instance that the share moves from.
///
/// # Errors
/// What the database says.
pub async fn from_instance(tx: &mut Tx, id: ShareInstanceId) -> Result<Option<ShareMigration>> {
    tx.optional(&select("source_instance_id", id.to_string()), record).await
}

/// Whether a share is about to change to this type.
///
/// # Errors
/// What the database says.
pub async fn any_to_type(tx: &mut Tx, id: ShareTypeId) -> Result<bool> {
    let mut select = Query::select();
    select
        .column("share_id")
        .from(TABLE)
        .and_where(Expr::col("share_type_id").eq(id.to_string()))
        .limit(1);
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// Adds the migration of a share that is locked, and shows its state in the share.
///
/// # Errors
/// What the database says; [`crate::Error::Unique`] when the share is moving already.
pub async fn insert(tx: &mut Tx, migration: &ShareMigration, now: Timestamp) -> Result<()> {
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(COLUMNS).values_panic([
        migration.share_id.to_string().into(),
        migration.source.to_string().into(),
        migration.destination.map(|id| id.to_string()).into(),
        migration.share_type_id.map(|id| id.to_string()).into(),
        migration.state.as_str().into(),
        migration.wanted.map(MigrationWish::as_str).into(),
        migration.plan.as_str().into(),
        migration.progress.total.into(),
        migration.progress.copied.into(),
        migration.progress.compared.into(),
        migration.created_at.micros().into(),
    ]);
    tx.execute(&insert).await?;
    shares::set_task_state(tx, migration.share_id, Some(migration.state), now).await
}

/// Ends the migration of a share; the share shows in which state.
///
/// # Errors
/// What the database says.
pub async fn end(tx: &mut Tx, id: ShareId, state: TaskState, now: Timestamp) -> Result<()> {
    let mut delete = Query::delete();
    delete.from_table(TABLE).and_where(Expr::col("share_id").eq(id.to_string()));
    tx.execute(&delete).await?;
    shares::set_task_state(tx, id, Some(state), now).await
}

fn update(id: ShareId) -> UpdateStatement {
    Query::update().table(TABLE).and_where(Expr::col("share_id").eq(id.to_string())).to_owned()
}

/// Records how far it is, here and in the share.
///
/// # Errors
/// What the database says.
pub async fn set_state(tx: &mut Tx, id: ShareId, state: TaskState, now: Timestamp) -> Result<()> {
    tx.execute(update(id).value("state", state.as_str())).await?;
    shares::set_task_state(tx, id, Some(state), now).await
}

/// Records what an administrator asks of it.
///
/// # Errors
/// What the database says.
pub async fn want(tx: &mut Tx, id: ShareId, wish: MigrationWish) -> Result<()> {
    tx.execute(update(id).value("wanted", wish.as_str())).await.map(drop)
}

/// Records what its operation has to remember.
///
/// # Errors
/// What the database says.
pub async fn set_plan(tx: &mut Tx, id: ShareId, plan: &str) -> Result<()> {
    tx.execute(update(id).value("plan", plan)).await.map(drop)
}

/// Records the instance that it moves to.
///
/// # Errors
/// What the database says.
pub async fn set_destination(tx: &mut Tx, id: ShareId, to: ShareInstanceId) -> Result<()> {
    tx.execute(update(id).value("destination_instance_id", to.to_string())).await.map(drop)
}

/// Records how far the copying to its destination is. A migration that began after this one ended has
/// another, and is left alone.
///
/// # Errors
/// What the database says.
pub async fn set_progress(
    tx: &mut Tx,
    migration: &ShareMigration,
    progress: Progress,
) -> Result<()> {
    let destination = migration.destination.map(|id| id.to_string());
    let mut update = update(migration.share_id);
    update
        .and_where(Expr::col("destination_instance_id").eq(destination))
        .value("total_bytes", progress.total)
        .value("copied_bytes", progress.copied)
        .value("compared_bytes", progress.compared);
    tx.execute(&update).await.map(drop)
}
