//! The recycle bin: a tenant puts a share into it, and takes it out as long as its deletion has not
//! begun. [`crate::engine`] deletes what was in it for long enough.

use abaca_model::{Share, ShareInstance, ShareStatus, Timestamp, has_replicas};
use abaca_store::{Tx, retry_conflicts, share_instances, shares, snapshots};
use axum::http::StatusCode;

use super::delete::check_status;
use super::load::{self, target};
use crate::api::resource_locks::locked_against_deletion;
use crate::api::share_instances::{as_place, leave_out_left};
use crate::api::{ApiError, Call, Reply};

/// `POST /shares/{id}/action` with `soft_delete`
pub(crate) async fn soft_delete(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:soft_delete", &target(&share)).await?;
    let now = Timestamp::now();
    let end = now.after(call.app.settings.soft_deleted_share_retention);
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let (share, instances) = locked(&mut tx, &share).await?;
        check(&mut tx, &share, &instances).await?;
        shares::set_deletion(&mut tx, share.id, Some(end), now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    Ok(Reply::accepted())
}

/// `POST /shares/{id}/action` with `restore`
pub(crate) async fn restore(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let id = call.path("id");
    let share = load::find(&call, &mut tx, id).await?;
    let share =
        share.ok_or_else(|| ApiError::not_found(format!("No share exists with ID {id}.")))?;
    drop(tx);
    call.authorise("share:restore", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let (share, instances) = locked(&mut tx, &share).await?;
        if !share.is_soft_deleted() {
            return Ok(Reply::empty(StatusCode::OK));
        }
        if instances.iter().any(|instance| cannot_come_back(instance.status)) {
            return Err(ApiError::Forbidden(format!(
                "Share {} is being deleted or has suffered an error during deletion, cannot be \
                 restored.",
                share.id
            )));
        }
        shares::set_deletion(&mut tx, share.id, None, now).await?;
        tx.commit().await?;
        Ok(Reply::accepted())
    })
    .await
}

fn cannot_come_back(status: ShareStatus) -> bool {
    status.is_being_deleted() || status == ShareStatus::ErrorDeleting
}

/// The share and its instances, but for what a migration left behind; nobody else can change them
/// until this transaction ends.
async fn locked(tx: &mut Tx, share: &Share) -> Result<(Share, Vec<ShareInstance>), ApiError> {
    let share = shares::get_locked(tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let mut instances = share_instances::of_share_locked(tx, share.id).await?;
    leave_out_left(&mut instances);
    Ok((share, instances))
}

/// Only what could be deleted at once goes into the recycle bin.
async fn check(tx: &mut Tx, share: &Share, instances: &[ShareInstance]) -> Result<(), ApiError> {
    if share.is_soft_deleted() {
        let message = "Invalid share: The share has been soft deleted already.";
        return Err(ApiError::Forbidden(message.to_owned()));
    }
    if let Some(message) = locked_against_deletion(tx, share.id).await? {
        return Err(ApiError::Forbidden(message));
    }
    check_status(instances, false)?;
    let places: Vec<_> = instances.iter().map(as_place).collect();
    if has_replicas(&places) {
        let message = "has replicas. Remove the replicas before soft deleting the share.";
        return Err(ApiError::conflict(format!("Share {} {message}", share.id)));
    }
    let count = snapshots::count_kept_of_share(tx, share.id).await?;
    if count > 0 {
        let message = format!("Invalid share: Share still has {count} dependent snapshots.");
        return Err(ApiError::Forbidden(message));
    }
    load::busy(share).map_or(Ok(()), |message| Err(ApiError::Forbidden(message)))
}
