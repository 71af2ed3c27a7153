//! What these routes take and show.

use super::SHARE_TYPE_FILTER;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{Schema, anything, list_under, map_of, object, text};

pub(in crate::api) fn pools() -> Contract {
    list("List pools", None)
}

pub(in crate::api) fn pools_detail() -> Contract {
    // What a backend reports of itself is its own.
    list("List pools with their capabilities", Some(("capabilities", map_of(anything()))))
}

fn list(summary: &'static str, more: Option<(&str, Schema)>) -> Contract {
    let names = [("name", text()), ("host", text()), ("backend", text()), ("pool", text())];
    let pool = object(names.into_iter().chain(more));
    let expression = || text().about("A regular expression that the beginning has to match.");
    Contract::new(summary)
        .query([
            ("name", expression()),
            ("host", expression()),
            ("backend", expression()),
            ("pool", expression()),
            ("capabilities", text().about("A dictionary, as {'key': 'value'}.")),
            ("share_type", text().since(SHARE_TYPE_FILTER)),
        ])
        .shows(list_under("pools", pool))
}
