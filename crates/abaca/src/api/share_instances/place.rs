//! Which of a share's instances speaks for it.

use abaca_model::{ShareInstance, SharePlace, representative_instance};

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
