//! Availability zones, services and the scheduler's view of the pools.

use super::{ADMIN, ADMIN_OR_READER, DefaultRule, rule};

pub(super) static RULES: &[DefaultRule] = &[
    rule(
        "availability_zone:index",
        ADMIN_OR_READER,
        "List availability zones.",
        &["GET /os-availability-zone", "GET /availability-zones"],
    ),
    rule(
        "scheduler_stats:pools:index",
        ADMIN,
        "List the pools of all backends.",
        &["GET /scheduler-stats/pools?{query}"],
    ),
    rule(
        "scheduler_stats:pools:detail",
        ADMIN,
        "List the pools of all backends with their capacity and capabilities.",
        &["GET /scheduler-stats/pools/detail?{query}"],
    ),
    rule(
        "service:index",
        ADMIN,
        "List the service's processes.",
        &["GET /os-services?{query}", "GET /services?{query}"],
    ),
    rule(
        "service:update",
        ADMIN,
        "Enable or disable a process of the service.",
        &[
            "PUT /os-services/disable",
            "PUT /os-services/enable",
            "PUT /services/disable",
            "PUT /services/enable",
        ],
    ),
    rule(
        "service:ensure_shares",
        ADMIN,
        "Check the shares of a backend and export them again.",
        &["POST /services/ensure-shares"],
    ),
];
