//! An administrator sets the status of a share by hand.

use abaca_model::Timestamp;
use abaca_store::{retry_conflicts, share_instances};

use super::load::{self, target};
use crate::api::share_instances::{set_by_hand, spokesman, wanted_status};
use crate::api::{ApiError, Call, Reply};

/// `POST /shares/{id}/action` with `reset_status`, before 2.7 `os-reset_status`.
///
/// It is set where the share's status is read from: in the instance that speaks for the share. The
/// fence is raised with it, so that an operation in flight can't overwrite it.
pub(crate) async fn reset_status(call: Call) -> Result<Reply, ApiError> {
    let status = wanted_status(call.action_value())?;
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:reset_status", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let instances = share_instances::of_share_locked(&mut tx, share.id).await?;
        let instance = spokesman(&instances).ok_or_else(ApiError::no_route)?;
        set_by_hand(&mut tx, &call, "reset_status", instance, status, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}
