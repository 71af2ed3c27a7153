//! One share instance.

use abaca_store::export_locations;
use abaca_store::share_instances::ListedInstance;

use super::load;
use super::view::{InstanceWriter, shows_exports};
use crate::api::{ApiError, Call, Reply};

/// `GET /share_instances/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let (instance, share) = load::find(&call, &mut tx).await?.ok_or_else(ApiError::no_route)?;
    let exports = if shows_exports(call.version) {
        export_locations::of_instance(&mut tx, instance.id).await?
    } else {
        Vec::new()
    };
    drop(tx);
    call.authorise("share_instance:show", &load::target(&share)).await?;
    let row = ListedInstance {
        id: &instance.id.to_string(),
        share_id: &instance.share_id.to_string(),
        host: instance.host.as_deref(),
        availability_zone: instance.availability_zone.as_deref(),
        status: instance.status,
        access_rules_status: instance.access_rules_status,
        replica_state: instance.replica_state.as_deref(),
        progress: instance.progress.as_deref(),
        cast_rules_to_readonly: instance.cast_rules_to_readonly,
        created_at: instance.created_at,
        updated_at: instance.updated_at,
        share_type_id: &share.share_type_id.to_string(),
        export_path: None,
    };
    let mut writer = InstanceWriter::new(call.version, b"{\"share_instance\":".to_vec());
    writer.row(&row).map_err(ApiError::internal)?;
    for export in &exports {
        let row = ListedInstance { export_path: Some(&export.path), ..row };
        writer.row(&row).map_err(ApiError::internal)?;
    }
    let mut body = writer.finish().map_err(ApiError::internal)?;
    body.push(b'}');
    Ok(Reply::ready_json(body))
}
