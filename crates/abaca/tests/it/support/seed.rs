//! Rows put into a test's database without the API and its engine.

use std::collections::BTreeMap;

use abaca_model::{
    AccessLevel, AccessRule, AccessRuleId, AccessRulesStatus, AccessState, AccessType,
    ExportLocationId, MessageAction, MessageDetail, MessageId, MessageResource, Share,
    ShareCapabilities, ShareId, ShareInstance, ShareInstanceId, ShareStatus, ShareTypeId, Snapshot,
    SnapshotId, SnapshotInstance, SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use abaca_store::access_rules::{self, Of};
use abaca_store::export_work::NewExportLocation;
use abaca_store::messages::{self, NewMessage};
use abaca_store::metadata::Pairs;
use abaca_store::snapshot_work::{self, Made};
use abaca_store::{
    Db, Tx, share_instances, shares, snapshot_export_locations, snapshot_instances, snapshots,
};
use sea_query::Query;
use uuid::Uuid;

/// 2017-08-04T00:44:52, the time of the samples.
pub(crate) const THEN: Timestamp = Timestamp::from_micros(1_501_807_492_000_000);

/// The same ids in every run.
pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0aba_ca00_0000_4000_8000_0000_0000_0000 + number)
}

/// A share type, which a share must have.
pub(crate) async fn share_type(tx: &mut Tx) -> ShareTypeId {
    let id = ShareTypeId::random();
    let mut insert = Query::insert();
    insert
        .into_table("share_types")
        .columns(["id", "name", "is_public", "created_at"])
        .values_panic([
            id.to_string().into(),
            format!("type {id}").into(),
            1_i64.into(),
            THEN.micros().into(),
        ]);
    tx.execute(&insert).await.unwrap();
    id
}

/// An available share of 1 GiB and its only instance, on `seed@seed#pool`.
pub(crate) fn share(number: u128, project: &str) -> (Share, ShareInstance) {
    let capabilities = ShareCapabilities {
        snapshot_support: true,
        create_share_from_snapshot_support: true,
        revert_to_snapshot_support: true,
        mount_snapshot_support: true,
        replication_type: None,
    };
    let share = Share {
        id: ShareId::from(uuid(number)),
        project_id: project.to_owned(),
        user_id: "alice".to_owned(),
        name: Some(format!("share {number}")),
        description: None,
        size: 1,
        share_proto: "NFS".to_owned(),
        is_public: false,
        share_type_id: ShareTypeId::from(uuid(0)),
        source_snapshot_id: None,
        capabilities,
        metadata: BTreeMap::new(),
        mount_point_name: None,
        task_state: None,
        scheduled_to_be_deleted_at: None,
        created_at: THEN,
        updated_at: None,
    };
    let instance = ShareInstance {
        id: ShareInstanceId::from(uuid(number * 1_000)),
        share_id: share.id,
        host: Some("seed@seed#pool".to_owned()),
        availability_zone: Some("nova".to_owned()),
        status: ShareStatus::Available,
        access_rules_status: AccessRulesStatus::Active,
        replica_state: None,
        progress: Some("100%".to_owned()),
        cast_rules_to_readonly: false,
        fence: 1,
        created_at: THEN,
        updated_at: None,
        scheduled_at: Some(THEN),
        launched_at: Some(THEN),
    };
    (share, instance)
}

/// Adds a share with its instances.
pub(crate) async fn add_share(db: &Db, share: &Share, instances: &[ShareInstance]) {
    let mut tx = db.write().await.unwrap();
    let share_type_id = share_type(&mut tx).await;
    shares::insert(&mut tx, &Share { share_type_id, ..share.clone() }).await.unwrap();
    for instance in instances {
        share_instances::insert(&mut tx, instance).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// An available snapshot of a share and its only instance.
pub(crate) fn snapshot(number: u128, place: &ShareInstance) -> (Snapshot, SnapshotInstance) {
    let snapshot = Snapshot {
        id: SnapshotId::from(uuid(number)),
        share_id: place.share_id,
        project_id: "project".to_owned(),
        user_id: "alice".to_owned(),
        name: Some(format!("snapshot {number}")),
        description: None,
        size: 1,
        share_size: 1,
        share_proto: "NFS".to_owned(),
        metadata: BTreeMap::new(),
        created_at: THEN,
        updated_at: None,
    };
    let instance = SnapshotInstance {
        id: SnapshotInstanceId::from(uuid(number * 1_000)),
        snapshot_id: snapshot.id,
        share_id: place.share_id,
        share_instance_id: place.id,
        status: SnapshotStatus::Available,
        progress: Some("100%".to_owned()),
        provider_location: Some(format!("/data/snapshots/{}", uuid(number * 1_000))),
        fence: 1,
        created_at: THEN,
        updated_at: Some(Timestamp::from_micros(THEN.micros() + 2_000_000)),
    };
    (snapshot, instance)
}

/// Adds a message about a share of the project.
pub(crate) async fn message(
    tx: &mut Tx,
    project_id: &str,
    resource_id: &str,
    now: Timestamp,
) -> MessageId {
    let message = NewMessage {
        project_id,
        request_id: "req-24e7ccb6-a7d5-4ddd-a8e4-d8f72a4509c8",
        resource: MessageResource::Share,
        resource_id,
        action: MessageAction::Extend,
        detail: MessageDetail::ExtendFailed,
        reason: "The storage backend has no space left.",
    };
    let month = std::time::Duration::from_secs(30 * 24 * 60 * 60);
    messages::insert(tx, &message, now, month).await.unwrap()
}

/// Adds a snapshot with its instances.
pub(crate) async fn add_snapshot(db: &Db, snapshot: &Snapshot, instances: &[SnapshotInstance]) {
    let mut tx = db.write().await.unwrap();
    snapshots::insert(&mut tx, snapshot).await.unwrap();
    for instance in instances {
        snapshot_instances::insert(&mut tx, instance).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Records a path under which the snapshot instance can be mounted.
pub(crate) async fn export_snapshot(
    tx: &mut Tx,
    instance: &SnapshotInstance,
    path: &str,
    is_admin_only: bool,
) -> ExportLocationId {
    let metadata = Pairs::new();
    let export =
        NewExportLocation { path: path.to_owned(), is_admin_only, preferred: false, metadata };
    let made = Made { provider_location: path.to_owned(), exports: vec![export] };
    assert!(snapshot_work::made(tx, instance.id, instance.fence, &made, None, THEN).await.unwrap());
    snapshot_export_locations::all(tx, instance.id).await.unwrap()[0].id
}

/// An active rule that lets an address in.
pub(crate) fn access_rule(number: u128, resource_id: Uuid, access_to: &str) -> AccessRule {
    AccessRule {
        id: AccessRuleId::from(uuid(number)),
        resource_id,
        access_type: AccessType::Ip,
        access_to: access_to.to_owned(),
        access_level: AccessLevel::ReadWrite,
        access_key: None,
        state: AccessState::Active,
        metadata: BTreeMap::new(),
        created_at: THEN,
        updated_at: None,
    }
}

/// Adds a rule in one instance of its share or snapshot.
pub(crate) async fn add_access_rule(db: &Db, of: Of, rule: &AccessRule, instance: Uuid) {
    let mut tx = db.write().await.unwrap();
    access_rules::insert(&mut tx, of, rule, &[instance]).await.unwrap();
    tx.commit().await.unwrap();
}
