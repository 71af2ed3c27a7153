//! Resource locks.

use super::{DefaultRule, rule};

const READER: &str = "(rule:admin_or_service_api) or (rule:project-reader)";
const MEMBER: &str = "(rule:admin_or_service_api) or (rule:project-member)";
const OWNER: &str = "(rule:owner-user or rule:admin_or_service_api)";

pub(super) static RULES: &[DefaultRule] = &[
    rule("resource_lock:get", READER, "Show a resource lock.", &["GET /resource-locks/{lock_id}"]),
    rule("resource_lock:get_all", READER, "List resource locks.", &["GET /resource-locks"]),
    rule(
        "resource_lock:get_all_projects",
        "rule:admin_or_service_api",
        "List the resource locks of all projects.",
        &["GET /resource-locks?all_projects=1"],
    ),
    rule("resource_lock:create", MEMBER, "Lock a resource.", &["POST /resource-locks"]),
    rule(
        "resource_lock:update",
        OWNER,
        "Change a resource lock.",
        &["PUT /resource-locks/{lock_id}"],
    ),
    rule(
        "resource_lock:delete",
        OWNER,
        "Remove a resource lock.",
        &["DELETE /resource-locks/{lock_id}"],
    ),
    rule(
        "resource_lock:bypass_locked_show_action",
        OWNER,
        "See whom an access rule lets in although a lock hides it.",
        &[
            "GET /share-access-rules/{share_access_id}",
            "GET /share-access-rules?share_id={share_id}",
        ],
    ),
];
