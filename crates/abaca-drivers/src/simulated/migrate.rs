//! Taking over shares from other simulated backends: there are no bytes to be copied.

use uuid::Uuid;

use super::NAME;
use super::objects::{add_share, snapshot_object};
use super::settings::PoolSettings;
use super::state::{Objects, Snapshot};
use crate::{
    AccessList, DriverError, DriverResult, Migrated, MigratedSnapshot, Migration,
    MigrationAbilities, MigrationSource,
};

/// Without bytes there is nothing that a client could write at the wrong time.
pub(super) fn abilities(source: &MigrationSource) -> Option<MigrationAbilities> {
    (source.family == NAME).then_some(MigrationAbilities {
        writable: true,
        nondisruptive: false,
        preserve_metadata: true,
        preserve_snapshots: true,
    })
}

pub(super) fn source(objects: &mut Objects, id: Uuid) -> DriverResult<MigrationSource> {
    let share = objects.shares.get(&id).ok_or_else(|| DriverError::share_not_found(id))?;
    let location = format!("simulated:{}/{id}", share.pool);
    Ok(MigrationSource { family: NAME.to_owned(), id, location })
}

pub(super) fn take_over(
    objects: &mut Objects,
    pool: &PoolSettings,
    migration: &Migration,
) -> DriverResult<Migrated> {
    if !migration.snapshots.is_empty() && !pool.snapshot_support {
        return Err(DriverError::Unsupported { what: "snapshots".into() });
    }
    let exports = add_share(objects, pool, &migration.share)?;
    let mut snapshots = Vec::with_capacity(migration.snapshots.len());
    for MigratedSnapshot { id, .. } in &migration.snapshots {
        let snapshot = objects.snapshots.entry(*id).or_insert_with(|| Snapshot {
            share_instance_id: migration.share.id,
            pool: pool.name.clone(),
            access: AccessList::default(),
            custody: 0,
        });
        DriverError::check_same_share(snapshot.share_instance_id, migration.share.id)?;
        snapshots.push(snapshot_object(*id, snapshot));
    }
    Ok(Migrated { exports, snapshots })
}
