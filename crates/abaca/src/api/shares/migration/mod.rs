//! An administrator moves a share to another pool, in two phases.

mod progress;
mod start;
mod wish;

pub(crate) use progress::progress;
pub(crate) use start::start;
pub(crate) use wish::{cancel, complete};

use abaca_model::{Share, TaskState};
use abaca_store::share_migrations::ShareMigration;

/// Where the migration of a share stands: what it says itself, else what the share shows.
fn state(share: &Share, migration: Option<&ShareMigration>) -> Option<TaskState> {
    migration.map(|migration| migration.state).or(share.task_state)
}

/// Why a share's migration can't be completed, cancelled or looked at in its state, if that tells.
fn problem(share: &Share, state: Option<TaskState>) -> Option<String> {
    let id = share.id;
    Some(match state {
        Some(TaskState::MigrationSuccess) => {
            format!("Migration of share {id} has already completed.")
        }
        None | Some(TaskState::MigrationError) => {
            format!("There is no migration being performed for share {id} at this moment.")
        }
        Some(TaskState::MigrationCancelled) => {
            format!("Migration of share {id} was already cancelled.")
        }
        _ => return None,
    })
}
