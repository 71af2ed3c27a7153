//! Quota sets and quota classes. `/limits` has no rule: everybody may see his own.

use super::{ADMIN, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "quota_set:update",
        ADMIN,
        "Set the limits of a project, a user or a share type.",
        &["PUT /quota-sets/{project_id}?{query}", "PUT /os-quota-sets/{project_id}?{query}"],
    ),
    rule(
        "quota_set:show",
        ADMIN_OR_READER,
        "Show the limits of a project, a user or a share type, and what is used of them.",
        &[
            "GET /quota-sets/{project_id}?{query}",
            "GET /quota-sets/{project_id}/defaults",
            "GET /quota-sets/{project_id}/detail?{query}",
            "GET /os-quota-sets/{project_id}?{query}",
            "GET /os-quota-sets/{project_id}/defaults",
        ],
    ),
    rule(
        "quota_set:delete",
        ADMIN,
        "Put the limits of a project, a user or a share type back to the defaults.",
        &["DELETE /quota-sets/{project_id}?{query}", "DELETE /os-quota-sets/{project_id}?{query}"],
    ),
    rule(
        "quota_class_set:update",
        ADMIN,
        "Set the limits of a quota class.",
        &["PUT /quota-class-sets/{class_name}", "PUT /os-quota-class-sets/{class_name}"],
    ),
    rule(
        "quota_class_set:show",
        ADMIN_OR_READER,
        "Show the limits of a quota class.",
        &["GET /quota-class-sets/{class_name}", "GET /os-quota-class-sets/{class_name}"],
    ),
];
