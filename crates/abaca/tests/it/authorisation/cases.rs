//! Who may use which route by default. A route without a case here fails the tests.

use super::Who::{self, Administrators, AnyMember, Anyone, Everybody, Members, NoOne, Readers};

/// One route: method, path, and the action if it is one; who may use it; a body that is good enough
/// to get past the authorisation. In it `SHARE` stands for the share's id.
pub(super) type Case = (&'static str, Who, &'static str);

const RESET: &str = r#"{"reset_status": {"status": "error"}}"#;
const OLD_RESET: &str = r#"{"os-reset_status": {"status": "error"}}"#;
const DELETE: &str = r#"{"force_delete": null}"#;
const OLD_DELETE: &str = r#"{"os-force_delete": null}"#;
const SERVICE: &str = r#"{"host": "seed@seed", "binary": "manila-share"}"#;
const MIGRATE: &str = r#"{"migration_start": {"host": "seed@seed#pool", "writable": false,
    "nondisruptive": false, "preserve_metadata": false, "preserve_snapshots": false}}"#;
const TASK: &str = r#"{"reset_task_state": {"task_state": null}}"#;
const STATE: &str = r#"{"reset_replica_state": {"replica_state": "error"}}"#;
const METADATA: &str = r#"{"metadata": {"key": "x"}}"#;
const ENSURE: &str = r#"{"ensure_shares": {"host": "seed@seed"}}"#;
const LIMITS: &str = r#"{"quota_set": {"shares": -1}}"#;
const CLASS_LIMITS: &str = r#"{"quota_class_set": {"shares": -1}}"#;
const MANAGE: &str = r#"{"share": {"export_path": "/x", "service_host": "seed@seed#pool",
    "protocol": "NFS", "share_type": "SHARE_TYPE"}}"#;
