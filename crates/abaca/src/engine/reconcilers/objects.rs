//! Compares the objects in each backend with the rows, and cleans up after late calls.
//!
//! An object without a row is deleted only when the operation log tells that everything asked of
//! it has ended: then it is what a late call of a lost runner left. An object that the log does
//! not know is only reported: after a restored database backup it may be a tenant's only copy.
//! A row without its object is reported too; its status is the administrator's to set.

use std::collections::{BTreeMap, BTreeSet};

use abaca_drivers::SnapshotRef;
use abaca_model::{OperationKind, ShareStatus, SnapshotStatus};
use abaca_store::{operations, share_work, snapshot_work};
use uuid::Uuid;

use crate::engine::failure::{Failure, chain};
use crate::engine::{Backend, Engine};
use crate::telemetry::metrics;

const NAME: &str = "objects";

/// What one kind of object in one backend differs by from its rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Objects without a row.
    orphans: Vec<Uuid>,
    /// Rows that say there is an object where there is none.
    missing: Vec<Uuid>,
}

pub(super) async fn run(engine: &Engine, backend: &Backend) {
    let result = async {
        shares(engine, backend).await?;
        snapshots(engine, backend).await?;
        let swept = backend.driver.sweep(&arriving(engine, backend).await?).await?;
        if swept.removed > 0 {
            tracing::info!(backend = backend.service, removed = swept.removed, "swept leftovers");
        }
        Ok::<_, Failure>(())
    };
    let result = result.await;
    if let Err(failure) = &result {
        tracing::warn!(backend = backend.service, error = chain(failure), "it can't be compared");
    }
    metrics::reconciler_run(NAME, result.is_ok());
}

async fn shares(engine: &Engine, backend: &Backend) -> Result<(), Failure> {
    let before = share_rows(engine, backend).await?;
    let objects = backend.driver.list_shares().await?.into_iter().map(|share| share.id).collect();
    let found = compare(&before, &objects, &share_rows(engine, backend).await?);
    tell(backend, "share", &found);
    for id in settled(engine, &found.orphans).await? {
        tracing::info!(backend = backend.service, share_instance_id = %id, "an orphan goes");
        if was_taken(engine, id, OperationKind::ManageShare).await? {
            backend.driver.unmanage_share(id, u64::MAX).await?;
        } else {
            backend.driver.delete_share(id).await?;
        }
    }
    Ok(())
}

async fn snapshots(engine: &Engine, backend: &Backend) -> Result<(), Failure> {
    let before = snapshot_rows(engine, backend).await?;
    let listed = backend.driver.list_snapshots().await?;
    let objects = listed.iter().map(|snapshot| snapshot.id).collect();
    let found = compare(&before, &objects, &snapshot_rows(engine, backend).await?);
    tell(backend, "snapshot", &found);
    let settled = settled(engine, &found.orphans).await?;
    for snapshot in listed.iter().filter(|snapshot| settled.contains(&snapshot.id)) {
        tracing::info!(backend = backend.service, snapshot_instance_id = %snapshot.id, "an orphan goes");
        let reference = SnapshotRef::from(snapshot);
        if was_taken(engine, snapshot.id, OperationKind::ManageSnapshot).await? {
            backend.driver.unmanage_snapshot(&reference, u64::MAX).await?;
        } else {
            backend.driver.delete_snapshot(&reference).await?;
        }
    }
    Ok(())
}

async fn share_rows(engine: &Engine, backend: &Backend) -> Result<BTreeMap<Uuid, bool>, Failure> {
    let rows = share_work::held_by(&mut engine.db.read().await?, &backend.service).await?;
    let due = |status| status == ShareStatus::Available;
    Ok(rows.into_iter().map(|(id, status)| (id.uuid(), due(status))).collect())
}

