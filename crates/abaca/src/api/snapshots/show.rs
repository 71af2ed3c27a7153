//! One snapshot.

use super::load;
use super::view::{Body, Viewer};
use crate::api::{ApiError, Call, Reply};

/// `GET /snapshots/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let snapshot = load::visible(&call, &mut tx).await?;
    drop(tx);
    let viewer = Viewer::new(call.version, &call.caller, &call.links);
    Reply::ok(&Body { snapshot: viewer.detail(&snapshot) })
}