const MANAGE_SNAPSHOT: &str = r#"{"snapshot": {"share_id": "SHARE", "provider_location": "/x"}}"#;
const UNMANAGE: &str = r#"{"unmanage": null}"#;
const GRANT: &str = r#"{"addProjectAccess": {"project": "project"}}"#;
const REVOKE: &str = r#"{"removeProjectAccess": {"project": "project"}}"#;
const ALLOW: &str = r#"{"allow_access": {"access_type": "ip", "access_to": "10.0.0.1"}}"#;
const OLD_ALLOW: &str = r#"{"os-allow_access": {"access_type": "ip", "access_to": "10.0.0.1"}}"#;
const DENY: &str = r#"{"deny_access": {"access_id": "SHARE_RULE"}}"#;
const OLD_DENY: &str = r#"{"os-deny_access": {"access_id": "SHARE_RULE"}}"#;
const LOCK: &str = r#"{"resource_lock": {"resource_id": "SHARE"}}"#;
const DENY_TO_SNAPSHOT: &str = r#"{"deny_access": {"access_id": "SNAPSHOT_RULE"}}"#;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    ("GET /shares", Anyone, ""),
    ("POST /shares", AnyMember, r#"{"share": {"share_proto": "NFS", "size": 1}}"#),
    ("GET /shares/detail", Anyone, ""),
    ("POST /os-share-manage", Administrators, MANAGE),
    ("POST /shares/manage", Administrators, MANAGE),
    ("POST /os-share-unmanage/{id}/unmanage", Administrators, ""),
    ("GET /shares/{id}", Readers, ""),
    ("PUT /shares/{id}", Members, r#"{"share": {"display_name": "x"}}"#),
    ("DELETE /shares/{id}", Members, ""),
    ("GET /shares/{id}/instances", Administrators, ""),
    ("GET /shares/{id}/export_locations", Readers, ""),
    ("GET /shares/{id}/export_locations/{export_location_id}", Readers, ""),
    ("GET /shares/{id}/export_locations/{export_location_id}/metadata", Readers, ""),
    ("POST /shares/{id}/export_locations/{export_location_id}/metadata", Members, METADATA),
    ("PUT /shares/{id}/export_locations/{export_location_id}/metadata", Members, METADATA),
    ("GET /shares/{id}/export_locations/{export_location_id}/metadata/{key}", Readers, ""),
    ("POST /shares/{id}/export_locations/{export_location_id}/metadata/{key}", Members, METADATA),
    ("DELETE /shares/{id}/export_locations/{export_location_id}/metadata/{key}", Members, ""),
    ("GET /shares/{id}/metadata", Readers, ""),
    ("POST /shares/{id}/metadata", Members, METADATA),
    ("PUT /shares/{id}/metadata", Members, METADATA),
    ("GET /shares/{id}/metadata/{key}", Readers, ""),
    ("POST /shares/{id}/metadata/{key}", Members, METADATA),
    ("DELETE /shares/{id}/metadata/{key}", Members, ""),
    ("POST /shares/{id}/action os-extend", Members, r#"{"os-extend": {"new_size": 2}}"#),
    ("POST /shares/{id}/action extend", Members, r#"{"extend": {"new_size": 2}}"#),
    ("POST /shares/{id}/action os-shrink", Members, r#"{"os-shrink": {"new_size": 1}}"#),
    ("POST /shares/{id}/action shrink", Members, r#"{"shrink": {"new_size": 1}}"#),
    ("POST /shares/{id}/action revert", Members, r#"{"revert": {"snapshot_id": "SNAPSHOT"}}"#),
    ("POST /shares/{id}/action os-reset_status", Administrators, OLD_RESET),
    ("POST /shares/{id}/action reset_status", Administrators, RESET),
    ("POST /shares/{id}/action migration_start", Administrators, MIGRATE),
    ("POST /shares/{id}/action migration_complete", Administrators, r#"{"migration_complete": null}"#),
    ("POST /shares/{id}/action migration_cancel", Administrators, r#"{"migration_cancel": null}"#),
    ("POST /shares/{id}/action migration_get_progress", Administrators, r#"{"migration_get_progress": null}"#),
    ("GET /shares/{id}/migration-progress", Administrators, ""),
    ("POST /shares/{id}/action reset_task_state", Administrators, TASK),
    ("POST /shares/{id}/action soft_delete", Members, r#"{"soft_delete": null}"#),
    ("POST /shares/{id}/action restore", Members, r#"{"restore": null}"#),
    ("POST /shares/{id}/action unmanage", Administrators, UNMANAGE),
    ("POST /shares/{id}/action os-force_delete", Administrators, OLD_DELETE),
    ("POST /shares/{id}/action force_delete", Administrators, DELETE),
    ("POST /shares/{id}/action os-allow_access", Members, OLD_ALLOW),
    ("POST /shares/{id}/action allow_access", Members, ALLOW),
    ("POST /shares/{id}/action os-deny_access", Members, OLD_DENY),
    ("POST /shares/{id}/action deny_access", Members, DENY),
    ("POST /shares/{id}/action os-access_list", Readers, r#"{"os-access_list": null}"#),
    ("POST /shares/{id}/action access_list", Readers, r#"{"access_list": null}"#),

    ("GET /share-access-rules", Anyone, ""),
    ("GET /share-access-rules/{id}", Readers, ""),
    ("PUT /share-access-rules/{id}", Members, r#"{"update_access": {"access_level": "ro"}}"#),
    ("PUT /share-access-rules/{id}/metadata", Members, r#"{"metadata": {"a": "b"}}"#),
    ("DELETE /share-access-rules/{id}/metadata/{key}", Members, ""),

    ("GET /resource-locks", Anyone, ""),
    ("POST /resource-locks", AnyMember, LOCK),
    ("GET /resource-locks/{id}", Readers, ""),
    ("PUT /resource-locks/{id}", Members, r#"{"resource_lock": {"lock_reason": "x"}}"#),
    ("DELETE /resource-locks/{id}", Members, ""),

    ("GET /share_instances", Administrators, ""),
    ("GET /share_instances/{id}", Administrators, ""),
    ("GET /share_instances/{id}/export_locations", Administrators, ""),
    ("GET /share_instances/{id}/export_locations/{export_location_id}", Administrators, ""),
    ("POST /share_instances/{id}/action os-reset_status", Administrators, OLD_RESET),
    ("POST /share_instances/{id}/action reset_status", Administrators, RESET),
    ("POST /share_instances/{id}/action os-force_delete", Administrators, OLD_DELETE),
    ("POST /share_instances/{id}/action force_delete", Administrators, DELETE),

    ("GET /snapshots", Anyone, ""),
    ("GET /snapshots/detail", Anyone, ""),
    ("POST /snapshots", Members, r#"{"snapshot": {"share_id": "SHARE"}}"#),
    ("POST /snapshots/manage", Administrators, MANAGE_SNAPSHOT),
    ("GET /snapshots/{id}", Readers, ""),
    ("PUT /snapshots/{id}", Members, r#"{"snapshot": {"display_name": "x"}}"#),
    ("DELETE /snapshots/{id}", Members, ""),
    ("GET /snapshots/{id}/export-locations", Readers, ""),
    ("GET /snapshots/{id}/export-locations/{export_location_id}", Readers, ""),
    ("GET /snapshots/{id}/metadata", Readers, ""),
    ("POST /snapshots/{id}/metadata", Members, METADATA),
    ("PUT /snapshots/{id}/metadata", Members, METADATA),
    ("GET /snapshots/{id}/metadata/{key}", Readers, ""),
    ("POST /snapshots/{id}/metadata/{key}", Members, METADATA),
    ("DELETE /snapshots/{id}/metadata/{key}", Members, ""),
    ("POST /snapshots/{id}/action os-reset_status", Administrators, OLD_RESET),
    ("POST /snapshots/{id}/action reset_status", Administrators, RESET),
    ("POST /snapshots/{id}/action unmanage", Administrators, UNMANAGE),
    ("POST /snapshots/{id}/action os-force_delete", Administrators, OLD_DELETE),
    ("POST /snapshots/{id}/action force_delete", Administrators, DELETE),
    ("POST /snapshots/{id}/action allow_access", Members, ALLOW),
    ("POST /snapshots/{id}/action deny_access", Members, DENY_TO_SNAPSHOT),
    ("GET /snapshots/{id}/access-list", Readers, ""),

    ("GET /snapshot-instances", Administrators, ""),
    ("GET /snapshot-instances/detail", Administrators, ""),
    ("GET /snapshot-instances/{id}", Administrators, ""),
    ("POST /snapshot-instances/{id}/action reset_status", Administrators, RESET),
    ("GET /snapshot-instances/{id}/export-locations", Administrators, ""),
    ("GET /snapshot-instances/{id}/export-locations/{export_location_id}", Administrators, ""),

    ("GET /extensions", Everybody, ""),
    ("GET /extensions/{id}", NoOne, ""),

    ("GET /share-replicas", Anyone, ""),
    ("GET /share-replicas/detail", Anyone, ""),
    ("POST /share-replicas", Members, r#"{"share_replica": {"share_id": "REPLICATED"}}"#),
    ("GET /share-replicas/{id}", Readers, ""),
    ("DELETE /share-replicas/{id}", Members, ""),
    ("POST /share-replicas/{id}/action promote", Members, r#"{"promote": null}"#),
    ("POST /share-replicas/{id}/action resync", Administrators, r#"{"resync": null}"#),
    ("POST /share-replicas/{id}/action reset_status", Administrators, RESET),
    ("POST /share-replicas/{id}/action reset_replica_state", Administrators, STATE),
    ("POST /share-replicas/{id}/action force_delete", Administrators, DELETE),
    ("GET /share-replicas/{id}/export-locations", Readers, ""),
    ("GET /share-replicas/{id}/export-locations/{export_location_id}", Readers, ""),
    ("GET /share-replicas/{id}/metadata", Members, ""),
    ("POST /share-replicas/{id}/metadata", Members, METADATA),
    ("PUT /share-replicas/{id}/metadata", Members, METADATA),
    ("GET /share-replicas/{id}/metadata/{key}", Members, ""),
    ("POST /share-replicas/{id}/metadata/{key}", Members, METADATA),
    ("DELETE /share-replicas/{id}/metadata/{key}", Members, ""),

    ("GET /messages", Anyone, ""),
    ("GET /messages/{id}", Readers, ""),
    ("DELETE /messages/{id}", Members, ""),

    ("GET /os-availability-zone", Anyone, ""),
    ("GET /availability-zones", Anyone, ""),

    ("GET /os-services", Administrators, ""),
    ("PUT /os-services/enable", Administrators, SERVICE),
    ("PUT /os-services/disable", Administrators, SERVICE),
    ("GET /services", Administrators, ""),
    ("PUT /services/enable", Administrators, SERVICE),
    ("PUT /services/disable", Administrators, SERVICE),

    ("POST /services/ensure-shares", Administrators, ENSURE),

    ("GET /scheduler-stats/pools", Administrators, ""),
    ("GET /scheduler-stats/pools/detail", Administrators, ""),

    ("GET /os-quota-sets/{project_id}", Readers, ""),
    ("PUT /os-quota-sets/{project_id}", Administrators, LIMITS),
    ("DELETE /os-quota-sets/{project_id}", Administrators, ""),
    ("GET /os-quota-sets/{project_id}/defaults", Anyone, ""),
    ("GET /quota-sets/{project_id}", Readers, ""),
    ("PUT /quota-sets/{project_id}", Administrators, LIMITS),
    ("DELETE /quota-sets/{project_id}", Administrators, ""),
    ("GET /quota-sets/{project_id}/defaults", Anyone, ""),
    ("GET /quota-sets/{project_id}/detail", Readers, ""),
    ("GET /os-quota-class-sets/{class_name}", Administrators, ""),
    ("PUT /os-quota-class-sets/{class_name}", Administrators, CLASS_LIMITS),
    ("GET /quota-class-sets/{class_name}", Administrators, ""),
    ("PUT /quota-class-sets/{class_name}", Administrators, CLASS_LIMITS),
    ("GET /limits", Everybody, ""),

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

    ("GET /share-group-types", Anyone, ""),
    ("POST /share-group-types", Administrators, r#"{"share_group_type": {}}"#),
    ("GET /share-group-types/default", Anyone, ""),
    ("GET /share-group-types/{id}", Readers, ""),
    ("DELETE /share-group-types/{id}", Administrators, ""),
    ("GET /share-group-types/{id}/access", Administrators, ""),
    ("POST /share-group-types/{id}/action addProjectAccess", Administrators, GRANT),
    ("POST /share-group-types/{id}/action removeProjectAccess", Administrators, REVOKE),
    ("GET /share-group-types/{id}/group-specs", Administrators, ""),
    ("POST /share-group-types/{id}/group-specs", Administrators, r#"{"group_specs": {"key": "x"}}"#),
    ("GET /share-group-types/{id}/group-specs/{key}", Administrators, ""),
    ("PUT /share-group-types/{id}/group-specs/{key}", Administrators, r#"{"key": "x"}"#),
    ("DELETE /share-group-types/{id}/group-specs/{key}", Administrators, ""),
];
