//! One resource of each kind, of the user `alice` in the project `project`.

use std::collections::{BTreeMap, BTreeSet};

use abaca::api::Route;
use abaca_model::{
    AccessRule, AccessRuleId, ExportLocationId, LockAction, LockContext, LockedResource, MessageId,
    ResourceLock, ResourceLockId, Share, ShareGroupType, ShareGroupTypeId, ShareId, ShareInstance,
    ShareInstanceId, ShareType, ShareTypeId, Snapshot, SnapshotId, SnapshotInstance,
    SnapshotInstanceId,
};
use abaca_store::access_rules::Of;
use abaca_store::metadata::{Owner, Pairs};
use abaca_store::share_types::Visible;
use abaca_store::{Tx, metadata, resource_locks, services, share_group_types, share_types};
use axum::http::Method;
use sea_query::Query;
use serde_json::Value;
use uuid::Uuid;

use crate::support::TestServer;
use crate::support::seed::{self, THEN};

pub(super) struct World {
    /// Has a snapshot, so that it can't be deleted.
    share: ShareId,
    /// Has none.
    bare_share: ShareId,
    share_instance: ShareInstanceId,
    /// Has a second replica.
    replicated_share: ShareId,
    replica: ShareInstanceId,
    replica_export_location: String,
    snapshot: SnapshotId,
    snapshot_instance: SnapshotInstanceId,
    export_location: String,
    snapshot_export_location: String,
    share_type: ShareTypeId,
    share_group_type: ShareGroupTypeId,
    message: MessageId,
    share_rule: AccessRuleId,
    snapshot_rule: AccessRuleId,
    lock: ResourceLockId,
    shown: Value,
}

impl World {
    pub(super) async fn create(server: &TestServer) -> Self {
        let (bare_share, _) = add_share(server).await;
        let (share, place) = add_share(server).await;
        let (replicated_share, replica) = add_replicated_share(server).await;
        let (snapshot, instance) = seed::snapshot(1, &place);
        let snapshot = Snapshot { id: SnapshotId::random(), ..snapshot };
        let instance = SnapshotInstance {
            id: SnapshotInstanceId::random(),
            snapshot_id: snapshot.id,
            ..instance
        };
        seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;

        let mut tx = server.app.db.write().await.unwrap();
        let export_location = export(&mut tx, place.id).await;
        let replica_export_location = export(&mut tx, replica.id).await;
        let pair = Pairs::from([("key".to_owned(), "value".to_owned())]);
        for owner in [
            Owner::Share(share.id),
            Owner::Snapshot(snapshot.id),
            Owner::ShareInstance(replica.id),
            Owner::ExportLocation(export_location.parse().unwrap()),
        ] {
            metadata::put(&mut tx, owner, &pair).await.unwrap();
        }
        let snapshot_export_location =
            seed::export_snapshot(&mut tx, &instance, "/data/x", false).await.to_string();
        services::heartbeat(&mut tx, "seed@seed", "manila-share", "nova", THEN).await.unwrap();
        let share_type = share_type("default");
        if share_types::by_name(&mut tx, Visible::All, "default").await.unwrap().is_none() {
            share_types::insert(&mut tx, &share_type).await.unwrap();
        }
        let id = ShareTypeId::random();
        let share_type = ShareType { id, name: id.to_string(), is_public: false, ..share_type };
        share_types::insert(&mut tx, &share_type).await.unwrap();
        share_types::grant(&mut tx, id, "project").await.unwrap();
        let share_group_type = add_share_group_type(&mut tx).await;
        let message = seed::message(&mut tx, "project", &share.id.to_string(), THEN).await;
        tx.commit().await.unwrap();

        let share_rule =
            add_access_rule(server, Of::Shares, share.id.uuid(), place.id.uuid()).await;
        let snapshot_rule =
            add_access_rule(server, Of::Snapshots, snapshot.id.uuid(), instance.id.uuid()).await;
        let mut world = Self {
            share: share.id,
            bare_share: bare_share.id,
            share_instance: place.id,
            replicated_share: replicated_share.id,
            replica: replica.id,
            replica_export_location,
            snapshot: snapshot.id,
            snapshot_instance: instance.id,
            export_location,
            snapshot_export_location,
            share_type: share_type.id,
            share_group_type,
            message,
            share_rule,
            snapshot_rule,
            lock: add_lock(server, share_rule).await,
            shown: Value::Null,
        };
        world.shown = world.show(server).await;
        world
    }

