//! Which of a share's instances speaks for it.

use abaca_model::{
    ShareInstance, SharePlace, ShareStatus, SnapshotInstance, representative_instance,
};

/// What the aggregates ask of an instance.
pub(in crate::api) fn as_place(instance: &ShareInstance) -> SharePlace<'_> {
    SharePlace {
        status: instance.status,
        access_rules_status: instance.access_rules_status,
        replica_state: instance.replica_state.as_deref(),
    }
}

/// The instance whose status is shown for the share; `None`: there is none.
pub(in crate::api) fn spokesman(instances: &[ShareInstance]) -> Option<&ShareInstance> {
    let places: Vec<_> = instances.iter().map(as_place).collect();
    instances.get(representative_instance(&places)?)
}

/// Leaves out where a share that has moved came from, or where one that stays was to go, though that
/// may not be gone yet, or for long. A replica that goes is the share's until it is gone.
pub(in crate::api) fn leave_out_left(instances: &mut Vec<ShareInstance>) {
    let is_left = |instance: &ShareInstance| {
        let goes =
            instance.status.is_being_deleted() || instance.status == ShareStatus::ErrorDeleting;
        goes && instance.replica_state.is_none()
    };
    if instances.iter().any(|instance| !is_left(instance)) {
        instances.retain(|instance| !is_left(instance));
    }
}

/// Leaves out the instances of a snapshot that are where its share was left, as [`leave_out_left`]
/// does those of the share; not if it has no others.
pub(in crate::api) fn leave_out_left_copies(
    copies: &mut Vec<SnapshotInstance>,
    places: &mut Vec<ShareInstance>,
) {
    leave_out_left(places);
    let stays =
        |copy: &SnapshotInstance| places.iter().any(|place| place.id == copy.share_instance_id);
    if copies.iter().any(stays) {
        copies.retain(stays);
    }
}
