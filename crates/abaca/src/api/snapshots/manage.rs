//! An administrator has a snapshot taken into use that the backend of its share holds already.

use std::collections::BTreeMap;

use abaca_model::{
    OperationKind, Share, ShareId, ShareInstance, Snapshot, SnapshotId, SnapshotInstance,
    SnapshotInstanceId, SnapshotStatus, Timestamp, has_replicas,
};
use abaca_store::snapshots::{self, SnapshotWithStatus};
use abaca_store::{
    Tx, retry_conflicts, share_instances, shares, snapshot_instances, snapshot_work,
};
use axum::http::StatusCode;
use serde_json::json;

use super::view::{Body, Viewer};
use crate::api::operation::{self, Work};
use crate::api::share_instances::{as_place, leave_out_left};
use crate::api::shares::{find, required, size_option};
use crate::api::{ApiError, Call, Fields, Reply, V, metadata};
use crate::telemetry::logs;

/// What the database takes of a provider location.
const LONGEST_LOCATION: usize = 1023;

/// `POST /snapshots/manage`
pub(crate) async fn manage(call: Call) -> Result<Reply, ApiError> {
    let fields = call.wrapped("snapshot").filter(|fields| !fields.is_empty()).map(Fields);
    let fields = fields.ok_or_else(|| call.unprocessable())?;
    let share_id = text(&fields, "share_id")?;
    let location = text(&fields, "provider_location")?;
    let given = if call.since(V(2, 73)) { metadata::read(&fields)? } else { BTreeMap::new() };
    metadata::authorise(&call, metadata::Resource::Snapshot, &given, None).await?;
    let share = find(&call, &mut call.app.db.read().await?, share_id).await?;
    let share = share.ok_or_else(|| unknown(share_id))?;
    not_soft_deleted(&share)?;
    let wanted = snapshot(&call, &fields, &share, given)?;
    logs::resource("share_id", &share.id.to_string());
    logs::resource("snapshot_id", &wanted.id.to_string());
    let taken = retry_conflicts(|| begin(&call, &wanted, location)).await?;
    call.app.nudge();
    let viewer = Viewer::new(call.version, &call.caller, &call.links);
    Reply::json(StatusCode::ACCEPTED, &Body { snapshot: viewer.detail(&taken) })
}

fn unknown(share_id: &str) -> ApiError {
    ApiError::not_found(format!("Share {share_id} could not be found."))
}

fn text<'a>(fields: &Fields<'a>, key: &str) -> Result<&'a str, ApiError> {
    let text = required(fields, key)?.as_str();
    let text =
        text.ok_or_else(|| ApiError::Unprocessable(format!("Parameter {key} must be a string.")))?;
    fields.text_up_to(key, LONGEST_LOCATION)?;
    Ok(text)
}

fn not_soft_deleted(share: &Share) -> Result<(), ApiError> {
    if share.is_soft_deleted() {
        return Err(ApiError::Forbidden(format!(
            "Can not manage snapshot for share '{}' since it has been soft deleted.",
            share.id
        )));
    }
    Ok(())
}

/// What was asked for. The id and the time are made once, however often the transaction runs.
fn snapshot(
    call: &Call,
    fields: &Fields<'_>,
    share: &Share,
    metadata: BTreeMap<String, String>,
) -> Result<Snapshot, ApiError> {
    let text = |key, older| {
        let key = if fields.has(older) { older } else { key };
        Ok::<_, ApiError>(fields.text_up_to(key, 255)?.map(str::to_owned))
    };
    let size = size_option(fields)?.and_then(|size| i64::try_from(size).ok());
    Ok(Snapshot {
        id: SnapshotId::random(),
        share_id: share.id,
        project_id: call.project()?.to_owned(),
        user_id: call.caller.user_id.clone(),
        name: text("name", "display_name")?,
        description: text("description", "display_description")?,
        // No backend here knows better: a snapshot has the size of its share.
        size: size.unwrap_or(share.size),
        share_size: share.size,
        share_proto: share.share_proto.clone(),
        metadata,
        created_at: Timestamp::now(),
        updated_at: None,
    })
}

/// One transaction: the snapshot, its instance with the location that was given, and the operation
/// that has the backend take it. As in the reference, no quota holds it up.
async fn begin(
    call: &Call,
    wanted: &Snapshot,
    location: &str,
) -> Result<SnapshotWithStatus, ApiError> {
    let mut tx = call.app.db.write().await?;
    let share_id = wanted.share_id;
    // Locked, so that the share is neither deleted nor unmanaged meanwhile.
    let share = shares::get_locked(&mut tx, share_id).await?;
    let share = share.ok_or_else(|| unknown(&share_id.to_string()))?;
    let mut places = share_instances::of_share_locked(&mut tx, share_id).await?;
    leave_out_left(&mut places);
    not_soft_deleted(&share)?;
    let place = place(&share, &places)?;
    refuse_known(&mut tx, share_id, location).await?;
    snapshots::insert(&mut tx, wanted).await?;
    let instance = SnapshotInstance {
        id: SnapshotInstanceId::random(),
        snapshot_id: wanted.id,
        share_id,
        share_instance_id: place.id,
        status: SnapshotStatus::ManageStarting,
        progress: Some("0%".to_owned()),
        provider_location: Some(location.to_owned()),
        fence: 1,
        created_at: wanted.created_at,
        updated_at: None,
    };
    snapshot_instances::insert(&mut tx, &instance).await?;
    let work = Work {
        kind: OperationKind::ManageSnapshot,
        resource_id: instance.id.uuid(),
        fence: instance.fence,
        host: place.host.as_deref(),
    };
    operation::enqueue(&mut tx, call, &work, &json!({})).await?;
    tx.commit().await?;
    Ok(SnapshotWithStatus {
        snapshot: wanted.clone(),
        status: instance.status,
        provider_location: instance.provider_location,
    })
}

/// The one place of the share, which must be there and stay.
fn place<'a>(share: &Share, places: &'a [ShareInstance]) -> Result<&'a ShareInstance, ApiError> {
    let all: Vec<_> = places.iter().map(as_place).collect();
    if has_replicas(&all) {
        return Err(ApiError::conflict(format!(
            "Invalid share: Share {} has replicas. Snapshots of this share cannot currently be \
             managed until all replicas are removed.",
            share.id
        )));
    }
    let there = |place: &&ShareInstance| place.host.is_some() && !place.status.is_passing();
    match places {
        [place] if there(&place) => Ok(place),
        _ => Err(ApiError::conflict(format!(
            "Invalid share: Share {} is in no state to have snapshots managed.",
            share.id
        ))),
    }
}

async fn refuse_known(tx: &mut Tx, share: ShareId, location: &str) -> Result<(), ApiError> {
    if let Some(known) = snapshot_work::located(tx, share, location).await? {
        return Err(ApiError::conflict(format!(
            "Manage existing share snapshot failed due to invalid share snapshot: A share snapshot \
             {known} is already managed for provider location {location}."
        )));
    }
    Ok(())
}
