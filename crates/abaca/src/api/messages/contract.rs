//! What these routes take and show.

use super::list::SORT_KEYS;
use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{Schema, links, object, page_of, text, time, under, uuid};

fn message() -> Schema {
    object([
        ("id", uuid()),
        ("project_id", text()),
        ("action_id", text()),
        ("detail_id", text()),
        ("message_level", text()),
        ("created_at", time()),
        ("expires_at", time()),
        ("request_id", text()),
        ("links", links()),
        ("resource_type", text()),
        ("resource_id", text()),
        ("user_message", text()),
    ])
    .named("Message")
}

pub(in crate::api) fn index() -> Contract {
    let moment = || text().since(V(2, 52)).about("An ISO 8601 time.");
    Contract::new("List messages")
        .query([
            ("request_id", text()),
            ("resource_type", text()),
            ("resource_id", text()),
            ("action_id", text()),
            ("detail_id", text()),
            ("message_level", text()),
            ("created_since", moment()),
            ("created_before", moment()),
        ])
        .sorted_by(SORT_KEYS.iter().map(|(key, _)| *key))
        .pages()
        .shows(page_of("messages", "messages_links", message()))
}

pub(in crate::api) fn show() -> Contract {
    Contract::new("Show a message").shows(under("message", message()))
}

pub(in crate::api) fn delete() -> Contract {
    Contract::new("Delete a message").answers(204, None)
}
