//! Who may use which route by default. A route without a case here fails the tests.

use super::Who::{self, Administrators, Anyone, Members, Readers};

/// One route: method, path, and the action if it is one; who may use it; a body that is good enough
/// to get past the authorisation. In it `SHARE` stands for the share's id.
pub(super) type Case = (&'static str, Who, &'static str);

const RESET: &str = r#"{"reset_status": {"status": "error"}}"#;
const OLD_RESET: &str = r#"{"os-reset_status": {"status": "error"}}"#;
const SERVICE: &str = r#"{"host": "seed@seed", "binary": "manila-share"}"#;
const GRANT: &str = r#"{"addProjectAccess": {"project": "project"}}"#;
const REVOKE: &str = r#"{"removeProjectAccess": {"project": "project"}}"#;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    ("GET /snapshots", Anyone, ""),
    ("GET /snapshots/detail", Anyone, ""),
    ("POST /snapshots", Members, r#"{"snapshot": {"share_id": "SHARE"}}"#),
    ("GET /snapshots/{id}", Readers, ""),
    ("PUT /snapshots/{id}", Members, r#"{"snapshot": {"display_name": "x"}}"#),
    ("DELETE /snapshots/{id}", Members, ""),
    ("POST /snapshots/{id}/action os-reset_status", Administrators, OLD_RESET),
    ("POST /snapshots/{id}/action reset_status", Administrators, RESET),
    ("POST /snapshots/{id}/action os-force_delete", Administrators, r#"{"os-force_delete": null}"#),
    ("POST /snapshots/{id}/action force_delete", Administrators, r#"{"force_delete": null}"#),

    ("GET /snapshot-instances", Administrators, ""),
    ("GET /snapshot-instances/detail", Administrators, ""),
    ("GET /snapshot-instances/{id}", Administrators, ""),
    ("POST /snapshot-instances/{id}/action reset_status", Administrators, RESET),
    ("GET /snapshot-instances/{id}/export-locations", Administrators, ""),
    ("GET /snapshot-instances/{id}/export-locations/{export_location_id}", Administrators, ""),

    ("GET /os-availability-zone", Anyone, ""),
    ("GET /availability-zones", Anyone, ""),

    ("GET /os-services", Administrators, ""),
    ("PUT /os-services/enable", Administrators, SERVICE),
    ("PUT /os-services/disable", Administrators, SERVICE),
    ("GET /services", Administrators, ""),
    ("PUT /services/enable", Administrators, SERVICE),
    ("PUT /services/disable", Administrators, SERVICE),

    ("GET /scheduler-stats/pools", Administrators, ""),
    ("GET /scheduler-stats/pools/detail", Administrators, ""),

    ("GET /types", Anyone, ""),
    ("POST /types", Administrators, r#"{"share_type": {}}"#),
    ("GET /types/default", Anyone, ""),
    ("GET /types/{id}", Readers, ""),
    ("PUT /types/{id}", Administrators, r#"{"share_type": {"description": "x"}}"#),
    ("DELETE /types/{id}", Administrators, ""),
    ("GET /types/{id}/extra_specs", Administrators, ""),
    ("POST /types/{id}/extra_specs", Administrators, r#"{"extra_specs": {"key": "x"}}"#),
    ("GET /types/{id}/extra_specs/{key}", Administrators, ""),
    ("PUT /types/{id}/extra_specs/{key}", Administrators, r#"{"key": "x"}"#),
    ("DELETE /types/{id}/extra_specs/{key}", Administrators, ""),
    ("GET /types/{id}/share_type_access", Administrators, ""),
    ("GET /types/{id}/os-share-type-access", Administrators, ""),
    ("POST /types/{id}/action addProjectAccess", Administrators, GRANT),
    ("POST /types/{id}/action removeProjectAccess", Administrators, REVOKE),
];
