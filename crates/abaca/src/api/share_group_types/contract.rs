//! What these routes take and show.

use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, any_case_of, any_of, boolean, boolean_word, fields, lenient_boolean, list_of,
    list_under, map_of, object, pairs, text, under, uuid,
};
use crate::api::share_types::contract::project;

fn group_type() -> Schema {
    object([
        ("id", uuid()),
        ("name", text()),
        ("is_public", boolean()),
        ("group_specs", pairs()),
        ("share_types", list_of(uuid())),
        ("is_default", boolean().since(V(2, 46))),
    ])
    .named("ShareGroupType")
}

fn one() -> Schema {
    under("share_group_type", group_type())
}

pub(in crate::api) fn list() -> Contract {
    let dictionary = text().since(V(2, 66)).about("A dictionary, as {'key': 'value'}.");
    let is_public = any_of([boolean_word(), any_case_of(["all"])]);
    Contract::new("List share group types")
        .query([("group_specs", dictionary), ("is_public", is_public.for_administrators())])
        .shows(list_under("share_group_types", group_type()))
}

pub(in crate::api) fn default() -> Contract {
    Contract::new("Show the share group type that stands in when none is named").shows(one())
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a share group type").shows(one())
}

pub(in crate::api) fn create() -> Contract {
    let share_types = any_of([list_of(text()), text().not_empty()]);
    let group_type = fields(
        &["name", "share_types"],
        [
            ("name", text().not_empty().up_to(255)),
            ("share_types", share_types.about("Names or ids.")),
            ("is_public", lenient_boolean().or_null()),
            ("group_specs", specs(text().up_to(255)).or_null()),
        ],
    );
    Contract::new("Make a share group type")
        .takes(fields(&["share_group_type"], [("share_group_type", group_type)]))
        .shows(one())
        .fault(409)
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Delete a share group type").answers(204, None)
}

/// Specs to be set.
fn specs(value: Schema) -> Schema {
    map_of(any_of([value, boolean()])).keyed_by(text().not_empty().up_to(255))
}

fn given() -> Schema {
    specs(text().not_empty().up_to(255))
}

/// As they were given.
fn shown() -> Schema {
    map_of(any_of([text(), boolean()]))
}

pub(in crate::api) fn list_group_specs() -> Contract {
    Contract::new("List the specs of a share group type").shows(under("group_specs", pairs()))
}

pub(in crate::api) fn create_group_specs() -> Contract {
    Contract::new("Set specs of a share group type")
        .takes(fields(&["group_specs"], [("group_specs", given())]))
        .shows(under("group_specs", shown()))
}

pub(in crate::api) fn show_group_spec() -> Contract {
    Contract::new("Show a spec of a share group type").shows(pairs().of_one())
}

pub(in crate::api) fn update_group_spec() -> Contract {
    Contract::new("Set a spec of a share group type")
        .takes(given().of_one())
        .shows(shown().of_one())
}

pub(in crate::api) fn delete_group_spec() -> Contract {
    Contract::new("Remove a spec of a share group type").answers(204, None)
}

pub(in crate::api) fn list_project_access() -> Contract {
    let access = object([("share_group_type_id", uuid()), ("project_id", text())]);
    Contract::new("List the projects that may use a share group type")
        .shows(list_under("share_group_type_access", access))
}

pub(in crate::api) fn add_project_access() -> Contract {
    Contract::new("Let a project use a share group type").takes(project()).accepted().fault(409)
}

pub(in crate::api) fn remove_project_access() -> Contract {
    Contract::new("No longer let a project use a share group type")
        .takes(project())
        .accepted()
        .fault(409)
}
