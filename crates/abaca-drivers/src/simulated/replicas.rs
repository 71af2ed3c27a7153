//! Replicas without bytes: what is kept is who follows which generation. Their sources are in other
//! backends, of which this one knows nothing.

use super::objects::{add_share, share_object};
use super::settings::PoolSettings;
use super::state::{Objects, Share};
use crate::{DriverError, DriverResult, Export, NewReplica, Promoted, ReplicaSync, SyncReplica};
use uuid::Uuid;

pub(super) fn create(
    objects: &mut Objects,
    pool: &PoolSettings,
    replica: &NewReplica,
) -> DriverResult<Vec<Export>> {
    if pool.replication_type.is_none() {
        return Err(DriverError::Unsupported { what: "replicas".to_owned() });
    }
    let id = replica.share.id;
    let is_new = !objects.shares.contains_key(&id);
    let exports = add_share(objects, pool, &replica.share)?;
    if is_new {
        let share = find(objects, id)?;
        (share.is_replica, share.replication) = (true, replica.generation);
    }
    Ok(exports)
}

pub(super) fn update(objects: &mut Objects, replica: &SyncReplica) -> DriverResult<ReplicaSync> {
    let share = find(objects, replica.id)?;
    DriverError::check_update(share.is_replica, share.replication, replica.generation)?;
    follow(share, replica, true);
    Ok(ReplicaSync::InSync)
}

pub(super) fn promote(objects: &mut Objects, replica: &SyncReplica) -> DriverResult<Promoted> {
    let share = find(objects, replica.id)?;
    if DriverError::check_promotion(share.is_replica, share.replication, replica.generation)? {
        follow(share, replica, false);
    }
    Ok(Promoted { exports: share_object(replica.id, share).exports, is_current: true })
}

fn follow(share: &mut Share, replica: &SyncReplica, is_replica: bool) {
    share.size_gb = replica.size_gb;
    (share.is_replica, share.replication) = (is_replica, replica.generation);
}

fn find(objects: &mut Objects, id: Uuid) -> DriverResult<&mut Share> {
    objects.shares.get_mut(&id).ok_or_else(|| DriverError::share_not_found(id))
}
