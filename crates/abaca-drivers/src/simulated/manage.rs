//! Taking into use what was given up. There are no bytes: what is given up is kept apart, so that no
//! other call sees it.

use uuid::Uuid;

use super::objects::{exports, share_object, snapshot_object};
use super::settings::PoolSettings;
use super::state::{Objects, Share};
use crate::manage::{Custody, in_use};
use crate::objects::checked_mount_point_name;
use crate::{
    AccessList, DriverError, DriverResult, ManageShare, ManageSnapshot, ShareObject, SnapshotObject,
};

pub(super) fn share(
    objects: &mut Objects,
    pool: &PoolSettings,
    wanted: &ManageShare,
) -> DriverResult<ShareObject> {
    let id = wanted.id;
    if let Some(share) = objects.shares.get(&id) {
        return Ok(share_object(id, share));
    }
    let path = wanted.export_path.as_str();
    let old_id = if let Some(share) = objects.unmanaged.shares.get(&id) {
        given_up(share.custody).must_become(false, wanted.generation)?;
        id
    } else {
        if objects.shares.iter().any(|(id, share)| is_at(*id, share, path)) {
            return Err(in_use("export_path", path));
        }
        let found = objects.unmanaged.shares.iter().find(|(id, share)| is_at(**id, share, path));
        found.map(|(id, _)| *id).ok_or_else(|| {
            wanted.wrong_path("the export path of a share that this backend gave up")
        })?
    };
    let missing = || DriverError::share_not_found(old_id);
    let mut share = objects.unmanaged.shares.get(&old_id).ok_or_else(missing)?.clone();
    if share.pool != pool.name {
        let problem = format!("expected {}, which the share is in, got {}", share.pool, pool.name);
        return Err(DriverError::InvalidInput { field: "pool", problem });
    }
    if checked_mount_point_name(wanted.mount_point_name.as_deref())?.is_some()
        && !pool.mount_point_name_support
    {
        return Err(DriverError::Unsupported { what: "mount point names".into() });
    }
    share.size_gb = wanted.size(Some(share.size_gb), 0)?;
    share.mount_point_name = wanted.mount_point_name.clone();
    share.custody = wanted.generation;
    if old_id != id {
        share.former_ids.push(old_id);
        share.access = AccessList::default();
        (share.reverted, share.replication, share.is_replica) = (0, 0, false);
    }
    objects.unmanaged.shares.remove(&old_id);
    let object = share_object(id, &share);
    objects.shares.insert(id, share);
    Ok(object)
}

pub(super) fn give_share_up(objects: &mut Objects, id: Uuid, generation: u64) -> DriverResult<()> {
    let Some(share) = objects.shares.get_mut(&id) else { return Ok(()) };
    let custody = Custody { unmanaged: false, generation: share.custody };
    custody.must_become(true, generation)?;
    share.custody = generation;
    let share = objects.shares.remove(&id);
    objects.unmanaged.shares.extend(share.map(|share| (id, share)));
    Ok(())
}

pub(super) fn snapshot(
    objects: &mut Objects,
    wanted: &ManageSnapshot,
) -> DriverResult<SnapshotObject> {
    let (id, share_id) = (wanted.snapshot.id, wanted.snapshot.share_instance_id);
    if let Some(snapshot) = objects.snapshots.get(&id) {
        DriverError::check_same_share(snapshot.share_instance_id, share_id)?;
        return Ok(snapshot_object(id, snapshot));
    }
    let share = objects.shares.get(&share_id);
    let share = share.ok_or_else(|| DriverError::share_not_found(share_id))?;
    let location = wanted.provider_location.as_str();
    let old_id = if let Some(snapshot) = objects.unmanaged.snapshots.get(&id) {
        given_up(snapshot.custody).must_become(false, wanted.generation)?;
        id
    } else {
        let mut kept = objects.snapshots.iter();
        if kept.any(|(id, found)| snapshot_object(*id, found).provider_location == location) {
            return Err(in_use("provider_location", location));
        }
        let mut known = objects.unmanaged.snapshots.iter();
        let found =
            known.find(|(id, found)| snapshot_object(**id, found).provider_location == location);
        found.map(|(id, _)| *id).ok_or_else(|| {
            wanted.wrong_location("the location of a snapshot that this backend gave up")
        })?
    };
    let missing = || DriverError::snapshot_not_found(old_id);
    let mut snapshot = objects.unmanaged.snapshots.get(&old_id).ok_or_else(missing)?.clone();
    wanted.check_share(snapshot.share_instance_id, &share.former_ids)?;
    snapshot.share_instance_id = share_id;
    snapshot.custody = wanted.generation;
    if old_id != id {
        snapshot.access = AccessList::default();
    }
    objects.unmanaged.snapshots.remove(&old_id);
    let object = snapshot_object(id, &snapshot);
    objects.snapshots.insert(id, snapshot);
    Ok(object)
}

pub(super) fn give_snapshot_up(
    objects: &mut Objects,
    id: Uuid,
    share_instance_id: Uuid,
    generation: u64,
) -> DriverResult<()> {
    let found = objects.snapshots.get_mut(&id);
    let ours = found.filter(|snapshot| snapshot.share_instance_id == share_instance_id);
    let Some(snapshot) = ours else { return Ok(()) };
    let custody = Custody { unmanaged: false, generation: snapshot.custody };
    custody.must_become(true, generation)?;
    snapshot.custody = generation;
    let snapshot = objects.snapshots.remove(&id);
    objects.unmanaged.snapshots.extend(snapshot.map(|snapshot| (id, snapshot)));
    Ok(())
}

fn is_at(id: Uuid, share: &Share, path: &str) -> bool {
    exports(id, share.mount_point_name.as_deref()).iter().any(|export| export.path == path)
}

fn given_up(generation: u64) -> Custody {
    Custody { unmanaged: true, generation }
}
