//! An administrator completes a migration whose first phase is done, or cancels one.

use abaca_model::{MigrationWish, OperationKind, Share, TaskState, Timestamp};
use abaca_store::share_migrations::{self, ShareMigration};
use abaca_store::{operations, retry_conflicts, shares};

use super::{problem, state};
use crate::api::shares::load::{self, target};
use crate::api::{ApiError, Call, Reply};

/// `POST /shares/{id}/action` with `migration_complete`.
pub(crate) async fn complete(call: Call) -> Result<Reply, ApiError> {
    wish(call, "share:migration_complete", MigrationWish::Complete).await
}

/// `POST /shares/{id}/action` with `migration_cancel`.
pub(crate) async fn cancel(call: Call) -> Result<Reply, ApiError> {
    wish(call, "share:migration_cancel", MigrationWish::Cancel).await
}

async fn wish(call: Call, rule: &str, wish: MigrationWish) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise(rule, &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
        let migration = share_migrations::of_share(&mut tx, share.id).await?;
        let migration = migration.filter(|migration| may_wish(migration, wish));
        let migration = migration.ok_or_else(|| refused(&share, wish))?;
        share_migrations::want(&mut tx, share.id, wish).await?;
        let source = migration.source.uuid();
        let kind = OperationKind::MigrateShare;
        operations::hasten(&mut tx, kind, source, now).await?;
        if wish == MigrationWish::Cancel {
            // No backend is asked any more, and the worker of the present one may be gone.
            operations::open_to_all(&mut tx, kind, source).await?;
        }
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

fn may_wish(migration: &ShareMigration, wish: MigrationWish) -> bool {
    let is_done = matches!(
        migration.state,
        TaskState::MigrationDriverPhase1Done | TaskState::DataCopyingCompleted
    );
    match wish {
        MigrationWish::Complete => is_done && migration.wanted.is_none(),
        MigrationWish::Cancel => migration.wanted != Some(MigrationWish::Complete),
    }
}

fn refused(share: &Share, wish: MigrationWish) -> ApiError {
    let message = problem(share, state(share, None)).unwrap_or_else(|| match wish {
        MigrationWish::Complete => {
            format!("First migration phase of share {} not completed yet.", share.id)
        }
        MigrationWish::Cancel => {
            format!("Migration of share {} cannot be cancelled at this moment.", share.id)
        }
    });
    ApiError::bad_request(format!("Invalid share: {message}"))
}
