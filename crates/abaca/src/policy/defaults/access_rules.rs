//! Access rules of shares and snapshots.

use super::{ADMIN_OR_MEMBER, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "share:access_get",
        ADMIN_OR_READER,
        "See an access rule of a share, to do anything with it.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:access_get_all",
        ADMIN_OR_READER,
        "List the access rules of a share.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:allow_access",
        ADMIN_OR_MEMBER,
        "Let a client mount a share.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share:deny_access",
        ADMIN_OR_MEMBER,
        "No longer let a client mount a share.",
        &["POST /shares/{share_id}/action"],
    ),
    rule(
        "share_access_rule:get",
        ADMIN_OR_READER,
        "Show an access rule of a share.",
        &["GET /share-access-rules/{share_access_id}"],
    ),
    rule(
        "share_access_rule:index",
        ADMIN_OR_READER,
        "List the access rules of a share.",
        &["GET /share-access-rules?share_id={share_id}&key1=value1&key2=value2"],
    ),
    rule(
        "share_access_rule:update",
        ADMIN_OR_MEMBER,
        "Change the level of an access rule.",
        &["PUT /share-access-rules/{share_access_id}"],
    ),
    rule(
        "share_access_metadata:update",
        ADMIN_OR_MEMBER,
        "Set metadata of an access rule.",
        &["PUT /share-access-rules/{share_access_id}/metadata"],
    ),
    rule(
        "share_access_metadata:delete",
        ADMIN_OR_MEMBER,
        "Remove metadata of an access rule.",
        &["DELETE /share-access-rules/{share_access_id}/metadata/{key}"],
    ),
    rule(
        "share_snapshot:access_list",
        ADMIN_OR_READER,
        "List the access rules of a snapshot.",
        &["GET /snapshots/{snapshot_id}/access-list"],
    ),
    rule(
        "share_snapshot:allow_access",
        ADMIN_OR_MEMBER,
        "Let a client mount a snapshot.",
        &["POST /snapshots/{snapshot_id}/action"],
    ),
    rule(
        "share_snapshot:deny_access",
        ADMIN_OR_MEMBER,
        "No longer let a client mount a snapshot.",
        &["POST /snapshots/{snapshot_id}/action"],
    ),
];
