//! Simulated objects: how they are made, what they look like, and what room they leave in a pool.

use uuid::Uuid;

use super::settings::PoolSettings;
use super::state::{Objects, Share, Snapshot};
use crate::{
    AccessList, DriverError, DriverResult, Export, NewShare, NewSnapshot, PoolStats, ShareObject,
    SnapshotObject,
};

pub(super) fn add_share(
    objects: &mut Objects,
    pool: &PoolSettings,
    new: &NewShare,
) -> DriverResult<Vec<Export>> {
    let mount_point_name = new.checked_mount_point_name()?.map(str::to_owned);
    if mount_point_name.is_some() && !pool.mount_point_name_support {
        return Err(DriverError::Unsupported { what: "mount point names".into() });
    }
    if let Some(share) = objects.shares.get(&new.id) {
        return Ok(share_object(new.id, share).exports);
    }
    ensure_space(objects, pool, new.size_gb)?;
    let share = Share {
        size_gb: new.size_gb,
        pool: new.pool.clone(),
        mount_point_name,
        reverted: 0,
        replication: 0,
        is_replica: false,
        access: AccessList::default(),
        custody: 0,
        former_ids: Vec::new(),
    };
    let exports = share_object(new.id, &share).exports;
    objects.shares.insert(new.id, share);
    Ok(exports)
}

pub(super) fn add_snapshot(
    objects: &mut Objects,
    pools: &[PoolSettings],
    new: NewSnapshot,
) -> DriverResult<SnapshotObject> {
    if let Some(snapshot) = objects.snapshots.get(&new.id) {
        DriverError::check_same_share(snapshot.share_instance_id, new.share_instance_id)?;
        return Ok(snapshot_object(new.id, snapshot));
    }
    let share = objects
        .shares
        .get(&new.share_instance_id)
        .ok_or_else(|| DriverError::share_not_found(new.share_instance_id))?;
    if pools.iter().any(|pool| pool.name == share.pool && !pool.snapshot_support) {
        return Err(DriverError::Unsupported { what: "snapshots".into() });
    }
    let snapshot = Snapshot {
        share_instance_id: new.share_instance_id,
        pool: share.pool.clone(),
        access: AccessList::default(),
        custody: 0,
    };
    let object = snapshot_object(new.id, &snapshot);
    objects.snapshots.insert(new.id, snapshot);
    Ok(object)
}

pub(super) fn ensure_space(
    objects: &Objects,
    pool: &PoolSettings,
    more_gb: u64,
) -> DriverResult<()> {
    if pool.thin_provisioning || more_gb as f64 <= free_gb(pool, objects) {
        return Ok(());
    }
    Err(DriverError::NoSpace { doing: format!("reserving {more_gb} GiB in pool {}", pool.name) })
}

pub(super) fn set_size(objects: &mut Objects, id: Uuid, size_gb: u64) {
    if let Some(share) = objects.shares.get_mut(&id) {
        share.size_gb = size_gb;
    }
}

fn allocated_gb(pool: &PoolSettings, objects: &Objects) -> f64 {
    let sizes = objects.shares.values().filter(|share| share.pool == pool.name);
    sizes.map(|share| share.size_gb).sum::<u64>() as f64
}

fn free_gb(pool: &PoolSettings, objects: &Objects) -> f64 {
    pool.free_capacity_gb.unwrap_or_else(|| {
        let used = if pool.thin_provisioning { 0.0 } else { allocated_gb(pool, objects) };
        (pool.total_capacity_gb - used).max(0.0)
    })
}

/// The id keeps the paths of two shares apart, whatever they are named.
pub(super) fn exports(id: Uuid, name: Option<&str>) -> Vec<Export> {
    let name = name.map(|name| format!("/{name}")).unwrap_or_default();
    vec![Export::preferred(format!("127.0.0.1:/simulated/{id}{name}"))]
}

pub(super) fn share_object(id: Uuid, share: &Share) -> ShareObject {
    let exports = exports(id, share.mount_point_name.as_deref());
    let provider_location = format!("simulated:{}/{id}", share.pool);
    ShareObject { id, size_gb: share.size_gb, pool: share.pool.clone(), provider_location, exports }
}

pub(super) fn snapshot_object(id: Uuid, snapshot: &Snapshot) -> SnapshotObject {
    SnapshotObject {
        id,
        share_instance_id: snapshot.share_instance_id,
        provider_location: format!("simulated:{}/{id}", snapshot.pool),
        exports: exports(id, None),
    }
}

pub(super) fn pool_stats(pool: &PoolSettings, objects: &Objects) -> PoolStats {
    let reserved = pool.reserved_percentage;
    PoolStats {
        pool_name: pool.name.clone(),
        total_gb: pool.total_capacity_gb,
        free_gb: free_gb(pool, objects),
        allocated_gb: Some(allocated_gb(pool, objects)),
        reserved_percentage: reserved,
        reserved_snapshot_percentage: pool.reserved_snapshot_percentage.unwrap_or(reserved),
        reserved_share_extend_percentage: pool.reserved_share_extend_percentage.unwrap_or(reserved),
        max_over_subscription_ratio: pool.max_over_subscription_ratio,
        thin_provisioning: pool.thin_provisioning,
        snapshot_support: pool.snapshot_support,
        create_share_from_snapshot_support: pool.create_share_from_snapshot_support,
        revert_to_snapshot_support: pool.revert_to_snapshot_support,
        mount_snapshot_support: pool.mount_snapshot_support,
        mount_point_name_support: pool.mount_point_name_support,
        dedupe: pool.dedupe,
        compression: pool.compression,
        replication_type: pool.replication_type.clone(),
        storage_protocol: pool.storage_protocol.clone(),
        vendor_name: pool.vendor_name.clone(),
        driver_version: pool.driver_version.clone(),
        ipv4_support: pool.ipv4_support,
        ipv6_support: pool.ipv6_support,
        extra: pool.extra.clone(),
    }
}
