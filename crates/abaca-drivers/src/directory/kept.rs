//! Shares and snapshots as the service knows them, from what is kept in the directory.

use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsResult, Stop};
use super::medium::Content;
use super::objects::New;
use super::records::{Kind, ShareRecord, SnapshotRecord};
use super::root::Root;
use crate::manage::Custody;
use crate::{Export, NewShare, ShareObject, SnapshotObject};

/// The exports of a complete share, made durable: its maker may have been killed just before.
pub(super) fn existing_share(root: &Root, id: Uuid) -> FsResult<Option<Vec<Export>>> {
    let Some(share) = find_share(root, id)? else { return Ok(None) };
    root.settle(Kind::Share)?;
    Ok(Some(share.exports))
}

pub(super) fn record_of(share: &NewShare) -> ShareRecord {
    ShareRecord {
        size_gb: share.size_gb,
        pool: share.pool.clone(),
        protocol: share.protocol.clone(),
        reverted: 0,
        replication: 0,
        is_replica: false,
        is_stale: false,
        updated_from: None,
        mount_point_name: share.mount_point_name.clone(),
        custody: Custody::default(),
        former_ids: Vec::new(),
    }
}

pub(super) fn make_share(
    root: &Root,
    id: Uuid,
    record: &ShareRecord,
    content: Content,
    cancel: &Cancel,
) -> Result<Vec<Export>, Stop> {
    let (kind, mount_point_name) = (Kind::Share, record.mount_point_name.as_deref());
    let size_gb = Some(record.size_gb);
    root.make(New { kind, id, record, content, size_gb, mount_point_name }, cancel)?;
    Ok(exports(root, id, mount_point_name))
}

pub(super) fn exports(root: &Root, id: Uuid, mount_point_name: Option<&str>) -> Vec<Export> {
    let container = Kind::Share.container();
    vec![Export::preferred(match mount_point_name {
        Some(name) => root.named_location(container, id, name),
        None => root.location(container, id),
    })]
}

pub(super) fn find_share(root: &Root, id: Uuid) -> FsResult<Option<ShareObject>> {
    let record = root.record::<ShareRecord>(Kind::Share, id)?;
    Ok(record.map(|record| share_object(root, id, record)))
}

pub(super) fn share_object(root: &Root, id: Uuid, record: ShareRecord) -> ShareObject {
    ShareObject {
        id,
        size_gb: record.size_gb,
        exports: exports(root, id, record.mount_point_name.as_deref()),
        provider_location: root.location(Kind::Share.container(), id),
        pool: record.pool,
    }
}

pub(super) fn find_snapshot(root: &Root, id: Uuid) -> FsResult<Option<SnapshotObject>> {
    let record = root.record::<SnapshotRecord>(Kind::Snapshot, id)?;
    Ok(record.map(|record| snapshot_object(root, id, &record)))
}

pub(super) fn snapshot_object(root: &Root, id: Uuid, record: &SnapshotRecord) -> SnapshotObject {
    let location = root.location(Kind::Snapshot.container(), id);
    SnapshotObject {
        id,
        share_instance_id: record.share_instance_id,
        exports: vec![Export::preferred(location.clone())],
        provider_location: location,
    }
}
