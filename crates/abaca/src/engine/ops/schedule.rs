//! Finds the pool for a share, in the transaction that records it: what is placed at the same time
//! is counted.

use std::collections::BTreeSet;

use abaca_model::scheduler::{
    Filter, Hints, NoValidHost, Placement, Pool, PoolName, Purpose, Reach, Request, Weights,
    schedule,
};
use abaca_model::{MessageDetail, ShareId, ShareStatus, ShareTypeId, Timestamp};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::{Tx, services, share_instances, shares};
use serde_json::{Map, Value, json};

use crate::config::DOWN_AFTER;
use crate::engine::arguments;
use crate::engine::failure::Failure;

/// The pool for `work`, and the zone it is in. `source`: the host of the snapshot it starts from.
pub(super) async fn place(
    tx: &mut Tx,
    work: &ShareWork,
    source: Option<&str>,
    hints: &arguments::Hints,
) -> Result<(Placement, String), Failure> {
    services::lock_pools(tx).await?;
    let pools = pools(tx).await?;
    let purpose = match source {
        None => Purpose::Create,
        Some(host) => Purpose::CreateFromSnapshot {
            source: host.parse::<PoolName>().map_err(|error| {
                Failure::permanent("The snapshot's backend is not known.", error)
            })?,
            reach: Reach::SamePool,
        },
    };
    let resolved = resolve(tx, hints).await?;
    let mut request = Request { hints: resolved, ..request(tx, work, work.size, purpose).await? };
    if hints.any_zone {
        request.extra_specs.remove("availability_zones");
    }
    let placement = choose(&request, &pools, work.share_id)?;
    let zone = zone_of(&pools, &placement);
    Ok((placement, zone))
}

/// The pool for a replica, and the zone it is in. `active`: where the active one is; `others`: where any
/// is.
pub(super) async fn place_replica(
    tx: &mut Tx,
    work: &ShareWork,
    active: &str,
    others: &[String],
    hints: &arguments::Hints,
) -> Result<(Placement, String), Failure> {
    services::lock_pools(tx).await?;
    let pools = pools(tx).await?;
    let active = active.parse::<PoolName>().map_err(|error| {
        Failure::permanent("The backend of the active replica is not known.", error)
    })?;
    let others = others.iter().filter_map(|host| host.parse().ok()).collect();
    let purpose = Purpose::Replicate { active, others };
    let hints = resolve(tx, hints).await?;
    let request = Request { hints, ..request(tx, work, work.size, purpose).await? };
    let placement = choose(&request, &pools, work.share_id)?;
    let zone = zone_of(&pools, &placement);
    Ok((placement, zone))
}

fn zone_of(pools: &[Pool], placement: &Placement) -> String {
    let chosen = pools.iter().find(|pool| pool.name == placement.pool);
    chosen.map(|pool| pool.availability_zone.clone()).unwrap_or_default()
}

/// Whether the pool `host` takes `work` as a share of this type; returns the pool's zone.
pub(super) async fn admit(
    tx: &mut Tx,
    work: &ShareWork,
    share_type: ShareTypeId,
    host: &str,
) -> Result<String, Failure> {
    services::lock_pools(tx).await?;
    let pools = pools(tx).await?;
    let request = Request {
        hints: Hints { only_host: Some(host.to_owned()), ..Hints::default() },
        availability_zone: None,
        extra_specs: share_work::extra_specs(tx, share_type).await?,
        ..request(tx, work, work.size, Purpose::Create).await?
    };
    let placement = choose(&request, &pools, work.share_id)?;
    Ok(zone_of(&pools, &placement))
}

/// Whether the pool that `work` is in has room for it to grow to `new_size`.
pub(super) async fn grow(tx: &mut Tx, work: &ShareWork, new_size: i64) -> Result<(), Failure> {
    let growth = new_size - work.size;
    services::lock_pools(tx).await?;
    let host = work.host.as_deref().unwrap_or_default();
    let home = host
        .parse::<PoolName>()
        .map_err(|error| Failure::permanent("The share's backend is not known.", error))?;
    let mut pools = pools(tx).await?;
    for pool in pools.iter_mut().filter(|pool| pool.name == home) {
        // The rows say already what is asked for here.
        pool.capacity.provisioned_capacity_gb -= growth;
        pool.capacity.pending_capacity_gb -= growth;
    }
    let request = request(tx, work, growth, Purpose::Extend { pool: home }).await?;
    choose(&request, &pools, work.share_id).map(drop)
}

