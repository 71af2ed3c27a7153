//! What these routes take and show.

use super::{ENSURING, ENSURING_FILTER, REASON};
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, any_of, boolean, fields, integer, list_under, null, object, one_of, text, time,
};

fn status() -> Schema {
    one_of(["enabled", "disabled"])
}

pub(in crate::api) fn list() -> Contract {
    let service = object([
        ("id", integer()),
        ("binary", text()),
        ("host", text()),
        ("zone", text()),
        ("status", status()),
        ("state", one_of(["up", "down"])),
        ("updated_at", time()),
        ("disabled_reason", text().or_null().since(REASON)),
        ("ensuring", boolean().since(ENSURING)),
    ]);
    Contract::new("List services")
        .query([
            ("host", text()),
            ("binary", text()),
            ("zone", text()),
            ("status", text()),
            ("state", text()),
            ("ensuring", text().since(ENSURING_FILTER)),
        ])
        .shows(list_under("services", service.named("Service")))
}

fn updated() -> Schema {
    object([
        ("host", text()),
        ("binary", text()),
        ("status", status()),
        ("disabled_reason", text().or_null().since(REASON)),
        ("ensuring", null().since(ENSURING)),
    ])
    .named("UpdatedService")
}

pub(in crate::api) fn enable() -> Contract {
    let body = fields(&["host", "binary"], [("host", text()), ("binary", text())]);
    Contract::new("Let a service be scheduled to again").takes(body).shows(updated())
}

pub(in crate::api) fn disable() -> Contract {
    let reason = text().up_to(255).or_null().since(REASON);
    let body = fields(
        &["host", "binary"],
        [("host", text()), ("binary", text()), ("disabled_reason", reason)],
    );
    Contract::new("Take a service out of scheduling").takes(body).shows(updated())
}

pub(in crate::api) fn ensure_shares() -> Contract {
    let host = || object([("host", text())]);
    Contract::new("Have a backend check its shares and export them again")
        .takes(any_of([host(), object([("ensure_shares", host())])]))
        .accepted()
        .fault(409)
}