    /// The route's path, about these resources.
    pub(super) fn path(&self, route: &Route) -> String {
        // What deletes a share asks for one without snapshots.
        let deletes = route.method == Method::DELETE && route.path == "/shares/{id}";
        let forgets = route.rule == "share:unmanage";
        if deletes || forgets || route.action == Some("soft_delete") {
            return route.path.replace("{id}", &self.bare_share.to_string());
        }
        self.fill(route.path)
    }

    /// `text` with the ids of these resources where a path or a body has placeholders.
    pub(super) fn fill(&self, text: &str) -> String {
        let collection = text.split('/').nth(1).unwrap_or_default();
        let location = match collection {
            "shares" | "share_instances" => &self.export_location,
            "share-replicas" => &self.replica_export_location,
            _ => &self.snapshot_export_location,
        };
        let id = match collection {
            "shares" => self.share.to_string(),
            "share_instances" => self.share_instance.to_string(),
            "share-replicas" => self.replica.to_string(),
            "snapshots" => self.snapshot.to_string(),
            "snapshot-instances" => self.snapshot_instance.to_string(),
            "types" => self.share_type.to_string(),
            "share-group-types" => self.share_group_type.to_string(),
            "messages" => self.message.to_string(),
            "share-access-rules" => self.share_rule.to_string(),
            "resource-locks" => self.lock.to_string(),
            _ => String::new(),
        };
        text.replace("{id}", &id)
            .replace("{project_id}", "project")
            .replace("{class_name}", "default")
            .replace("{export_location_id}", location)
            .replace("{key}", "key")
            .replace("REPLICATED", &self.replicated_share.to_string())
            .replace("SHARE_TYPE", &self.share_type.to_string())
            .replace("SHARE_RULE", &self.share_rule.to_string())
            .replace("SNAPSHOT_RULE", &self.snapshot_rule.to_string())
            .replace("SHARE", &self.share.to_string())
            .replace("SNAPSHOT", &self.snapshot.to_string())
    }

    /// The text tells of a share or snapshot here.
    pub(super) fn is_told_by(&self, text: &str) -> bool {
        text.contains(&self.share.to_string()) || text.contains(&self.snapshot.to_string())
    }

    /// What an administrator sees of the resources.
    async fn show(&self, server: &TestServer) -> Value {
        let mut shown = Vec::new();
        for path in [
            format!("/v2/shares/{}", self.share),
            format!("/v2/share_instances/{}", self.share_instance),
            format!("/v2/share-replicas/{}", self.replica),
            format!("/v2/snapshots/{}", self.snapshot),
            format!("/v2/snapshot-instances/{}", self.snapshot_instance),
            format!("/v2/types/{}", self.share_type),
            format!("/v2/share-group-types/{}", self.share_group_type),
            format!("/v2/messages/{}", self.message),
            format!("/v2/share-access-rules?share_id={}", self.share),
            format!("/v2/resource-locks/{}", self.lock),
            format!("/v2/snapshots/{}/access-list", self.snapshot),
        ] {
            shown.push(server.get(&path).await.expect(200));
        }
        shown.into()
    }

    pub(super) async fn assert_untouched(&self, server: &TestServer) {
        assert_eq!(self.show(server).await, self.shown);
    }
}

