//! Finds the pool for a new share, in the transaction that records it: what is placed at the same
//! time is counted.

use std::time::Duration;

use abaca_model::Timestamp;
use abaca_model::scheduler::{
    Placement, Pool, PoolName, Purpose, Reach, Request, Weights, schedule,
};
use abaca_store::share_work::{self, ShareWork};
use abaca_store::{Tx, services};

use crate::engine::failure::Failure;

/// A service without a heartbeat for this long counts as down, as in the reference.
const DOWN_AFTER: Duration = Duration::from_secs(60);

/// The pool for `work`, and the zone it is in. `source`: the host of the snapshot it starts from.
pub(super) async fn place(
    tx: &mut Tx,
    work: &ShareWork,
    source: Option<&str>,
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
    let request = Request {
        size_gb: work.size,
        share_proto: Some(work.share_proto.clone()),
        extra_specs: share_work::extra_specs(tx, work.share_type_id).await?,
        availability_zone: work.availability_zone.clone(),
        purpose,
    };
    let seed = work.share_id.uuid().as_u64_pair().1;
    let placement = schedule(&request, &pools, Weights::default(), seed).map_err(|refused| {
        Failure::permanent("No storage could be found for the share.", refused)
    })?;
    let zone = pools
        .iter()
        .find(|pool| pool.name == placement.pool)
        .map(|pool| pool.availability_zone.clone())
        .unwrap_or_default();
    Ok((placement, zone))
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
