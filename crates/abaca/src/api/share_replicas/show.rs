//! One replica.

use abaca_model::ShareInstance;
use abaca_store::Tx;
use abaca_store::metadata::{self, Owner};
use abaca_store::share_instances::ListedInstance;
use axum::http::StatusCode;
use serde::Serialize;

use super::load;
use super::view::{Shown, View};
use crate::api::{ApiError, Call, Reply, V};

#[derive(Serialize)]
struct Body<'a> {
    share_replica: Shown<'a>,
}

/// `GET /share-replicas/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let found = load::allowed(&call, "share_replica:show").await?;
    let mut tx = call.app.db.read().await?;
    reply(&call, &mut tx, &found.replica, StatusCode::OK).await
}

/// The replica, with all that this version and caller see.
///
/// # Errors
/// What the database says.
pub(super) async fn reply(
    call: &Call,
    tx: &mut Tx,
    replica: &ShareInstance,
    status: StatusCode,
) -> Result<Reply, ApiError> {
    let metadata = match call.since(V(2, 95)) {
        true => Some(metadata::all(tx, Owner::ShareInstance(replica.id)).await?),
        false => None,
    };
    let row = ListedInstance {
        id: &replica.id.to_string(),
        share_id: &replica.share_id.to_string(),
        host: replica.host.as_deref(),
        availability_zone: replica.availability_zone.as_deref(),
        status: replica.status,
        access_rules_status: replica.access_rules_status,
        replica_state: replica.replica_state.as_deref(),
        progress: replica.progress.as_deref(),
        cast_rules_to_readonly: replica.cast_rules_to_readonly,
        created_at: replica.created_at,
        updated_at: replica.updated_at,
        share_type_id: "",
        export_path: None,
    };
    let shown = Shown { row: &row, view: View::detail(call), metadata: metadata.as_ref() };
    Reply::json(status, &Body { share_replica: shown })
}
