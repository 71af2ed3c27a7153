//! How far a migration is.

use abaca_model::TaskState;
use abaca_store::share_migrations::{self, ShareMigration};
use serde_json::{Value, json};

use super::{problem, state};
use crate::api::shares::load::{self, target};
use crate::api::{ApiError, Call, Reply, V};

const DETAILS: V = V(2, 59);

/// `GET /shares/{id}/migration-progress`, before 2.98 the action `migration_get_progress`.
pub(crate) async fn progress(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    let migration = share_migrations::of_share(&mut tx, share.id).await?;
    drop(tx);
    call.authorise("share:migration_get_progress", &target(&share)).await?;
    let state = state(&share, migration.as_ref());
    let Some(percent) = percent(state, migration.as_ref()) else {
        let message = problem(&share, state).unwrap_or_else(|| {
            format!("Migration progress of share {} cannot be obtained at this moment.", share.id)
        });
        return Err(ApiError::bad_request(format!("Invalid share: {message}")));
    };
    let mut shown = json!({ "task_state": state, "total_progress": percent });
    if call.since(DETAILS)
        && let Some(object) = shown.as_object_mut()
    {
        object.insert("details".to_owned(), details(migration.as_ref()));
    }
    Reply::ok(&shown)
}

/// From 0 to 100; `None` where there is nothing to be told.
fn percent(state: Option<TaskState>, migration: Option<&ShareMigration>) -> Option<i64> {
    match state? {
        TaskState::MigrationSuccess
        | TaskState::MigrationCancelled
        | TaskState::MigrationError
        | TaskState::MigrationCompleting
        | TaskState::MigrationDriverPhase1Done
        | TaskState::DataCopyingError
        | TaskState::DataCopyingCancelled
        | TaskState::DataCopyingCompleting
        | TaskState::DataCopyingCompleted => Some(100),
        TaskState::MigrationStarting
        | TaskState::MigrationInProgress
        | TaskState::DataCopyingStarting => Some(0),
        TaskState::MigrationDriverInProgress | TaskState::DataCopyingInProgress => {
            migration.map(|migration| migration.progress.percent())
        }
    }
}

/// The bytes, while they are being copied.
fn details(migration: Option<&ShareMigration>) -> Value {
    let copying = [TaskState::MigrationDriverInProgress, TaskState::DataCopyingInProgress];
    match migration.filter(|migration| copying.contains(&migration.state)) {
        Some(ShareMigration { progress, .. }) => json!({
            "total_bytes": progress.total,
            "copied_bytes": progress.copied,
            "compared_bytes": progress.compared,
        }),
        None => json!({}),
    }
}
