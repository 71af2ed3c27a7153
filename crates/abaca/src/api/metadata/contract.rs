//! What these routes take and show, the same for every resource that has metadata.

use crate::api::openapi::Contract;
use crate::api::openapi::schema::{Schema, any_of, fields, map_of, pairs, text, under};

/// Pairs of text in a request.
pub(in crate::api) fn given() -> Schema {
    unnamed().named("GivenMetadata")
}

fn unnamed() -> Schema {
    map_of(text().not_empty().up_to(1023)).keyed_by(text().not_empty().up_to(255))
}

fn many() -> Schema {
    fields(&["metadata"], [("metadata", given().or_null())])
}

pub(in crate::api) fn index() -> Contract {
    Contract::new("List metadata").shows(under("metadata", pairs()))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a pair of metadata").shows(under("meta", pairs()))
}

pub(in crate::api) fn merge() -> Contract {
    Contract::new("Add metadata").takes(many()).shows(under("metadata", pairs()))
}

pub(in crate::api) fn replace() -> Contract {
    let shown = under("metadata", pairs().or_null());
    Contract::new("Set metadata, and remove what is not given").takes(many()).shows(shown)
}

pub(in crate::api) fn set() -> Contract {
    let one = || unnamed().of_one();
    let body = any_of([
        fields(&["metadata"], [("metadata", one())]),
        fields(&["meta"], [("meta", one())]),
    ]);
    Contract::new("Set a pair of metadata").takes(body).shows(under("metadata", pairs()))
}

pub(in crate::api) fn remove() -> Contract {
    Contract::new("Remove a pair of metadata").answers(200, None)
}