/// What a tenant is told, by the filter that refused the last pools standing.
pub(super) fn detail(refused: &NoValidHost) -> MessageDetail {
    match refused.last_filter() {
        None => MessageDetail::BackendNotReady,
        Some(Filter::ActiveBackend) => MessageDetail::NoValidHost,
        Some(Filter::OnlyHost | Filter::Affinity | Filter::AntiAffinity) => {
            MessageDetail::HintFilter
        }
        Some(Filter::Replication) => MessageDetail::ReplicationFilter,
        Some(Filter::CreateFromSnapshot) => MessageDetail::FromSnapshotFilter,
        Some(Filter::AvailabilityZone) => MessageDetail::AvailabilityZoneFilter,
        Some(Filter::Capacity) => MessageDetail::CapacityFilter,
        Some(Filter::Capabilities) => MessageDetail::CapabilitiesFilter,
        Some(Filter::Driver) => MessageDetail::DriverFilter,
    }
}

async fn request(
    tx: &mut Tx,
    work: &ShareWork,
    size_gb: i64,
    purpose: Purpose,
) -> Result<Request, Failure> {
    Ok(Request {
        size_gb,
        share_proto: Some(work.share_proto.clone()),
        extra_specs: share_work::extra_specs(tx, work.share_type_id).await?,
        availability_zone: work.availability_zone.clone(),
        hints: Hints::default(),
        share: properties(tx, work).await?,
        purpose,
    })
}

fn choose(request: &Request, pools: &[Pool], share: ShareId) -> Result<Placement, Failure> {
    let seed = share.uuid().as_u64_pair().1;
    let placement = schedule(request, pools, Weights::default(), seed).map_err(|refused| {
        Failure::permanent("No storage could be found for the share.", refused)
    })?;
    for broken in &placement.broken {
        tracing::warn!(%broken, "a backend's function is broken");
    }
    Ok(placement)
}

/// What a backend's functions see of the share.
async fn properties(tx: &mut Tx, work: &ShareWork) -> Result<Map<String, Value>, Failure> {
    let share = shares::get(tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    let capabilities = share.capabilities;
    let properties = json!({
        "id": work.id,
        "share_id": work.share_id,
        "project_id": share.project_id,
        "user_id": share.user_id,
        "size": share.size,
        "share_proto": share.share_proto,
        "share_type_id": share.share_type_id,
        "is_public": share.is_public,
        "snapshot_id": share.source_snapshot_id,
        "status": work.status.as_str(),
        "host": work.host,
        "availability_zone": work.availability_zone,
        "snapshot_support": capabilities.snapshot_support,
        "create_share_from_snapshot_support": capabilities.create_share_from_snapshot_support,
        "revert_to_snapshot_support": capabilities.revert_to_snapshot_support,
        "mount_snapshot_support": capabilities.mount_snapshot_support,
        "replication_type": capabilities.replication_type,
    });
    match properties {
        Value::Object(properties) => Ok(properties),
        _ => Ok(Map::new()),
    }
}

/// The pools that the shares named in the hints are in.
async fn resolve(tx: &mut Tx, hints: &arguments::Hints) -> Result<Hints, Failure> {
    let mut same_host = None;
    for share in &hints.same_host {
        let hosts = hosts(tx, *share).await?;
        same_host = Some(match same_host {
            None => hosts,
            Some(others) => hosts.intersection(&others).cloned().collect(),
        });
    }
    let mut different_host = BTreeSet::new();
    for share in &hints.different_host {
        different_host.extend(hosts(tx, *share).await?);
    }
    Ok(Hints { only_host: hints.only_host.clone(), same_host, different_host })
}

/// Where a share is. One that is about to be placed is waited for.
async fn hosts(tx: &mut Tx, share: ShareId) -> Result<BTreeSet<PoolName>, Failure> {
    let instances = share_instances::of_share(tx, share).await?;
    if instances.is_empty() {
        let message = "A share that a scheduler hint names was deleted meanwhile.";
        return Err(Failure::permanent(message, format!("share {share} is gone")));
    }
    if instances.iter().any(|place| place.host.is_none() && place.status == ShareStatus::Creating) {
        return Err(Failure::Passing(format!("share {share} has no place yet").into()));
    }
    let hosts = instances.iter().filter_map(|place| place.host.as_deref());
    Ok(hosts.filter_map(|host| host.parse().ok()).collect())
}

async fn pools(tx: &mut Tx) -> Result<Vec<Pool>, Failure> {
    let now = Timestamp::now();
    let mut pools = Vec::new();
    for record in services::pools(tx).await? {
        match record.pool(now, DOWN_AFTER) {
            Ok(pool) => pools.push(pool),
            Err(error) => tracing::warn!(pool = record.name, %error, "its report makes no sense"),
        }
    }
    Ok(pools)
}
