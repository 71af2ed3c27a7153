//! A tenant asks for a replica of a share.

use std::collections::BTreeMap;

use abaca_model::quota::{OverQuota, Resource};
use abaca_model::{
    AccessRulesStatus, OperationKind, Share, ShareInstance, ShareInstanceId, ShareStatus, Timestamp,
};
use abaca_store::metadata::Owner;
use abaca_store::share_types::{self, Visible};
use abaca_store::{
    Tx, availability_zones, metadata as pairs, replicas, retry_conflicts, share_instances, shares,
};
use axum::http::StatusCode;

use super::show;
use crate::api::metadata;
use crate::api::operation::{self, Work};
use crate::api::quotas::{Payer, Quota};
use crate::api::shares::{find, not_busy, target};
use crate::api::{ApiError, Call, Fields, Reply, V};
use crate::engine::arguments::{CreateShare, Hints};
use crate::telemetry::logs;

/// `POST /share-replicas`
pub(crate) async fn create(call: Call) -> Result<Reply, ApiError> {
    let fields = call.wrapped("share_replica").map(Fields);
    let fields = fields.ok_or_else(|| call.unprocessable())?;
    let share = visible_share(&call, &fields).await?;
    call.authorise("share_replica:create", &target(&share)).await?;
    let wanted = Wanted::read(&call, &fields, &share).await?;
    logs::resource("share_id", &share.id.to_string());
    logs::resource("share_replica_id", &wanted.replica.id.to_string());
    let reply = retry_conflicts(|| begin(&call, &share, &wanted)).await?;
    call.app.nudge();
    Ok(reply)
}

async fn visible_share(call: &Call, fields: &Fields<'_>) -> Result<Share, ApiError> {
    let id = fields.text("share_id")?.filter(|id| !id.is_empty()).ok_or_else(|| {
        ApiError::bad_request("share_id is missing: the share that gets a replica.")
    })?;
    let mut tx = call.app.db.read().await?;
    let share = find(call, &mut tx, id).await?;
    share.ok_or_else(|| ApiError::not_found(format!("No share exists with ID {id}.")))
}

/// What was asked for. The id and the time are made once, however often the transaction runs.
struct Wanted {
    replica: ShareInstance,
    hints: Hints,
    metadata: BTreeMap<String, String>,
}

impl Wanted {
    async fn read(call: &Call, fields: &Fields<'_>, share: &Share) -> Result<Self, ApiError> {
        if let Some(id) = fields.text("share_network_id")?.filter(|id| !id.is_empty()) {
            return Err(ApiError::bad_request(match call.since(V(2, 72)) {
                true => format!("No share network exists with ID {id}."),
                false => "share_network_id can be given since version 2.72 only.".to_owned(),
            }));
        }
        let metadata = if call.since(V(2, 95)) { metadata::read(fields)? } else { BTreeMap::new() };
        let readable = share.capabilities.replication_type.as_deref() == Some("readable");
        let replica = ShareInstance {
            id: ShareInstanceId::random(),
            share_id: share.id,
            host: None,
            availability_zone: zone(call, fields, share).await?,
            status: ShareStatus::Creating,
            access_rules_status: AccessRulesStatus::Active,
            replica_state: Some(replicas::OUT_OF_SYNC.to_owned()),
            progress: None,
            cast_rules_to_readonly: readable,
            fence: 1,
            created_at: Timestamp::now(),
            updated_at: None,
            scheduled_at: None,
            launched_at: None,
        };
        Ok(Self { replica, hints: hints(call, fields).await?, metadata })
    }
}

