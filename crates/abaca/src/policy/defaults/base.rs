//! Rules that others build on.

use super::{DefaultRule, Scope, rule};

const fn unscoped(
    name: &'static str,
    check: &'static str,
    description: &'static str,
) -> DefaultRule {
    DefaultRule { name, check, description, operations: &[], scopes: &[] as &[Scope] }
}

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "context_is_admin",
        "role:admin",
        "Who counts as an administrator: may act in every project.",
        &[],
    ),
    rule(
        "context_is_host_admin",
        "role:admin and project_id:%(project_id)s",
        "Who may name the host that a share is made on.",
        &[],
    ),
    rule(
        "project-admin",
        "role:admin and project_id:%(project_id)s",
        "An administrator of the object's project.",
        &[],
    ),
    rule(
        "project-member",
        "role:member and project_id:%(project_id)s",
        "A member of the object's project.",
        &[],
    ),
    rule(
        "project-reader",
        "role:reader and project_id:%(project_id)s",
        "A reader of the object's project.",
        &[],
    ),
    rule(
        "owner-user",
        "user_id:%(user_id)s and project_id:%(project_id)s",
        "The user who made the object, in its project.",
        &[],
    ),
    rule(
        "admin_or_service_api",
        "role:admin or role:service",
        "An administrator, or another service of the cloud.",
        &[],
    ),
    unscoped(
        "admin_or_owner",
        "is_admin:True or project_id:%(project_id)s",
        "An administrator, or anyone in the object's project.",
    ),
    unscoped(
        "admin_or_owner_user",
        "is_admin:True or project_id:%(project_id)s and user_id:%(user_id)s",
        "An administrator, or the user who made the object.",
    ),
    unscoped("default", "rule:admin_or_owner", "Asked in place of a rule that does not exist."),
    unscoped("admin_api", "is_admin:True", "An administrator, under the older name."),
];
