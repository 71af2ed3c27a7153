//! What a tenant sees of a share that lives in several places.

use crate::{AccessRulesStatus, ShareStatus};

/// What the aggregates ask of a share instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharePlace<'a> {
    /// The instance's status.
    pub status: ShareStatus,
    /// The state of its access rules.
    pub access_rules_status: AccessRulesStatus,
    /// Its replica state; `None` for a share without replicas.
    pub replica_state: Option<&'a str>,
}

/// The index of the instance whose status, host and zone stand for the whole share.
///
/// An instance something grave happens to comes first, then one that works, then one that waits.
/// Among the replicas the active one speaks, unless a replica is about to become the active one.
#[must_use]
pub fn representative_instance(places: &[SharePlace<'_>]) -> Option<usize> {
    let (first, place) =
        places.iter().enumerate().min_by_key(|(_, place)| precedence(place.status))?;
    if place.status == ShareStatus::ReplicationChange {
        return Some(first);
    }
    let mut active: Vec<usize> = (0..places.len())
        .filter(|index| places.get(*index).is_some_and(|p| p.replica_state == Some("active")))
        .collect();
    active.sort_by_key(|index| places.get(*index).map(|place| precedence(place.status)));
    Some(active.first().copied().unwrap_or(first))
}

/// Whether there are replicas beside the active one.
#[must_use]
pub fn has_replicas(places: &[SharePlace<'_>]) -> bool {
    places.iter().filter(|place| place.replica_state.is_some()).count() > 1
}

/// The worst state of the access rules where the share is available.
#[must_use]
pub fn aggregate_access_rules_status(places: &[SharePlace<'_>]) -> AccessRulesStatus {
    let available = places.iter().filter(|place| place.status == ShareStatus::Available);
    let worst =
        available.map(|place| place.access_rules_status).max_by_key(|status| match status {
            AccessRulesStatus::Active => 0,
            AccessRulesStatus::Syncing => 1,
            AccessRulesStatus::Error => 2,
        });
    worst.unwrap_or(AccessRulesStatus::Active)
}

/// Lower comes first. Statuses that last come before those that pass.
const fn precedence(status: ShareStatus) -> u8 {
    match status {
        ShareStatus::Reverting => 0,
        ShareStatus::ReplicationChange => 1,
        ShareStatus::Migrating => 2,
        ShareStatus::ServerMigrating => 3,
        ShareStatus::Available => 4,
        ShareStatus::Error => 5,
        ShareStatus::CreatingFromSnapshot
        | ShareStatus::ErrorDeleting
        | ShareStatus::DeferredDeleting
        | ShareStatus::ErrorDeferredDeleting
        | ShareStatus::Inactive
        | ShareStatus::ExtendingError
        | ShareStatus::ShrinkingError
        | ShareStatus::ShrinkingPossibleDataLossError
        | ShareStatus::ManageError
        | ShareStatus::UnmanageError
        | ShareStatus::Unmanaged
        | ShareStatus::RevertingError
        | ShareStatus::AwaitingTransfer => 6,
        ShareStatus::Creating => 7,
        ShareStatus::Deleting => 8,
        ShareStatus::ManageStarting => 9,
        ShareStatus::UnmanageStarting => 10,
        ShareStatus::Extending => 11,
        ShareStatus::Shrinking => 12,
        ShareStatus::MigratingTo => 13,
        ShareStatus::ServerMigratingTo => 14,
        ShareStatus::Ensuring => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ShareStatus::{
        Available, Creating, Deleting, Error, ErrorDeleting, Migrating, MigratingTo,
        ReplicationChange, Reverting,
    };

    fn place(status: ShareStatus, replica_state: Option<&str>) -> SharePlace<'_> {
        SharePlace { status, access_rules_status: AccessRulesStatus::Active, replica_state }
    }

    #[test]
    fn the_place_that_matters_most_speaks_for_the_share() {
        let (active, in_sync) = (Some("active"), Some("in_sync"));
        let table: &[(&[SharePlace<'_>], Option<usize>)] = &[
            (&[], None),
            (&[place(Deleting, None)], Some(0)),
            (&[place(MigratingTo, None), place(Migrating, None)], Some(1)),
            (&[place(Error, None), place(Available, None)], Some(1)),
            (&[place(Creating, None), place(ErrorDeleting, None)], Some(1)),
            (&[place(Available, None), place(Reverting, None)], Some(1)),
            (&[place(Available, None), place(Available, None)], Some(0)),
            (&[place(Available, in_sync), place(Error, active)], Some(1)),
            (&[place(Available, active), place(ReplicationChange, in_sync)], Some(1)),
            (&[place(Error, active), place(Available, active)], Some(1)),
        ];
        for (places, expected) in table {
            assert_eq!(representative_instance(places), *expected, "{places:?}");
        }
    }

    #[test]
    fn only_a_second_replica_is_one_to_the_tenant() {
        assert!(!has_replicas(&[place(Available, Some("active"))]));
        assert!(!has_replicas(&[place(Migrating, None), place(MigratingTo, None)]));
        assert!(has_replicas(&[place(Available, Some("active")), place(Error, Some("error"))]));
    }

    #[test]
    fn the_worst_access_rules_of_available_places_count() {
        let place = |status, access_rules_status| SharePlace {
            status,
            access_rules_status,
            replica_state: None,
        };
        let table: &[(&[SharePlace<'_>], AccessRulesStatus)] = &[
            (&[], AccessRulesStatus::Active),
            (&[place(Error, AccessRulesStatus::Error)], AccessRulesStatus::Active),
            (
                &[
                    place(Available, AccessRulesStatus::Syncing),
                    place(Available, AccessRulesStatus::Active),
                ],
                AccessRulesStatus::Syncing,
            ),
            (
                &[
                    place(Available, AccessRulesStatus::Error),
                    place(Available, AccessRulesStatus::Syncing),
                ],
                AccessRulesStatus::Error,
            ),
        ];
        for (places, expected) in table {
            assert_eq!(aggregate_access_rules_status(places), *expected, "{places:?}");
        }
    }
}