/// The name of the zone asked for, in which the share's type must be offered.
async fn zone(call: &Call, fields: &Fields<'_>, share: &Share) -> Result<Option<String>, ApiError> {
    let asked = fields.text("availability_zone")?.filter(|zone| !zone.is_empty());
    let Some(asked) = asked else { return Ok(None) };
    let mut tx = call.app.db.read().await?;
    let zone = availability_zones::by_name_or_id(&mut tx, asked).await?.ok_or_else(|| {
        ApiError::bad_request(format!("Availability zone {asked} could not be found."))
    })?;
    let share_type = share_types::by_id(&mut tx, Visible::All, share.share_type_id).await?;
    let offered = share_type.as_ref().and_then(|found| found.extra_specs.get("availability_zones"));
    if offered.is_some_and(|zones| !zones.split(',').any(|name| name.trim() == zone.name)) {
        return Err(ApiError::bad_request(format!(
            "Invalid share: The share's type is not offered in the availability zone {}.",
            zone.name
        )));
    }
    Ok(Some(zone.name))
}

/// Only a pool can be asked for, by who may choose one.
async fn hints(call: &Call, fields: &Fields<'_>) -> Result<Hints, ApiError> {
    let given = fields.object("scheduler_hints")?.filter(|_| call.since(V(2, 67)));
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(Hints::default()) };
    if given.len() > 1 || !given.contains_key("only_host") {
        return Err(ApiError::bad_request(
            "Invalid input received: scheduler_hints of a replica takes only_host alone.",
        ));
    }
    let host = Fields(given).text_up_to("only_host", 255)?.filter(|host| !host.is_empty());
    let may_choose = call.allows("context_is_host_admin", None).await;
    Ok(Hints { only_host: host.filter(|_| may_choose).map(str::to_owned), ..Hints::default() })
}

/// One transaction: the replica, and the operation that makes it.
async fn begin(call: &Call, share: &Share, wanted: &Wanted) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.write().await?;
    let quota = Quota::lock(call, &mut tx, Payer::of_share(share)).await?;
    let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let instances = share_instances::of_share_locked(&mut tx, share.id).await?;
    check(&share, &instances)?;
    quota.replicas(&mut tx, 1, share.size).await?.map_err(|over| refused(&over))?;
    let replica = &wanted.replica;
    share_instances::insert(&mut tx, replica).await?;
    pairs::put(&mut tx, Owner::ShareInstance(replica.id), &wanted.metadata).await?;
    let work = Work {
        kind: OperationKind::CreateReplica,
        resource_id: replica.id.uuid(),
        fence: replica.fence,
        host: None,
    };
    let arguments = CreateShare { source: None, hints: wanted.hints.clone() };
    operation::enqueue(&mut tx, call, &work, &arguments).await?;
    let reply = show::reply(call, &mut tx, replica, StatusCode::ACCEPTED).await?;
    tx.commit().await?;
    Ok(reply)
}

fn check(share: &Share, instances: &[ShareInstance]) -> Result<(), ApiError> {
    if share.is_soft_deleted() {
        return Err(ApiError::Forbidden(format!(
            "Share {} is in the recycle bin: it gets no replicas.",
            share.id
        )));
    }
    if share.capabilities.replication_type.is_none() {
        return Err(ApiError::bad_request(format!(
            "Invalid share: Share {} can't be replicated: its type does not offer it.",
            share.id
        )));
    }
    not_busy(share)?;
    let active = replicas::active(instances);
    if active.is_some_and(|active| active.status == ShareStatus::Available) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Unable to perform a replication action: Share {} does not have any active replica in \
         available state.",
        share.id
    )))
}

fn refused(over: &OverQuota) -> ApiError {
    ApiError::OverLimit(match over.of(Resource::ShareReplicas) {
        Some(claim) => format!(
            "ShareReplicasLimitExceeded: Maximum number of allowed share-replicas ({}) either \
             per project/user or share type quota is exceeded.",
            claim.limit
        ),
        None => "ShareReplicaSizeExceedsAvailableQuota: Requested share replica exceeds allowed \
                 project/user or share type gigabytes quota."
            .to_owned(),
    })
}

/// Whether the replicas of a share that is to be made or to grow are within quota.
///
/// # Errors
/// 413 that names what is not.
pub(in crate::api) async fn check_quota(
    quota: &Quota<'_>,
    tx: &mut Tx,
    count: i64,
    gigabytes: i64,
) -> Result<(), ApiError> {
    quota.replicas(tx, count, gigabytes).await?.map_err(|over| refused(&over))
}
