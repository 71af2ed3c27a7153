//! What this route shows.

use crate::api::openapi::Contract;
use crate::api::openapi::schema::{list_under, object, text, time, uuid};

pub(in crate::api) fn list() -> Contract {
    let zone = object([
        ("id", uuid()),
        ("name", text()),
        ("created_at", time()),
        ("updated_at", time().or_null()),
    ]);
    Contract::new("List the zones that shares can be placed in")
        .shows(list_under("availability_zones", zone.named("AvailabilityZone")))
}
