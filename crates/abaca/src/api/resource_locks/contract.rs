//! What these routes take and show.

use abaca_model::{LockAction, LockContext, LockedType};

use super::list::SORT_KEYS;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, any_of, boolean_word, fields, links, object, one_of, page_of, text, time, under, uuid,
};

fn kind() -> Schema {
    one_of(LockedType::ALL.iter().map(|kind| kind.as_str()))
}

fn action() -> Schema {
    one_of(LockAction::ALL.iter().map(|action| action.as_str()))
}

fn reason() -> Schema {
    text().up_to(1023).or_null()
}

fn lock() -> Schema {
    object([
        ("id", uuid()),
        ("user_id", text()),
        ("project_id", text()),
        ("lock_context", one_of(LockContext::ALL.iter().map(|context| context.as_str()))),
        ("resource_type", kind()),
        ("resource_id", uuid()),
        ("resource_action", action()),
        ("lock_reason", text().or_null()),
        ("created_at", time()),
        ("updated_at", time().or_null()),
        ("links", links()),
    ])
    .named("ResourceLock")
}

fn one() -> Schema {
    under("resource_lock", lock())
}

/// An empty one is no filter.
fn or_empty(word: Schema) -> Schema {
    any_of([word, text().exactly("")])
}

pub(in crate::api) fn index() -> Contract {
    let moment = || text().about("An ISO 8601 time.");
    Contract::new("List resource locks")
        .query([
            ("id", text()),
            ("project_id", text()),
            ("all_projects", boolean_word()),
            ("user_id", text()),
            ("resource_id", or_empty(uuid())),
            ("resource_type", or_empty(kind())),
            ("resource_action", or_empty(action())),
            ("lock_context", text()),
            ("lock_reason", text()),
            ("lock_reason~", text()),
            ("created_since", moment()),
            ("created_before", moment()),
            ("with_count", boolean_word()),
        ])
        .sorted_by(SORT_KEYS.iter().map(|(key, _)| *key))
        .pages()
        .shows(page_of("resource_locks", "resource_locks_links", lock()))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a resource lock").shows(one())
}

pub(in crate::api) fn create() -> Contract {
    let wanted = fields(
        &["resource_id"],
        [
            ("resource_id", uuid()),
            ("resource_type", kind().or_null()),
            ("resource_action", action().or_null()),
            ("lock_reason", reason()),
        ],
    );
    Contract::new("Lock a share or an access rule")
        .takes(fields(&["resource_lock"], [("resource_lock", wanted)]))
        .shows(one())
        .fault(409)
}

pub(in crate::api) fn update() -> Contract {
    let change = fields(&[], [("resource_action", action().or_null()), ("lock_reason", reason())]);
    Contract::new("Change a resource lock")
        .takes(fields(&["resource_lock"], [("resource_lock", change)]))
        .shows(one())
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Remove a resource lock").answers(204, None)
}
