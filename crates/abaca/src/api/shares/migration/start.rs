//! `migration_start`: what has to hold, and the operation that does it.

use abaca_model::{
    AccessRulesStatus, OperationKind, Service, Share, ShareInstance, ShareStatus, ShareType,
    ShareTypeId, TaskState, Timestamp, has_replicas,
};
use abaca_store::share_migrations::{self, Progress, ShareMigration};
use abaca_store::share_types::{self, Visible};
use abaca_store::{Tx, operations, retry_conflicts, services, share_instances, shares, snapshots};
use axum::http::StatusCode;

use crate::api::operation::{self, Work};
use crate::api::quotas::{Payer, Quota};
use crate::api::share_instances::{as_place, spokesman};
use crate::api::shares::create::{capabilities, refused};
use crate::api::shares::limits;
use crate::api::shares::load::{self, target};
use crate::api::{ApiError, Call, Fields, Reply, strict_bool};
use crate::engine::arguments::MigrateShare;

/// What the body asks for.
struct Wanted {
    arguments: MigrateShare,
    share_network_id: Option<String>,
    share_type_id: Option<String>,
}

/// `POST /shares/{id}/action` with `migration_start`.
pub(crate) async fn start(call: Call) -> Result<Reply, ApiError> {
    let mut wanted = read(call.action_body()?)?;
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    call.authorise("share:migration_start", &target(&share)).await?;
    if let Some(network) = &wanted.share_network_id {
        return Err(ApiError::bad_request(format!("Share network {network} not found.")));
    }
    let new_type = new_type(&mut tx, wanted.share_type_id.as_deref()).await?;
    if wanted.arguments.force_host_assisted && wanted.arguments.wants_more_than_bytes() {
        return Err(ApiError::bad_request(
            "Invalid input received: Invalid parameter combination. Cannot set parameters \
             \"nondisruptive\", \"writable\", \"preserve_snapshots\" or \"preserve_metadata\" to \
             True when enabling the \"force_host_assisted_migration\" option.",
        ));
    }
    if let Some(new_type) = &new_type {
        check_type(new_type, &share)?;
        wanted.arguments.promised = Some(capabilities(&new_type.extra_specs));
    }
    drop(tx);
    let now = Timestamp::now();
    let begun = retry_conflicts(|| begin(&call, &share, &wanted.arguments, new_type.as_ref(), now));
    let begun = begun.await?;
    call.app.nudge();
    Ok(if begun { Reply::accepted() } else { Reply::empty(StatusCode::OK) })
}

fn read(fields: Fields<'_>) -> Result<Wanted, ApiError> {
    let missing = |key: &str| ApiError::bad_request(format!("Must specify '{key}'."));
    let needed = |key: &str| fields.boolean(key)?.ok_or_else(|| missing(key));
    let id = |key: &str| {
        let text = fields.text(key)?.filter(|text| !text.is_empty());
        Ok::<_, ApiError>(text.map(str::to_owned))
    };
    let arguments = MigrateShare {
        host: fields.text_up_to("host", 255)?.ok_or_else(|| missing("host"))?.to_owned(),
        force_host_assisted: fields.boolean("force_host_assisted_migration")?.unwrap_or(false),
        writable: needed("writable")?,
        nondisruptive: needed("nondisruptive")?,
        preserve_metadata: needed("preserve_metadata")?,
        preserve_snapshots: needed("preserve_snapshots")?,
        promised: None,
    };
    Ok(Wanted {
        arguments,
        share_network_id: id("new_share_network_id")?,
        share_type_id: id("new_share_type_id")?,
    })
}

fn invalid(message: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(format!("Invalid share: {message}"))
}

async fn new_type(tx: &mut Tx, id: Option<&str>) -> Result<Option<ShareType>, ApiError> {
    let Some(text) = id else { return Ok(None) };
    let id = text.parse::<ShareTypeId>().map_err(|_| unknown_type(text))?;
    share_types::by_id(tx, Visible::All, id).await?.map(Some).ok_or_else(|| unknown_type(text))
}

fn unknown_type(id: &str) -> ApiError {
    ApiError::bad_request(format!("Share type {id} not found."))
}

fn check_type(share_type: &ShareType, share: &Share) -> Result<(), ApiError> {
    limits::for_create(share_type, share.size)?;
    let specs = &share_type.extra_specs;
    let servers = specs.get("driver_handles_share_servers");
    if servers.is_some_and(|value| strict_bool(value).unwrap_or(false)) {
        return Err(ApiError::bad_request(format!(
            "Invalid input received: New share network must be provided when share type of given \
             share {} has extra_spec 'driver_handles_share_servers' as True.",
            share.id
        )));
    }
    if specs.contains_key("replication_type") {
        return Err(invalid(format!(
            "Share {} can't be migrated to share type {}: that is for replicated shares.",
            share.id, share_type.name
        )));
    }
    Ok(())
}

