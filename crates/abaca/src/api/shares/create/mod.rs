//! A tenant asks for a share.

mod hints;
pub(super) mod mount_point;
mod origin;
mod request;

use std::collections::BTreeMap;

use abaca_model::quota::{OverQuota, Resource};
use abaca_model::{
    AccessRulesStatus, AvailabilityZone, OperationKind, Share, ShareCapabilities, ShareId,
    ShareInstance, ShareInstanceId, ShareStatus, ShareType, Timestamp,
};
use abaca_store::replicas::ACTIVE;
use abaca_store::share_types::Visible;
use abaca_store::{Tx, availability_zones, retry_conflicts, share_instances, share_types, shares};

use self::origin::Origin;
pub(super) use self::request::PROTOCOLS;
use self::request::Request;
use super::{limits, public, show};
use crate::api::metadata;
use crate::api::operation::{self, Work};
use crate::api::quotas::{Payer, Quota};
use crate::api::{ApiError, Call, Fields, Reply, V, share_replicas, strict_bool};
use crate::engine::arguments::{CreateShare, Hints};
use crate::telemetry::logs;

/// `POST /shares`
pub(crate) async fn create(call: Call) -> Result<Reply, ApiError> {
    let fields = call.wrapped("share").map(Fields).ok_or_else(|| call.unprocessable())?;
    let request = Request::read(&fields, call.version)?;
    public::authorise(&call, request.is_public, "share:create_public_share", None).await?;
    metadata::authorise(&call, metadata::Resource::Share, &request.metadata, None).await?;
    let plan = plan(&call, request).await?;
    logs::resource("share_id", &plan.share.id.to_string());
    let reply = retry_conflicts(|| begin(&call, &plan)).await?;
    call.app.nudge();
    Ok(reply)
}

/// What will be made. Its ids and its time are made once, however often the transaction runs.
struct Plan {
    share: Share,
    instance: ShareInstance,
    /// The snapshot whose bytes it starts with.
    origin: Option<Origin>,
    hints: Hints,
}

/// Everything that was asked for, looked up and held against the rest.
async fn plan(call: &Call, mut request: Request) -> Result<Plan, ApiError> {
    let mut tx = call.app.db.read().await?;
    let zone = zone(&mut tx, request.availability_zone.as_deref()).await?;
    let origin = match &request.snapshot_id {
        Some(id) => Some(Origin::find(call, &mut tx, id).await?),
        None => None,
    };
    if let Some(id) = &request.share_network_id {
        return Err(no_share_network(id, origin.is_some()));
    }
    let share_type = share_type(call, &mut tx, &request, origin.as_ref()).await?;
    request.hints = hints::allowed(call, &mut tx, request.hints).await?;
    drop(tx);
    check_type(call, &request, &share_type, zone.as_ref(), origin.as_ref())?;
    let asked = request.mount_point_name.as_deref();
    request.mount_point_name = mount_point::name(call, asked, &share_type)?;
    let size = request.size(origin.as_ref().map(|origin| origin.snapshot.size))?;
    limits::for_create(&share_type, size)?;
    let zone = match &origin {
        Some(origin) => origin.zone(zone)?,
        None => zone.map(|zone| zone.name),
    };
    Ok(Plan::new(call.project()?, &call.caller.user_id, request, size, zone, &share_type, origin))
}

impl Plan {
    fn new(
        project: &str,
        user: &str,
        request: Request,
        size: i64,
        availability_zone: Option<String>,
        share_type: &ShareType,
        origin: Option<Origin>,
    ) -> Self {
        let now = Timestamp::now();
        let share = Share {
            id: ShareId::random(),
            project_id: project.to_owned(),
            user_id: user.to_owned(),
            name: request.name,
            description: request.description,
            size,
            share_proto: request.share_proto,
            is_public: request.is_public.unwrap_or(false),
            share_type_id: share_type.id,
            source_snapshot_id: origin.as_ref().map(|origin| origin.snapshot.id),
            capabilities: capabilities(&share_type.extra_specs),
            metadata: request.metadata,
            mount_point_name: request.mount_point_name,
            task_state: None,
            scheduled_to_be_deleted_at: None,
            created_at: now,
            updated_at: None,
        };
        let instance =
            ShareInstance { availability_zone, ..first_instance(&share, ShareStatus::Creating) };
        Self { share, instance, origin, hints: request.hints }
    }
}

/// The first place of a new share, nowhere yet.
pub(super) fn first_instance(share: &Share, status: ShareStatus) -> ShareInstance {
    ShareInstance {
        id: ShareInstanceId::random(),
        share_id: share.id,
        host: None,
        availability_zone: None,
        status,
        access_rules_status: AccessRulesStatus::Active,
        // That of a share that can be replicated is its active replica.
        replica_state: share.capabilities.replication_type.is_some().then(|| ACTIVE.to_owned()),
        progress: None,
        cast_rules_to_readonly: false,
        fence: 1,
        created_at: share.created_at,
        updated_at: None,
        scheduled_at: None,
        launched_at: None,
    }
}

async fn zone(tx: &mut Tx, asked: Option<&str>) -> Result<Option<AvailabilityZone>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    let zone = availability_zones::by_name_or_id(tx, asked).await?;
    zone.map(Some).ok_or_else(|| {
        ApiError::not_found(format!("Availability zone {asked} could not be found."))
    })
}

