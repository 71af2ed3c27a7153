//! A tenant takes a snapshot of a share.

use std::collections::BTreeMap;

use abaca_model::quota::{OverQuota, Resource};
use abaca_model::{
    OperationKind, Share, ShareInstance, ShareStatus, Snapshot, SnapshotId, SnapshotInstance,
    SnapshotInstanceId, SnapshotStatus, Timestamp,
};
use abaca_store::replicas::ACTIVE;
use abaca_store::snapshots::{self, SnapshotWithStatus};
use abaca_store::{retry_conflicts, share_instances, share_migrations, shares, snapshot_instances};
use axum::http::StatusCode;

use super::view::{Body, Viewer};
use crate::api::operation::{self, Work};
use crate::api::quotas::{Payer, Quota};
use crate::api::share_instances::{leave_out_left, spokesman};
use crate::api::shares::{find, not_busy, not_soft_deleted, target};
use crate::api::{ApiError, Call, Fields, Reply, V, metadata};
use crate::engine::arguments::CreateSnapshot;
use crate::telemetry::logs;

/// `POST /snapshots`
pub(crate) async fn create(call: Call) -> Result<Reply, ApiError> {
    let fields = call.wrapped("snapshot").map(Fields).ok_or_else(|| call.unprocessable())?;
    let share = visible_share(&call, &fields).await?;
    let wanted = Wanted::read(&call, &fields, &share)?;
    logs::resource("share_id", &share.id.to_string());
    logs::resource("snapshot_id", &wanted.snapshot.id.to_string());
    call.authorise("share:create_snapshot", &target(&share)).await?;
    let taken = retry_conflicts(|| take(&call, &share, &wanted)).await?;
    call.app.nudge();
    let viewer = Viewer::new(call.version, &call.caller, &call.links);
    Reply::json(StatusCode::ACCEPTED, &Body { snapshot: viewer.detail(&taken) })
}

const NOT_TAKEN: &str = "Snapshots cannot be created for";

fn unknown_share() -> ApiError {
    ApiError::not_found("NotFound: Resource could not be found.")
}

/// The share in the body. Whoever may not see it is told what he is told of one that is not there.
async fn visible_share(call: &Call, fields: &Fields<'_>) -> Result<Share, ApiError> {
    let id = fields.text("share_id")?;
    let id = id.ok_or_else(|| ApiError::bad_request("Required parameter share_id not found."))?;
    let mut tx = call.app.db.read().await?;
    find(call, &mut tx, id).await?.ok_or_else(unknown_share)
}

/// What was asked for. The id and the time are made once, however often the transaction runs.
struct Wanted {
    snapshot: Snapshot,
    /// Also when the share is not available.
    force: bool,
}

impl Wanted {
    fn read(call: &Call, fields: &Fields<'_>, share: &Share) -> Result<Self, ApiError> {
        if !share.capabilities.snapshot_support {
            return Err(ApiError::Unprocessable(format!(
                "Snapshots cannot be created for share '{}' since it does not have that \
                 capability.",
                share.id
            )));
        }
        not_soft_deleted(share, NOT_TAKEN)?;
        let text = |key, older| {
            let (newer, older) = (fields.text_up_to(key, 255)?, fields.text_up_to(older, 255)?);
            let text = if fields.has(key) { newer } else { older };
            Ok::<_, ApiError>(text.map(str::to_owned))
        };
        let metadata = if call.since(V(2, 73)) { metadata::read(fields)? } else { BTreeMap::new() };
        let snapshot = Snapshot {
            id: SnapshotId::random(),
            share_id: share.id,
            project_id: call.project()?.to_owned(),
            user_id: call.caller.user_id.clone(),
            name: text("name", "display_name")?,
            description: text("description", "display_description")?,
            size: share.size,
            share_size: share.size,
            share_proto: share.share_proto.clone(),
            metadata,
            created_at: Timestamp::now(),
            updated_at: None,
        };
        Ok(Self { snapshot, force: fields.boolean("force")?.unwrap_or(false) })
    }
}