/// One transaction. `false`: there is nothing to be done.
async fn begin(
    call: &Call,
    share: &Share,
    arguments: &MigrateShare,
    new_type: Option<&ShareType>,
    now: Timestamp,
) -> Result<bool, ApiError> {
    let new_type = new_type.filter(|new_type| new_type.id != share.share_type_id);
    let mut tx = call.app.db.write().await?;
    let payer = Payer::of_share(share);
    let payer = new_type.map_or(payer, |new_type| payer.in_type(new_type.id));
    let quota = Quota::lock(call, &mut tx, payer).await?;
    let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let instances = share_instances::of_share_locked(&mut tx, share.id).await?;
    let instance = spokesman(&instances).ok_or_else(ApiError::no_route)?;
    check_share(&mut tx, &share, &instances, instance).await?;
    if arguments.force_host_assisted && snapshots::count_of_share(&mut tx, share.id).await? > 0 {
        return Err(ApiError::conflict(format!(
            "Share {} must not have snapshots when using host-assisted migration.",
            share.id
        )));
    }
    let service = service(call, &mut tx, &arguments.host, now).await?;
    if new_type.is_none() && instance.host.as_deref() == Some(&arguments.host) {
        let done = Some(TaskState::MigrationSuccess);
        shares::set_task_state(&mut tx, share.id, done, now).await?;
        tx.commit().await?;
        return Ok(false);
    }
    check_zone(&mut tx, &share, new_type, &service, &arguments.host).await?;
    if let Some(new_type) = new_type {
        if !share_types::lock(&mut tx, new_type.id).await? {
            return Err(unknown_type(&new_type.id.to_string()));
        }
        quota.shares(&mut tx, 1, share.size).await?.map_err(|over| refused(&over))?;
    }
    let migration = ShareMigration {
        share_id: share.id,
        source: instance.id,
        destination: None,
        share_type_id: new_type.map(|new_type| new_type.id),
        state: TaskState::MigrationStarting,
        wanted: None,
        plan: "{}".to_owned(),
        progress: Progress::default(),
        created_at: now,
    };
    let status = ShareStatus::Migrating;
    let fence = share_instances::take_over(&mut tx, instance, status, now).await?;
    share_migrations::insert(&mut tx, &migration, now).await?;
    let (kind, resource_id) = (OperationKind::MigrateShare, instance.id.uuid());
    let work = Work { kind, resource_id, fence, host: None };
    operation::enqueue(&mut tx, call, &work, arguments).await?;
    tx.commit().await?;
    Ok(true)
}

async fn check_share(
    tx: &mut Tx,
    share: &Share,
    instances: &[ShareInstance],
    instance: &ShareInstance,
) -> Result<(), ApiError> {
    if share.is_soft_deleted() {
        return Err(invalid(format!(
            "Migration cannot start for share '{}' since it has been soft deleted.",
            share.id
        )));
    }
    let places: Vec<_> = instances.iter().map(as_place).collect();
    if has_replicas(&places) || instance.replica_state.is_some() {
        return Err(ApiError::conflict(format!(
            "Share {} has replicas. Remove the replicas before attempting to migrate the share.",
            share.id
        )));
    }
    if instance.status != ShareStatus::Available || instance.host.is_none() {
        return Err(invalid(format!(
            "Share instance {} status must be available, but current status is: {}.",
            instance.id, instance.status
        )));
    }
    if instance.access_rules_status == AccessRulesStatus::Error {
        return Err(invalid(format!(
            "Share instance {} access rules status must not be in error when attempting to start a \
             migration.",
            instance.id
        )));
    }
    load::not_busy(share)?;
    if share_migrations::of_share(tx, share.id).await?.is_some() {
        return Err(invalid(format!(
            "An earlier migration of share {} has not ended yet. Cancel it, or try again.",
            share.id
        )));
    }
    Ok(())
}

/// The service that the pool is of.
async fn service(
    call: &Call,
    tx: &mut Tx,
    host: &str,
    now: Timestamp,
) -> Result<Service, ApiError> {
    let name = operations::service_of(host);
    let found = services::find(tx, name, services::SHARE_BINARY).await?;
    let found =
        found.ok_or_else(|| ApiError::not_found(format!("Service {name} could not be found.")))?;
    if now.since(found.heartbeat_at) > call.app.settings.service_down_after {
        return Err(ApiError::bad_request(format!("Service {name} is down.")));
    }
    Ok(found)
}

async fn check_zone(
    tx: &mut Tx,
    share: &Share,
    new_type: Option<&ShareType>,
    service: &Service,
    host: &str,
) -> Result<(), ApiError> {
    let own = match new_type {
        Some(_) => None,
        None => share_types::by_id(tx, Visible::All, share.share_type_id).await?,
    };
    let Some(share_type) = new_type.or(own.as_ref()) else { return Ok(()) };
    let zones = share_type.extra_specs.get("availability_zones").map_or("", String::as_str);
    let mut zones = zones.split(',').map(str::trim).filter(|zone| !zone.is_empty()).peekable();
    if zones.peek().is_none() || zones.any(|zone| zone == service.availability_zone) {
        return Ok(());
    }
    Err(invalid(format!(
        "Share {} cannot be migrated to host {host} because share type {}(ID: {}) is not supported \
         within the availability zone ({}) that the host is in.",
        share.id, share_type.name, share_type.id, service.availability_zone
    )))
}
