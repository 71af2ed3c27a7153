//! Share replicas.

use super::{ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[rule(
    "share_replica:get_all",
    ADMIN_OR_READER,
    "List share replicas, with and without details.",
    &[
        "GET /share-replicas",
        "GET /share-replicas/detail",
        "GET /share-replicas/detail?share_id={share_id}",
    ],
)];