async fn add_share(server: &TestServer) -> (Share, ShareInstance) {
    let (share, place) = seed::share(1, "project");
    let share = Share { id: ShareId::random(), ..share };
    let place = ShareInstance { id: ShareInstanceId::random(), share_id: share.id, ..place };
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    (share, place)
}

/// With its second replica.
async fn add_replicated_share(server: &TestServer) -> (Share, ShareInstance) {
    let (mut share, place) = seed::share(1, "project");
    share.capabilities.replication_type = Some("dr".to_owned());
    let share = Share { id: ShareId::random(), ..share };
    let place = |state: &str| ShareInstance {
        id: ShareInstanceId::random(),
        share_id: share.id,
        replica_state: Some(state.to_owned()),
        ..place.clone()
    };
    let (active, second) = (place("active"), place("in_sync"));
    seed::add_share(&server.app.db, &share, &[active, second.clone()]).await;
    (share, second)
}

/// Adds an active rule.
async fn add_access_rule(
    server: &TestServer,
    of: Of,
    resource: Uuid,
    instance: Uuid,
) -> AccessRuleId {
    let id = AccessRuleId::random();
    let metadata = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    let metadata = if of == Of::Shares { metadata } else { BTreeMap::new() };
    let rule = AccessRule { id, metadata, ..seed::access_rule(1, resource, "10.9.9.9") };
    seed::add_access_rule(&server.app.db, of, &rule, instance).await;
    id
}

/// Adds Alice's lock on reading the rule.
async fn add_lock(server: &TestServer, rule: AccessRuleId) -> ResourceLockId {
    let lock = ResourceLock {
        id: ResourceLockId::random(),
        project_id: "project".to_owned(),
        user_id: "alice".to_owned(),
        context: LockContext::User,
        resource: LockedResource::AccessRule(rule),
        action: LockAction::Show,
        reason: None,
        cause: None,
        created_at: THEN,
        updated_at: None,
    };
    let mut tx = server.app.db.write().await.unwrap();
    resource_locks::insert(&mut tx, &lock).await.unwrap();
    tx.commit().await.unwrap();
    lock.id
}

/// Adds a path under which the instance can be mounted.
async fn export(tx: &mut Tx, instance: ShareInstanceId) -> String {
    let id = ExportLocationId::random().to_string();
    let mut insert = Query::insert();
    insert
        .into_table("share_instance_export_locations")
        .columns(["id", "share_instance_id", "path", "is_admin_only", "preferred", "created_at"])
        .values_panic([
            id.as_str().into(),
            instance.to_string().into(),
            "/data/x".into(),
            0_i64.into(),
            0_i64.into(),
            THEN.micros().into(),
        ]);
    tx.execute(&insert).await.unwrap();
    id
}

/// Adds a private type that `project` may use, and that is the default one.
async fn add_share_group_type(tx: &mut Tx) -> ShareGroupTypeId {
    let id = ShareGroupTypeId::random();
    let group_type = ShareGroupType {
        id,
        name: id.to_string(),
        is_public: false,
        group_specs: BTreeMap::from([("key".to_owned(), "value".to_owned())]),
        share_types: BTreeSet::new(),
        created_at: THEN,
    };
    share_group_types::insert(tx, &group_type).await.unwrap();
    share_group_types::grant(tx, id, "project").await.unwrap();
    if share_group_types::by_name(tx, Visible::All, "default").await.unwrap().is_none() {
        let id = ShareGroupTypeId::random();
        let public =
            ShareGroupType { id, name: "default".to_owned(), is_public: true, ..group_type };
        share_group_types::insert(tx, &public).await.unwrap();
    }
    id
}

fn share_type(name: &str) -> ShareType {
    let spec = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    ShareType {
        id: ShareTypeId::random(),
        name: name.to_owned(),
        description: None,
        is_public: true,
        extra_specs: BTreeMap::from([
            spec("driver_handles_share_servers", "False"),
            spec("key", "value"),
        ]),
        created_at: THEN,
        updated_at: None,
    }
}
