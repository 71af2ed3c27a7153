//! Share group types, their specs and the projects that may use them.

use super::{ADMIN, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "share_group_type:create",
        ADMIN,
        "Create a share group type.",
        &["POST /share-group-types"],
    ),
    rule(
        "share_group_type:index",
        ADMIN_OR_READER,
        "List share group types.",
        &["GET /share-group-types?is_public=all"],
    ),
    rule(
        "share_group_type:show",
        ADMIN_OR_READER,
        "Show a share group type.",
        &["GET /share-group-types/{share_group_type_id}"],
    ),
    rule(
        "share_group_type:default",
        ADMIN_OR_READER,
        "Show the default share group type.",
        &["GET /share-group-types/default"],
    ),
    rule(
        "share_group_type:delete",
        ADMIN,
        "Delete a share group type.",
        &["DELETE /share-group-types/{share_group_type_id}"],
    ),
    rule(
        "share_group_type:list_project_access",
        ADMIN,
        "List the projects that may use a private share group type.",
        &["GET /share-group-types/{share_group_type_id}/access"],
    ),
    rule(
        "share_group_type:add_project_access",
        ADMIN,
        "Let a project use a private share group type.",
        &["POST /share-group-types/{share_group_type_id}/action"],
    ),
    rule(
        "share_group_type:remove_project_access",
        ADMIN,
        "Take a private share group type away from a project.",
        &["POST /share-group-types/{share_group_type_id}/action"],
    ),
    rule(
        "share_group_types_spec:create",
        ADMIN,
        "Set specs of a share group type.",
        &["POST /share-group-types/{share_group_type_id}/group-specs"],
    ),
    rule(
        "share_group_types_spec:index",
        ADMIN,
        "List the specs of a share group type.",
        &["GET /share-group-types/{share_group_type_id}/group-specs"],
    ),
    rule(
        "share_group_types_spec:show",
        ADMIN,
        "Show one spec of a share group type.",
        &["GET /share-group-types/{share_group_type_id}/group-specs/{key}"],
    ),
    rule(
        "share_group_types_spec:update",
        ADMIN,
        "Change a spec of a share group type.",
        &["PUT /share-group-types/{share_group_type_id}/group-specs/{key}"],
    ),
    rule(
        "share_group_types_spec:delete",
        ADMIN,
        "Remove a spec of a share group type.",
        &["DELETE /share-group-types/{share_group_type_id}/group-specs/{key}"],
    ),
];
