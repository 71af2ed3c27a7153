//! User messages.

use super::{ADMIN_OR_MEMBER, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule("message:get", ADMIN_OR_READER, "Show a message.", &["GET /messages/{message_id}"]),
    rule(
        "message:get_all",
        ADMIN_OR_READER,
        "List messages.",
        &["GET /messages", "GET /messages?{query}"],
    ),
    rule(
        "message:delete",
        ADMIN_OR_MEMBER,
        "Delete a message.",
        &["DELETE /messages/{message_id}"],
    ),
];
