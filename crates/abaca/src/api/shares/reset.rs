//! An administrator sets the status of a share, or of its migration, by hand.

use abaca_model::{TaskState, Timestamp};
use abaca_store::{retry_conflicts, share_instances, shares};
use serde_json::Value;

use super::load::{self, target};
use crate::api::by_hand::{self, wanted_status};
use crate::api::share_instances::{SETTABLE, set_by_hand, spokesman};
use crate::api::{ApiError, Call, Reply};

/// `POST /shares/{id}/action` with `reset_status`, before 2.7 `os-reset_status`.
///
/// It is set where the share's status is read from: in the instance that speaks for the share. The
/// fence is raised with it, so that an operation in flight can't overwrite it.
pub(crate) async fn reset_status(call: Call) -> Result<Reply, ApiError> {
    let status = wanted_status(call.action_value(), &SETTABLE)?;
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:reset_status", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
        load::not_soft_deleted(&share, "The status can't be reset for")?;
        let instances = share_instances::of_share_locked(&mut tx, share.id).await?;
        let instance = spokesman(&instances).ok_or_else(ApiError::no_route)?;
        set_by_hand(&mut tx, &call, "reset_status", instance, status, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `POST /shares/{id}/action` with `reset_task_state`: where a migration of the share is said to
/// stand. Null: there is none.
pub(crate) async fn reset_task_state(call: Call) -> Result<Reply, ApiError> {
    let state = wanted_task_state(call.action_value())?;
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:reset_task_state", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let share = shares::get_locked(&mut tx, share.id).await?.ok_or_else(ApiError::no_route)?;
        load::not_soft_deleted(&share, "The task state can't be reset for")?;
        // `openstack share set` asks for null each time, whatever it is to set.
        if share.task_state != state {
            shares::set_task_state(&mut tx, share.id, state, now).await?;
            let shown = |state: Option<TaskState>| state.map_or("none", TaskState::as_str);
            let (resource, change) =
                (("share", share.id.uuid()), (shown(share.task_state), shown(state)));
            by_hand::record(&call, &mut tx, "reset_task_state", resource, change, now).await?;
        }
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    Ok(Reply::accepted())
}

fn wanted_task_state(value: &Value) -> Result<Option<TaskState>, ApiError> {
    let wanted = value.get("task_state");
    let wanted = wanted.ok_or_else(|| ApiError::bad_request("Must specify 'task_state'"))?;
    if wanted.is_null() {
        return Ok(None);
    }
    wanted.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| {
        let valid: Vec<_> = TaskState::ALL.iter().map(|state| state.as_str()).collect();
        ApiError::bad_request(format!("Invalid state. Valid states: {}, None.", valid.join(", ")))
    })
}