async fn snapshot_rows(
    engine: &Engine,
    backend: &Backend,
) -> Result<BTreeMap<Uuid, bool>, Failure> {
    let rows = snapshot_work::held_by(&mut engine.db.read().await?, &backend.service).await?;
    let due = |status| status == SnapshotStatus::Available;
    Ok(rows.into_iter().map(|(id, status)| (id.uuid(), due(status))).collect())
}

/// What migrations bring here: a copy that was interrupted goes on from what it left.
async fn arriving(engine: &Engine, backend: &Backend) -> Result<BTreeSet<Uuid>, Failure> {
    let mut tx = engine.db.read().await?;
    let shares = share_work::held_by(&mut tx, &backend.service).await?.into_iter();
    let shares = shares.filter(|(_, status)| *status == ShareStatus::MigratingTo);
    let snapshots = snapshot_work::held_by(&mut tx, &backend.service).await?.into_iter();
    let snapshots = snapshots.filter(|(_, status)| *status == SnapshotStatus::MigratingTo);
    let shares = shares.map(|(id, _)| id.uuid());
    Ok(shares.chain(snapshots.map(|(id, _)| id.uuid())).collect())
}

/// Rows were read before and after the objects: only what holds for both readings counts, so
/// that nothing on its way is taken for lost. A row's flag says that it must have an object.
fn compare(
    before: &BTreeMap<Uuid, bool>,
    objects: &BTreeSet<Uuid>,
    after: &BTreeMap<Uuid, bool>,
) -> Difference {
    let known = |id: &Uuid| before.contains_key(id) || after.contains_key(id);
    let wanted = |rows: &BTreeMap<Uuid, bool>, id: &Uuid| rows.get(id).is_some_and(|flag| *flag);
    Difference {
        orphans: objects.iter().copied().filter(|id| !known(id)).collect(),
        missing: before
            .keys()
            .copied()
            .filter(|id| wanted(before, id) && wanted(after, id) && !objects.contains(id))
            .collect(),
    }
}

fn tell(backend: &Backend, kind: &'static str, found: &Difference) {
    let (orphan, missing) = match kind {
        "share" => ("orphan_share", "missing_share"),
        _ => ("orphan_snapshot", "missing_snapshot"),
    };
    metrics::reconciler_findings(NAME, orphan, found.orphans.len() as u64);
    metrics::reconciler_findings(NAME, missing, found.missing.len() as u64);
    let service = &backend.service;
    for id in &found.orphans {
        tracing::warn!(backend = service, kind, instance_id = %id, "an object without a row");
    }
    for id in &found.missing {
        tracing::error!(backend = service, kind, instance_id = %id, "available, but its object is gone");
    }
}

/// Of the orphans, those of which every operation has ended.
async fn settled(engine: &Engine, orphans: &[Uuid]) -> Result<Vec<Uuid>, Failure> {
    Ok(operations::done_with(&mut engine.db.read().await?, orphans).await?)
}

/// Whether a late call took into use what was there before: then it is given up again. Nothing that
/// the service did not make goes for want of a row.
async fn was_taken(engine: &Engine, id: Uuid, kind: OperationKind) -> Result<bool, Failure> {
    let mut tx = engine.db.read().await?;
    Ok(!operations::arguments_of(&mut tx, id, kind).await?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u128]) -> BTreeSet<Uuid> {
        numbers.iter().copied().map(Uuid::from_u128).collect()
    }

    fn rows(numbers: &[(u128, bool)]) -> BTreeMap<Uuid, bool> {
        numbers.iter().map(|(number, flag)| (Uuid::from_u128(*number), *flag)).collect()
    }

    #[test]
    fn only_what_holds_before_and_after_is_a_difference() {
        let before = rows(&[(1, true), (2, true), (3, false), (4, true)]);
        let after = rows(&[(1, true), (3, false), (4, false), (5, true)]);
        let found = compare(&before, &ids(&[3, 5, 6]), &after);
        assert_eq!(found.orphans, [Uuid::from_u128(6)], "5 came while we looked");
        assert_eq!(found.missing, [Uuid::from_u128(1)], "2 went, 4 is being changed, 3 is not due");
    }
}