/// There are no share networks, so that whatever was named is none.
fn no_share_network(id: &str, from_snapshot: bool) -> ApiError {
    if from_snapshot {
        return ApiError::bad_request(
            "Share network ID should be the same as snapshot's parent share's or empty",
        );
    }
    ApiError::not_found(format!("Share network {id} could not be found."))
}

/// The type that was named, else that of the snapshot's share, else the default one.
async fn share_type(
    call: &Call,
    tx: &mut Tx,
    request: &Request,
    origin: Option<&Origin>,
) -> Result<ShareType, ApiError> {
    let visible = if call.caller.is_admin { Visible::All } else { Visible::To(call.project()?) };
    let found = match (&request.share_type, origin) {
        (Some(name), _) => share_types::by_name_or_id(tx, visible, name).await?,
        (None, Some(origin)) => {
            share_types::by_id(tx, Visible::All, origin.parent.share_type_id).await?
        }
        (None, None) => {
            share_types::by_name(tx, visible, &call.app.settings.default_share_type).await?
        }
    };
    found.ok_or_else(|| ApiError::not_found("Share type not found."))
}

fn check_type(
    call: &Call,
    request: &Request,
    share_type: &ShareType,
    zone: Option<&AvailabilityZone>,
    origin: Option<&Origin>,
) -> Result<(), ApiError> {
    let spec = |key| share_type.extra_specs.get(key).map(String::as_str);
    if origin.is_none() && spec("driver_handles_share_servers").is_some_and(is_true) {
        return Err(ApiError::bad_request(
            "Share network must be set when the driver_handles_share_servers is true.",
        ));
    }
    if let (Some(zone), Some(zones)) = (zone, spec("availability_zones"))
        && call.since(V(2, 48))
        && !zones.split(',').any(|name| name.trim() == zone.name)
    {
        return Err(ApiError::bad_request(format!(
            "Share type {} is not supported within the availability zone chosen {}.",
            share_type.name, zone.name
        )));
    }
    if request.encryption_key_ref {
        return Err(ApiError::bad_request(format!(
            "Share type {} does not support 'encryption_key_ref': this service has no share \
             encryption.",
            share_type.name
        )));
    }
    origin.map_or(Ok(()), |origin| origin.check_type(share_type))
}

/// What the type promises, kept with the share since the type may change.
pub(in crate::api) fn capabilities(specs: &BTreeMap<String, String>) -> ShareCapabilities {
    let promised = |key: &str| specs.get(key).is_some_and(|value| is_true(value));
    ShareCapabilities {
        snapshot_support: promised("snapshot_support"),
        create_share_from_snapshot_support: promised("create_share_from_snapshot_support"),
        revert_to_snapshot_support: promised("revert_to_snapshot_support"),
        mount_snapshot_support: promised("mount_snapshot_support"),
        replication_type: specs.get("replication_type").cloned(),
    }
}

/// An extra spec's `True`, `<is> True` and the like.
pub(super) fn is_true(value: &str) -> bool {
    let value = value.trim().strip_prefix("<is>").unwrap_or(value);
    strict_bool(value).unwrap_or(false)
}

/// One transaction: the share, its instance and the operation that makes it.
async fn begin(call: &Call, plan: &Plan) -> Result<Reply, ApiError> {
    let Plan { share, instance, origin, hints } = plan;
    let mut tx = call.app.db.write().await?;
    let quota = Quota::lock(call, &mut tx, Payer::of_share(share)).await?;
    let source = match origin {
        Some(origin) => Some(origin.locked_source(&mut tx).await?),
        None => None,
    };
    quota.one_share(share.size)?;
    quota.shares(&mut tx, 1, share.size).await?.map_err(|over| refused(&over))?;
    if instance.replica_state.is_some() {
        share_replicas::check_quota(&quota, &mut tx, 1, share.size).await?;
    }
    shares::insert(&mut tx, share).await.map_err(|error| mount_point::taken(share, error))?;
    share_instances::insert(&mut tx, instance).await?;
    hints::note(&mut tx, share, hints).await?;
    let work = Work {
        kind: OperationKind::CreateShare,
        resource_id: instance.id.uuid(),
        fence: instance.fence,
        host: None,
    };
    operation::enqueue(&mut tx, call, &work, &CreateShare { source, hints: hints.clone() }).await?;
    let reply = show::reply(call, &mut tx, share.id).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Sizes are complained of before counts, as clients are used to.
pub(in crate::api) fn refused(over: &OverQuota) -> ApiError {
    let shares = over.of(Resource::Shares).filter(|_| over.of(Resource::Gigabytes).is_none());
    ApiError::OverLimit(match shares {
        None => format!("ShareSizeExceedsAvailableQuota: {}", limits::NO_SPACE_LEFT),
        Some(claim) => format!(
            "ShareLimitExceeded: Maximum number of shares allowed ({}) either per project/user or \
             share type quota is exceeded.",
            claim.limit
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_those_of_the_type() {
        let specs = [
            ("snapshot_support", "True"),
            ("create_share_from_snapshot_support", "<is> true"),
            ("revert_to_snapshot_support", "False"),
            ("mount_snapshot_support", "nonsense"),
            ("replication_type", "dr"),
        ];
        let specs = specs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected = ShareCapabilities {
            snapshot_support: true,
            create_share_from_snapshot_support: true,
            revert_to_snapshot_support: false,
            mount_snapshot_support: false,
            replication_type: Some("dr".to_owned()),
        };
        assert_eq!(capabilities(&specs), expected);
        assert_eq!(capabilities(&BTreeMap::new()), ShareCapabilities::default());
    }
}