/// One transaction: the snapshot, an instance for each place of its share, and an operation for each
/// instance.
async fn take(call: &Call, share: &Share, wanted: &Wanted) -> Result<SnapshotWithStatus, ApiError> {
    let mut snapshot = wanted.snapshot.clone();
    let mut tx = call.app.db.write().await?;
    let payer = Payer::of_snapshot(&wanted.snapshot, share);
    let quota = Quota::lock(call, &mut tx, payer).await?;
    // Locked, so that the share is neither deleted nor resized meanwhile.
    let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(unknown_share)?;
    let mut places = share_instances::of_share_locked(&mut tx, share.id).await?;
    leave_out_left(&mut places);
    not_soft_deleted(&share, NOT_TAKEN)?;
    let places: Vec<_> = places.into_iter().filter(|place| !is_not_yet_replica(place)).collect();
    check_status(&places, wanted.force)?;
    not_busy(&share)?;
    // Whatever its task state was set to by hand.
    if share_migrations::of_share(&mut tx, share.id).await?.is_some() {
        return Err(ApiError::bad_request("Invalid share: Source share is being migrated."));
    }
    (snapshot.size, snapshot.share_size) = (share.size, share.size);
    quota.snapshot(&mut tx, snapshot.size).await?.map_err(|over| refused(&over))?;
    snapshots::insert(&mut tx, &snapshot).await?;
    for place in &places {
        let instance = instance_in(&snapshot, place);
        snapshot_instances::insert(&mut tx, &instance).await?;
        let work = Work {
            kind: OperationKind::CreateSnapshot,
            resource_id: instance.id.uuid(),
            fence: instance.fence,
            host: place.host.as_deref(),
        };
        let follows = place.replica_state.as_deref().is_some_and(|state| state != ACTIVE);
        operation::enqueue(&mut tx, call, &work, &CreateSnapshot { follows }).await?;
    }
    tx.commit().await?;
    Ok(SnapshotWithStatus { snapshot, status: SnapshotStatus::Creating, provider_location: None })
}

/// A replica that comes gets the snapshot once it is there; one that goes, or never came, not at all.
fn is_not_yet_replica(place: &ShareInstance) -> bool {
    let follows = place.replica_state.as_deref().is_some_and(|state| state != ACTIVE);
    follows && (!has_bytes(place) || place.status == ShareStatus::ErrorDeleting)
}

fn has_bytes(place: &ShareInstance) -> bool {
    let comes_or_goes =
        matches!(place.status, ShareStatus::Creating | ShareStatus::CreatingFromSnapshot)
            || place.status.is_being_deleted();
    place.host.is_some() && !comes_or_goes
}

/// The share must be available; forced, its bytes must at least be there, not be going away, and be
/// where they are to stay: a promotion in between would leave no place to take them from.
fn check_status(places: &[ShareInstance], force: bool) -> Result<(), ApiError> {
    let is_in = |place: &ShareInstance, status: ShareStatus| place.status == status;
    let ready = match force {
        true => !places.iter().any(|place| is_in(place, ShareStatus::ReplicationChange)),
        false => spokesman(places).is_some_and(|place| is_in(place, ShareStatus::Available)),
    };
    if ready && places.iter().all(has_bytes) && !places.is_empty() {
        return Ok(());
    }
    Err(ApiError::bad_request("Invalid share: Source share status must be available."))
}

/// Sizes are complained of before counts, as clients are used to.
fn refused(over: &OverQuota) -> ApiError {
    let size = over.of(Resource::SnapshotGigabytes);
    let snapshots = over.of(Resource::Snapshots).filter(|_| size.is_none());
    ApiError::OverLimit(match snapshots {
        None => "SnapshotSizeExceedsAvailableQuota: Requested snapshot exceeds allowed \
                 project/user or share type gigabytes quota."
            .to_owned(),
        Some(claim) => format!(
            "SnapshotLimitExceeded: Maximum number of snapshots allowed ({}) either per \
             project/user or share type quota is exceeded.",
            claim.limit
        ),
    })
}

fn instance_in(snapshot: &Snapshot, place: &ShareInstance) -> SnapshotInstance {
    SnapshotInstance {
        id: SnapshotInstanceId::random(),
        snapshot_id: snapshot.id,
        share_id: snapshot.share_id,
        share_instance_id: place.id,
        status: SnapshotStatus::Creating,
        progress: Some("0%".to_owned()),
        provider_location: None,
        fence: 1,
        created_at: snapshot.created_at,
        updated_at: None,
    }
}
