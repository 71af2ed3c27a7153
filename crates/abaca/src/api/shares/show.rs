//! One share.

use abaca_model::ShareId;
use abaca_store::{Tx, shares};

use super::load;
use super::view::{ShareWriter, Viewer};
use crate::api::{ApiError, Call, Reply};

/// `GET /shares/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    reply(&call, &mut tx, share.id).await
}

/// 200 with the share as it is now: what reading, creating and changing it answer alike.
///
/// # Errors
/// 404 when it is gone.
pub(super) async fn reply(call: &Call, tx: &mut Tx, id: ShareId) -> Result<Reply, ApiError> {
    let viewer = Viewer::new(call);
    let with_exports = viewer.shows_exports();
    let start = (ShareWriter::new(viewer, b"{\"share\":".to_vec()), Ok(()));
    let (writer, written) = shares::show(tx, id, with_exports, start, |(writer, written), row| {
        if let Err(error) = writer.row(row) {
            *written = Err(error);
        }
        Ok(())
    })
    .await?;
    written.map_err(ApiError::internal)?;
    let body = writer.finish().map_err(ApiError::internal)?;
    let mut body = body.ok_or_else(ApiError::no_route)?;
    body.push(b'}');
    Ok(Reply::ready_json(body))
}
