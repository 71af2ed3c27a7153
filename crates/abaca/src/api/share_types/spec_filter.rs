//! The filter `extra_specs={'snapshot_support': 'True'}`, which clients write as Python writes it.

use abaca_model::ShareType;

use super::specs;
/// Whether the type has the wanted spec. A type that names no zones may be used in all of them.
pub(super) fn accepts(share_type: &ShareType, key: &str, wanted: &str) -> bool {
    let value = share_type.extra_specs.get(key);
    if key != specs::AVAILABILITY_ZONES {
        return value.is_some_and(|value| value == wanted);
    }
    let Some(zones) = value else { return true };
    let mut wanted = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    wanted.all(|wanted| zones.split(',').any(|zone| zone == wanted))
}
