//! How large a share of a type may be.

use abaca_model::ShareType;

use crate::api::ApiError;

/// The largest size the API takes, in GiB.
pub(super) const LARGEST: i64 = 2_147_483_647;

/// What is said when a project's gigabytes are used up.
pub(super) const NO_SPACE_LEFT: &str =
    "Requested share exceeds allowed project/user or share type gigabytes quota.";

const MIN_SIZE: &str = "provisioning:min_share_size";
const MAX_SIZE: &str = "provisioning:max_share_size";
const MAX_EXTEND_SIZE: &str = "provisioning:max_share_extend_size";

/// # Errors
/// 400 for a size the type does not take.
pub(super) fn for_create(share_type: &ShareType, size: i64) -> Result<(), ApiError> {
    at_least(share_type, size)?;
    at_most(share_type, size, MAX_SIZE)
}

/// `beyond`: the caller may pass the largest size for new shares; there is another limit for him.
///
/// # Errors
/// 400 for a size the type does not take.
pub(super) fn for_extend(share_type: &ShareType, size: i64, beyond: bool) -> Result<(), ApiError> {
    at_most(share_type, size, if beyond { MAX_EXTEND_SIZE } else { MAX_SIZE })
}

/// # Errors
/// 400 for a size the type does not take.
pub(super) fn for_shrink(share_type: &ShareType, size: i64) -> Result<(), ApiError> {
    at_least(share_type, size)
}

/// The least and the most that a new share of the type may have, in GiB.
pub(super) fn allowed(share_type: &ShareType) -> (u64, u64) {
    let bound = |key| spec(share_type, key).and_then(|size| u64::try_from(size).ok());
    (bound(MIN_SIZE).unwrap_or(0), bound(MAX_SIZE).unwrap_or(u64::MAX))
}

fn at_least(share_type: &ShareType, size: i64) -> Result<(), ApiError> {
    match spec(share_type, MIN_SIZE) {
        Some(min) if size < min => Err(refused(share_type, size, "less than the minimum", min)),
        _ => Ok(()),
    }
}

fn at_most(share_type: &ShareType, size: i64, key: &str) -> Result<(), ApiError> {
    match spec(share_type, key) {
        Some(max) if size > max => Err(refused(share_type, size, "greater than the maximum", max)),
        _ => Ok(()),
    }
}

fn spec(share_type: &ShareType, key: &str) -> Option<i64> {
    share_type.extra_specs.get(key)?.trim().parse().ok()
}

fn refused(share_type: &ShareType, size: i64, relation: &str, bound: i64) -> ApiError {
    ApiError::bad_request(format!(
        "Invalid input received: Specified share size of '{size}' is {relation} size of '{bound}' \
         for share type '{}'.",
        share_type.name
    ))
}

#[cfg(test)]
mod tests {
    use abaca_model::{ShareTypeId, Timestamp};

    use super::*;

    #[test]
    fn a_type_bounds_its_shares() {
        let specs = [(MIN_SIZE, "2"), (MAX_SIZE, "4"), (MAX_EXTEND_SIZE, "8")];
        let share_type = ShareType {
            id: ShareTypeId::random(),
            name: "gold".to_owned(),
            description: None,
            is_public: true,
            extra_specs: specs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            created_at: Timestamp::from_micros(0),
            updated_at: None,
        };
        for (size, create, extend, beyond, shrink) in [
            (1, false, true, true, false),
            (2, true, true, true, true),
            (4, true, true, true, true),
            (5, false, false, true, true),
            (8, false, false, true, true),
            (9, false, false, false, true),
        ] {
            assert_eq!(for_create(&share_type, size).is_ok(), create, "{size}");
            assert_eq!(for_extend(&share_type, size, false).is_ok(), extend, "{size}");
            assert_eq!(for_extend(&share_type, size, true).is_ok(), beyond, "{size}");
            assert_eq!(for_shrink(&share_type, size).is_ok(), shrink, "{size}");
        }
        let unbounded = ShareType { extra_specs: Default::default(), ..share_type };
        assert!(for_create(&unbounded, i64::MAX).is_ok());
    }
}
