//! Share types, their extra specs and the projects that may use them.

use super::{ADMIN, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule("share_type:create", ADMIN, "Create a share type.", &["POST /types"]),
    rule(
        "share_type:update",
        ADMIN,
        "Change a share type's name, description or visibility.",
        &["PUT /types/{share_type_id}"],
    ),
    rule("share_type:show", ADMIN_OR_READER, "Show a share type.", &["GET /types/{share_type_id}"]),
    rule("share_type:index", ADMIN_OR_READER, "List share types.", &["GET /types?is_public=all"]),
    rule(
        "share_type:default",
        ADMIN_OR_READER,
        "Show the share type used when none is named.",
        &["GET /types/default"],
    ),
    rule("share_type:delete", ADMIN, "Delete a share type.", &["DELETE /types/{share_type_id}"]),
    rule(
        "share_type:list_project_access",
        ADMIN,
        "List the projects that may use a private share type.",
        &[
            "GET /types/{share_type_id}/os-share-type-access",
            "GET /types/{share_type_id}/share_type_access",
        ],
    ),
    rule(
        "share_type:add_project_access",
        ADMIN,
        "Let a project use a private share type.",
        &["POST /types/{share_type_id}/action"],
    ),
    rule(
        "share_type:remove_project_access",
        ADMIN,
        "Take a private share type away from a project.",
        &["POST /types/{share_type_id}/action"],
    ),
    rule(
        "share_types_extra_spec:create",
        ADMIN,
        "Set extra specs of a share type.",
        &["POST /types/{share_type_id}/extra_specs"],
    ),
    rule(
        "share_types_extra_spec:show",
        ADMIN,
        "Show one extra spec of a share type.",
        &["GET /types/{share_type_id}/extra_specs/{key}"],
    ),
    rule(
        "share_types_extra_spec:index",
        ADMIN,
        "List the extra specs of a share type.",
        &["GET /types/{share_type_id}/extra_specs"],
    ),
    rule(
        "share_types_extra_spec:update",
        ADMIN,
        "Change an extra spec of a share type.",
        &["PUT /types/{share_type_id}/extra_specs/{key}"],
    ),
    rule(
        "share_types_extra_spec:delete",
        ADMIN,
        "Remove an extra spec of a share type.",
        &["DELETE /types/{share_type_id}/extra_specs/{key}"],
    ),
];
