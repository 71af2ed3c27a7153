//! The snapshot a share starts from.

use abaca_model::{
    AvailabilityZone, Share, ShareInstance, ShareStatus, ShareType, Snapshot, SnapshotInstance,
    SnapshotInstanceId, SnapshotStatus,
};
use abaca_store::{Tx, replicas, share_instances, shares, snapshot_instances, snapshots};

use crate::api::share_instances::spokesman;
use crate::api::{ApiError, Call, V, snapshots as snapshot_api};

/// A snapshot and the share it was taken of.
pub(super) struct Origin {
    pub(super) snapshot: Snapshot,
    pub(super) parent: Share,
    /// The zone that the parent shows, which is where the new share will be.
    parent_zone: Option<String>,
}

impl Origin {
    /// The snapshot with this id, if the caller may use it.
    ///
    /// # Errors
    /// 404 for one that is not there or not to be seen, 400 for one no share can be made from.
    pub(super) async fn find(call: &Call, tx: &mut Tx, id: &str) -> Result<Self, ApiError> {
        let unknown = || {
            ApiError::not_found(format!("ShareSnapshotNotFound: Snapshot {id} could not be found."))
        };
        let found = snapshot_api::find(call, tx, id).await?.ok_or_else(unknown)?;
        let parent = shares::get(tx, found.snapshot.share_id).await?.ok_or_else(unknown)?;
        if call.since(V(2, 24)) && !parent.capabilities.create_share_from_snapshot_support {
            return Err(ApiError::bad_request(format!(
                "A new share may not be created from snapshot '{id}', because the snapshot's \
                 parent share does not have that capability."
            )));
        }
        check_status(found.status)?;
        let places = share_instances::of_share(tx, parent.id).await?;
        let parent_zone = spokesman(&places).and_then(|place| place.availability_zone.clone());
        Ok(Self { snapshot: found.snapshot, parent, parent_zone })
    }

    /// The new share lives where its parent does.
    ///
    /// # Errors
    /// 400 when another zone was asked for.
    pub(super) fn zone(&self, asked: Option<AvailabilityZone>) -> Result<Option<String>, ApiError> {
        match (asked, &self.parent_zone) {
            (Some(asked), Some(zone)) if asked.name != *zone => Err(ApiError::bad_request(
                "Invalid input received: The specified availability zone must be the same as the \
                 parent share when creating from snapshot.",
            )),
            (_, zone) => Ok(zone.clone()),
        }
    }

    /// The new share has its parent's type.
    ///
    /// # Errors
    /// 400 when another one was asked for.
    pub(super) fn check_type(&self, share_type: &ShareType) -> Result<(), ApiError> {
        if share_type.id == self.parent.share_type_id {
            return Ok(());
        }
        Err(ApiError::bad_request(
            "Invalid input received: Invalid share type specified: a share from a snapshot has \
             the type of the snapshot's share. Give that one or none.",
        ))
    }

    /// The snapshot instance whose bytes are taken, and beside which the new share is placed; it can't
    /// be taken over by a deletion until this transaction ends.
    ///
    /// # Errors
    /// 400 when the snapshot is no longer available.
    pub(super) async fn locked_source(&self, tx: &mut Tx) -> Result<SnapshotInstanceId, ApiError> {
        let instances = snapshot_instances::of_snapshot_locked(tx, self.snapshot.id).await?;
        let found = snapshots::get(tx, self.snapshot.id).await?;
        check_status(found.map_or(SnapshotStatus::Deleting, |found| found.status))?;
        let places = share_instances::of_share(tx, self.parent.id).await?;
        source(&instances, &places).map(|instance| instance.id).ok_or_else(not_available)
    }
}

/// The available copy where the share is shown to be; else that in another replica that is current.
fn source<'a>(
    copies: &'a [SnapshotInstance],
    places: &[ShareInstance],
) -> Option<&'a SnapshotInstance> {
    let is_current = |place: &&ShareInstance| {
        place.status == ShareStatus::Available
            && matches!(place.replica_state.as_deref(), Some(replicas::ACTIVE | replicas::IN_SYNC))
    };
    let current = places.iter().filter(is_current);
    spokesman(places).into_iter().chain(current).find_map(|place| {
        copies.iter().find(|copy| {
            copy.share_instance_id == place.id && copy.status == SnapshotStatus::Available
        })
    })
}

fn check_status(status: SnapshotStatus) -> Result<(), ApiError> {
    if status == SnapshotStatus::Available { Ok(()) } else { Err(not_available()) }
}

fn not_available() -> ApiError {
    ApiError::bad_request("Invalid share snapshot: status must be 'available'.")
}
