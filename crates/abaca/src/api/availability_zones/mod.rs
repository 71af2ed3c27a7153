//! `/availability-zones` (`/os-availability-zone` before 2.7).

pub(super) mod contract;

use abaca_model::AvailabilityZone;
use abaca_store::availability_zones;
use serde_json::{Value, json};

use super::{ApiError, Call, Reply};

/// Lists the zones that shares can be placed in.
pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let zones = availability_zones::in_use(&mut tx).await?;
    let zones: Vec<Value> = zones.iter().map(view).collect();
    Reply::ok(&json!({ "availability_zones": zones }))
}

fn view(zone: &AvailabilityZone) -> Value {
    json!({
        "id": zone.id,
        "name": zone.name,
        "created_at": zone.created_at,
        "updated_at": zone.updated_at,
    })
}
