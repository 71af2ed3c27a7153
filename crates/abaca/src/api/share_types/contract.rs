//! What these routes take and show.

use super::specs::DRIVER_HANDLES_SHARE_SERVERS;
use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, any_case_of, any_of, boolean, boolean_word, fields, lenient_boolean, list_of,
    list_under, map_of, number, object, pairs, text, under, uuid,
};

/// Texts, and booleans where a tenant is told what is not set, or what was just set.
fn shown_specs() -> Schema {
    map_of(any_of([text(), boolean(), number()]))
}

fn share_type() -> Schema {
    object([
        ("id", uuid()),
        ("name", text()),
        ("extra_specs", shown_specs()),
        ("required_extra_specs", shown_specs()),
        ("os-share-type-access:is_public", boolean().until(V(2, 6))),
        ("share_type_access:is_public", boolean().since(V(2, 7))),
        ("description", text().or_null().since(V(2, 41))),
        ("is_default", boolean().since(V(2, 46))),
    ])
    .named("ShareType")
}

/// Under both its names.
fn one() -> Schema {
    object([("share_type", share_type()), ("volume_type", share_type())])
}

pub(in crate::api) fn list() -> Contract {
    let dictionary = text().since(V(2, 43)).about("A dictionary, as {'key': 'value'}.");
    let is_public = any_of([boolean_word(), any_case_of(["all"])]);
    let types = || list_of(share_type());
    Contract::new("List share types")
        .query([("extra_specs", dictionary), ("is_public", is_public.for_administrators())])
        .shows(object([("share_types", types()), ("volume_types", types())]))
}

pub(in crate::api) fn default() -> Contract {
    Contract::new("Show the share type that stands in when none is named").shows(one())
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a share type").shows(one())
}

/// The body may call it `volume_type`, too.
fn wanted(share_type: &Schema) -> Schema {
    let under = |key| fields(&[key], [(key, share_type.clone())]);
    any_of([under("share_type"), under("volume_type")])
}

pub(in crate::api) fn create() -> Contract {
    let value = any_of([text().up_to(255), boolean(), number()]);
    let specs = map_of(value).keyed_by(text().not_empty().up_to(255));
    let share_type = fields(
        &["name", "extra_specs"],
        [
            ("name", text().not_empty().up_to(255)),
            ("extra_specs", specs.needing(DRIVER_HANDLES_SHARE_SERVERS)),
            ("description", text().up_to(255).or_null().since(V(2, 41))),
            ("share_type_access:is_public", lenient_boolean().or_null()),
            ("os-share-type-access:is_public", lenient_boolean().or_null()),
        ],
    );
    Contract::new("Make a share type").takes(wanted(&share_type)).shows(one()).fault(409)
}

pub(in crate::api) fn update() -> Contract {
    let share_type = fields(
        &[],
        [
            ("name", text().up_to(255).or_null()),
            ("description", text().up_to(255).or_null()),
            ("share_type_access:is_public", lenient_boolean().or_null()),
        ],
    );
    Contract::new("Change a share type").takes(wanted(&share_type)).shows(one()).fault(409)
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Delete a share type").accepted()
}

/// Extra specs to be set.
fn given_specs() -> Schema {
    let value = any_of([text().not_empty().up_to(255), boolean()]);
    map_of(value).keyed_by(text().not_empty().up_to(255))
}

pub(in crate::api) fn list_extra_specs() -> Contract {
    Contract::new("List the extra specs of a share type").shows(under("extra_specs", pairs()))
}

pub(in crate::api) fn create_extra_specs() -> Contract {
    Contract::new("Set extra specs of a share type")
        .takes(fields(&["extra_specs"], [("extra_specs", given_specs())]))
        .shows(under("extra_specs", shown_specs()))
}

pub(in crate::api) fn show_extra_spec() -> Contract {
    Contract::new("Show an extra spec of a share type").shows(pairs().of_one())
}

pub(in crate::api) fn update_extra_spec() -> Contract {
    Contract::new("Set an extra spec of a share type")
        .takes(given_specs().of_one())
        .shows(shown_specs().of_one())
}

pub(in crate::api) fn delete_extra_spec() -> Contract {
    Contract::new("Remove an extra spec of a share type").accepted()
}

pub(in crate::api) fn list_project_access() -> Contract {
    let access = object([("share_type_id", uuid()), ("project_id", text())]);
    Contract::new("List the projects that may use a share type")
        .shows(list_under("share_type_access", access))
}

pub(in crate::api) fn add_project_access() -> Contract {
    Contract::new("Let a project use a share type").takes(project()).accepted().fault(409)
}

pub(in crate::api) fn remove_project_access() -> Contract {
    Contract::new("No longer let a project use a share type").takes(project()).accepted().fault(409)
}

/// Of share group types, too.
pub(in crate::api) fn project() -> Schema {
    fields(&["project"], [("project", text().not_empty().up_to(255))])
}
