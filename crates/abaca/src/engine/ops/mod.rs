//! One file per operation. A step does its part in the backend, which may have been done already,
//! and records it in one guarded transaction.

mod create_replica;
mod create_share;
mod create_snapshot;
mod delete_replica;
mod delete_share;
mod delete_snapshot;
mod ensure_share;
mod manage_share;
mod manage_snapshot;
mod message;
mod migrate_share;
mod promote_replica;
mod quiesce;
mod replicas;
mod resize_share;
mod revert_share;
mod schedule;
mod superseded;
mod unmanage_share;
mod unmanage_snapshot;
mod update_access_rules;
mod update_replica;

use std::time::Duration;

use abaca_drivers::Export;
use abaca_model::OperationKind;
use abaca_store::Tx;
use abaca_store::export_work::NewExportLocation;
use async_trait::async_trait;

use super::failure::{Failure, Permanent};
use super::run::{Outcome, Run};

/// What the runner needs of each kind of operation.
#[async_trait]
pub(super) trait Work: Send + Sync {
    /// The steps in their order, by name.
    fn steps(&self) -> &'static [&'static str];

    /// Runs the step that `run` names, whose effects may be there already.
    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure>;

    /// Writes the resource's error status and the tenant's message, in the transaction that ends
    /// the operation.
    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure>;

    /// Whether what fails for good is only told of, by `give_up`, and tried again for ever.
    fn never_gives_up(&self, _run: &Run<'_>) -> bool {
        false
    }

    /// How long it waits at most before it looks again whether what it waits for has come.
    fn longest_wait(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Leaves the backend as the resource's row now says, after it was taken over. Returns the
    /// transaction with what is to be written for that, in which the operation ends.
    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure>;
}

pub(super) fn work(kind: OperationKind) -> &'static dyn Work {
    match kind {
        OperationKind::CreateShare => &create_share::CreateShare,
        OperationKind::DeleteShare => &delete_share::DeleteShare,
        OperationKind::ExtendShare => &resize_share::ResizeShare::EXTEND,
        OperationKind::ShrinkShare => &resize_share::ResizeShare::SHRINK,
        OperationKind::CreateSnapshot => &create_snapshot::CreateSnapshot,
        OperationKind::DeleteSnapshot => &delete_snapshot::DeleteSnapshot,
        OperationKind::MigrateShare => &migrate_share::MigrateShare,
        OperationKind::RevertShare => &revert_share::RevertShare,
        OperationKind::EnsureShare => &ensure_share::EnsureShare,
        OperationKind::CreateReplica => &create_replica::CreateReplica,
        OperationKind::DeleteReplica => &delete_replica::DeleteReplica,
        OperationKind::PromoteReplica => &promote_replica::PromoteReplica,
        OperationKind::UpdateReplica => &update_replica::UpdateReplica,
        OperationKind::ManageShare => &manage_share::ManageShare,
        OperationKind::UnmanageShare => &unmanage_share::UnmanageShare,
        OperationKind::ManageSnapshot => &manage_snapshot::ManageSnapshot,
        OperationKind::UnmanageSnapshot => &unmanage_snapshot::UnmanageSnapshot,
        OperationKind::UpdateAccessRules => &update_access_rules::UpdateAccessRules::OF_SHARES,
        OperationKind::UpdateSnapshotAccessRules => {
            &update_access_rules::UpdateAccessRules::OF_SNAPSHOTS
        }
    }
}

/// The pool of `host@backend#pool`.
fn pool_of(host: &str) -> String {
    host.split_once('#').map_or("", |(_, pool)| pool).to_owned()
}

fn export_location(export: Export) -> NewExportLocation {
    NewExportLocation {
        path: export.path,
        is_admin_only: export.is_admin_only,
        preferred: export.preferred,
        metadata: export.metadata,
    }
}
