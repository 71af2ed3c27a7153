//! The filter `extra_specs={'snapshot_support': 'True'}`, which clients write as Python writes it.

use abaca_model::ShareType;

use super::specs;
use crate::api::{ApiError, dict_literal};

/// A spec that a share type must have, with its value.
pub(super) type Wanted = (String, String);

/// Reads the filter.
///
/// # Errors
/// 400 for anything else.
pub(super) fn parse(text: &str) -> Result<Vec<Wanted>, ApiError> {
    dict_literal::parse(text).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value {text} for extra_specs. Expecting a dictionary, as {{'key': 'value'}}."
        ))
    })
}

/// Whether the type has the wanted spec. A type that names no zones may be used in all of them.
pub(super) fn accepts(share_type: &ShareType, (key, wanted): &Wanted) -> bool {
    let value = share_type.extra_specs.get(key);
    if key != specs::AVAILABILITY_ZONES {
        return value == Some(wanted);
    }
    let Some(zones) = value else { return true };
    let mut wanted = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    wanted.all(|wanted| zones.split(',').any(|zone| zone == wanted))
}
