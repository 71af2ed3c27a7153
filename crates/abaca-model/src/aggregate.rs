//! The one status a tenant sees for a snapshot that has an instance in each place of its share.

use crate::{ShareStatus, SnapshotStatus};

/// What the aggregate asks of a snapshot instance and of the share instance it was taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPlace<'a> {
    /// The snapshot instance's status.
    pub status: SnapshotStatus,
    /// The share instance's status.
    pub share_status: ShareStatus,
    /// The share instance's replica state; `None` for a share without replicas.
    pub replica_state: Option<&'a str>,
}

/// The status of a snapshot; `None` when it has no instance, so that there is nothing to show.
///
/// Of a replicated share only the replicas that hold current data, and are not being deleted, count,
/// and the status that matters most to the tenant wins: a snapshot is available only when it is so
/// in all of them.
/// Else it is the [`representative`]'s status.
#[must_use]
pub fn aggregate_status(places: &[SnapshotPlace<'_>]) -> Option<SnapshotStatus> {
    let current = places.iter().filter(|place| holds_current_data(place));
    let gravest = current.min_by_key(|place| gravity(place.status));
    gravest.or_else(|| places.get(representative(places)?)).map(|place| place.status)
}

/// The index of the instance whose details stand for the whole snapshot: the first one in the
/// active replica, else the first one whose share instance is being migrated, else the first.
#[must_use]
pub fn representative(places: &[SnapshotPlace<'_>]) -> Option<usize> {
    let active = |place: &SnapshotPlace<'_>| place.replica_state == Some("active");
    let migrating = |place: &SnapshotPlace<'_>| {
        matches!(place.share_status, ShareStatus::Migrating | ShareStatus::ServerMigrating)
    };
    // Not where a migration came from, until that is gone.
    let stays = |place: &SnapshotPlace<'_>| !is_left(place);
    let first = if places.is_empty() { None } else { Some(0) };
    places
        .iter()
        .position(active)
        .or_else(|| places.iter().position(migrating))
        .or_else(|| places.iter().position(stays))
        .or(first)
}

fn holds_current_data(place: &SnapshotPlace<'_>) -> bool {
    matches!(place.replica_state, Some("active" | "in_sync")) && !is_left(place)
}

/// The share is to be there no more.
fn is_left(place: &SnapshotPlace<'_>) -> bool {
    place.share_status.is_being_deleted() || place.share_status == ShareStatus::ErrorDeleting
}

/// Lower is graver. Statuses the reference leaves out of its order come after `available`, in the
/// order of the instances.
const fn gravity(status: SnapshotStatus) -> u8 {
    match status {
        SnapshotStatus::Deleting => 0,
        SnapshotStatus::Creating => 1,
        SnapshotStatus::Error => 2,
        SnapshotStatus::Migrating => 3,
        SnapshotStatus::ServerMigrating => 4,
        SnapshotStatus::Available => 5,
        SnapshotStatus::ErrorDeleting
        | SnapshotStatus::MigratingTo
        | SnapshotStatus::Restoring
        | SnapshotStatus::ManageStarting
        | SnapshotStatus::ManageError
        | SnapshotStatus::UnmanageStarting
        | SnapshotStatus::DeferredDeleting
        | SnapshotStatus::ErrorDeferredDeleting
        | SnapshotStatus::UnmanageError => 6,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use SnapshotStatus::{
        Available, Creating, Deleting, Error, ErrorDeleting, Migrating, Restoring, ServerMigrating,
    };

    fn place(status: SnapshotStatus, replica_state: Option<&str>) -> SnapshotPlace<'_> {
        SnapshotPlace { status, share_status: ShareStatus::Available, replica_state }
    }

    fn share_status(status: SnapshotStatus, share_status: ShareStatus) -> SnapshotPlace<'static> {
        SnapshotPlace { status, share_status, replica_state: None }
    }

    #[test]
    fn no_instance_is_no_status() {
        assert_eq!(aggregate_status(&[]), None);
        assert_eq!(representative(&[]), None);
    }

    #[test]
    fn the_gravest_of_the_current_replicas_wins() {
        let (active, in_sync) = (Some("active"), Some("in_sync"));
        let table: &[(&[SnapshotPlace<'_>], SnapshotStatus)] = &[
            (&[place(Available, active), place(Available, in_sync)], Available),
            (&[place(Available, active), place(Deleting, in_sync)], Deleting),
            (&[place(Creating, active), place(Deleting, in_sync)], Deleting),
            (&[place(Error, active), place(Creating, in_sync)], Creating),
            (&[place(Migrating, active), place(Error, in_sync)], Error),
            (&[place(ServerMigrating, active), place(Migrating, in_sync)], Migrating),
            (&[place(Available, active), place(ServerMigrating, in_sync)], ServerMigrating),
            // Statuses outside the order give way to available.
            (&[place(ErrorDeleting, active), place(Available, in_sync)], Available),
            // ... and among each other the first instance wins.
            (&[place(Restoring, in_sync), place(ErrorDeleting, active)], Restoring),
        ];
        for (places, expected) in table {
            assert_eq!(aggregate_status(places), Some(*expected), "{places:?}");
        }
    }

    #[test]
    fn stale_replicas_do_not_count_beside_current_ones() {
        for state in [Some("out_of_sync"), Some("error"), None] {
            let places = [place(Error, state), place(Available, Some("active"))];
            assert_eq!(aggregate_status(&places), Some(Available), "{state:?}");
        }
        // Without any current replica the representative speaks.
        let places = [place(Available, Some("out_of_sync")), place(Error, Some("out_of_sync"))];
        assert_eq!(aggregate_status(&places), Some(Available));
    }

    #[test]
    fn a_replica_that_is_being_deleted_does_not_count() {
        for share_status in [ShareStatus::Deleting, ShareStatus::ErrorDeleting] {
            let going = SnapshotPlace { share_status, ..place(Deleting, Some("in_sync")) };
            let places = [going, place(Available, Some("active"))];
            assert_eq!(aggregate_status(&places), Some(Available), "{share_status}");
        }
    }

    #[test]
    fn the_source_of_a_migration_speaks_for_an_unreplicated_share() {
        for migrating in [ShareStatus::Migrating, ShareStatus::ServerMigrating] {
            let places = [
                share_status(ErrorDeleting, ShareStatus::MigratingTo),
                share_status(Available, migrating),
            ];
            assert_eq!(aggregate_status(&places), Some(Available));
            assert_eq!(representative(&places), Some(1));
        }
        let places = [
            share_status(Error, ShareStatus::Available),
            share_status(Available, ShareStatus::MigratingTo),
        ];
        assert_eq!(aggregate_status(&places), Some(Error));
    }

    #[test]
    fn the_active_replica_represents_before_a_migrating_one() {
        let places = [
            share_status(Available, ShareStatus::Migrating),
            place(Available, Some("in_sync")),
            place(Error, Some("active")),
        ];
        assert_eq!(representative(&places), Some(2));
    }

    fn any_place() -> impl Strategy<Value = SnapshotPlace<'static>> {
        let states = [None, Some("active"), Some("in_sync"), Some("out_of_sync"), Some("error")];
        (
            proptest::sample::select(SnapshotStatus::ALL),
            proptest::sample::select(ShareStatus::ALL),
            proptest::sample::select(states.to_vec()),
        )
            .prop_map(|(status, share_status, replica_state)| SnapshotPlace {
                status,
                share_status,
                replica_state,
            })
    }

    proptest! {
        #[test]
        fn it_is_always_the_status_of_one_of_the_instances(
            places in proptest::collection::vec(any_place(), 1..6),
        ) {
            let status = aggregate_status(&places);
            prop_assert!(places.iter().any(|place| Some(place.status) == status));
        }

        #[test]
        fn available_means_that_no_current_replica_is_in_a_graver_status(
            places in proptest::collection::vec(any_place(), 1..6),
        ) {
            let current: Vec<_> =
                places.iter().filter(|place| holds_current_data(place)).collect();
            if !current.is_empty() && aggregate_status(&places) == Some(Available) {
                prop_assert!(current.iter().all(|place| gravity(place.status) >= 5));
            }
        }

        #[test]
        fn a_single_instance_speaks_for_itself(place in any_place()) {
            prop_assert_eq!(aggregate_status(&[place]), Some(place.status));
        }

        #[test]
        fn stale_replicas_never_change_the_status_of_current_ones(
            places in proptest::collection::vec(any_place(), 1..6),
            stale in any_place(),
            index in 0_usize..6,
        ) {
            prop_assume!(places.iter().any(holds_current_data) && !holds_current_data(&stale));
            let mut more = places.clone();
            more.insert(index.min(places.len()), stale);
            prop_assert_eq!(aggregate_status(&more), aggregate_status(&places));
        }
    }
}
