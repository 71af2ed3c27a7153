//! Access rules: whom they can name, and the state of a rule that lives in several places.

mod network;
mod subject;

use crate::AccessState;

pub use subject::{AccessToError, check_access_to, same_access_to};

/// The state of a rule that is in these states in the places of its share or snapshot; `None`: it is
/// in none.
#[must_use]
pub fn aggregate_access_state(states: &[AccessState]) -> Option<AccessState> {
    states.iter().copied().min_by_key(|state| precedence(*state))
}

/// Lower comes first: what a tenant must know of before what takes its course.
const fn precedence(state: AccessState) -> u8 {
    match state {
        AccessState::Error => 0,
        AccessState::Denying => 1,
        AccessState::QueuedToDeny => 2,
        AccessState::QueuedToUpdate => 3,
        AccessState::QueuedToApply => 4,
        AccessState::Updating => 5,
        AccessState::Applying => 6,
        AccessState::Active => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_that_is_least_far_speaks() {
        use AccessState::{Active, Applying, Denying, Error, QueuedToApply};
        let table: [(&[AccessState], Option<AccessState>); 5] = [
            (&[], None),
            (&[Active, Active], Some(Active)),
            (&[Active, Applying], Some(Applying)),
            (&[Applying, QueuedToApply, Active], Some(QueuedToApply)),
            (&[Active, Denying, Error], Some(Error)),
        ];
        for (states, expected) in table {
            assert_eq!(aggregate_access_state(states), expected, "{states:?}");
        }
    }
}
