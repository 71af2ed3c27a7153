//! A user locks a share or an access rule.

use abaca_model::{
    AccessState, LockAction, LockedResource, ResourceLock, ResourceLockId, Share, ShareId,
    ShareInstance, ShareStatus, Timestamp,
};
use abaca_store::access_rules::{self, Of};
use abaca_store::{Tx, resource_locks, retry_conflicts, share_instances, shares as share_rows};

use super::{body, load, view};
use crate::api::share_instances::spokesman;
use crate::api::{ApiError, Call, Reply, access_rules as rules, shares};
use crate::telemetry::logs;

/// `POST /resource-locks`
pub(crate) async fn create(call: Call) -> Result<Reply, ApiError> {
    let wanted = body::wanted(&call)?;
    let mut tx = call.app.db.read().await?;
    let id = wanted.resource.uuid().to_string();
    let share = match wanted.resource {
        LockedResource::Share(_) => shares::find(&call, &mut tx, &id).await?,
        LockedResource::AccessRule(_) => {
            rules::of_visible_share(&call, &mut tx, &id).await?.map(|(_, share)| share)
        }
    };
    drop(tx);
    let share = share.ok_or_else(no_resource)?;
    call.authorise("resource_lock:create", &shares::target(&share)).await?;
    let lock = ResourceLock {
        id: ResourceLockId::random(),
        project_id: call.project()?.to_owned(),
        user_id: call.caller.user_id.clone(),
        context: load::context(&call),
        resource: wanted.resource,
        action: wanted.action,
        reason: wanted.reason.map(str::to_owned),
        cause: None,
        created_at: Timestamp::now(),
        updated_at: None,
    };
    logs::resource("resource_lock_id", &lock.id.to_string());
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        hold(&mut tx, share.id).await?.check(&mut tx, &lock).await?;
        resource_locks::insert(&mut tx, &lock).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    Reply::ok(&view::one(&call, &lock))
}

fn no_resource() -> ApiError {
    ApiError::bad_request("No such resource found.")
}

/// A share that is held for the rest of the transaction, so that nothing a lock forbids can begin.
pub(super) struct Held {
    share: Share,
    instances: Vec<ShareInstance>,
}

/// Takes hold of the share.
pub(super) async fn hold(tx: &mut Tx, id: ShareId) -> Result<Held, ApiError> {
    let share = share_rows::get_locked(tx, id).await?.ok_or_else(no_resource)?;
    let instances = share_instances::of_share_locked(tx, id).await?;
    Ok(Held { share, instances })
}

impl Held {
    /// Whether a lock makes sense, as it would be.
    pub(super) async fn check(&self, tx: &mut Tx, lock: &ResourceLock) -> Result<(), ApiError> {
        if lock.action == LockAction::Show {
            let others = resource_locks::of_resource(tx, lock.resource, LockAction::Show).await?;
            if others.iter().any(|other| other.id != lock.id) {
                return Err(ApiError::conflict(
                    "Resource's visibility is already locked by other user.",
                ));
            }
        }
        match lock.resource {
            LockedResource::Share(_) => check_share(&self.share, &self.instances),
            LockedResource::AccessRule(id) => {
                let rule = access_rules::get(tx, Of::Shares, id).await?.ok_or_else(no_resource)?;
                let is_going = matches!(
                    rule.state,
                    AccessState::QueuedToDeny | AccessState::Denying | AccessState::Error
                );
                let is_late = lock.action == LockAction::Delete && is_going;
                if is_late { Err(unsuitable()) } else { Ok(()) }
            }
        }
    }
}

/// Where the lock comes with something else, the reference answers 400, not 409.
pub(super) fn as_bad_request(error: ApiError) -> ApiError {
    match error {
        ApiError::Conflict(message) => ApiError::BadRequest(message),
        other => other,
    }
}

/// Whether the share can be locked against being deleted.
pub(super) fn check_share(share: &Share, instances: &[ShareInstance]) -> Result<(), ApiError> {
    let status = spokesman(instances).ok_or_else(no_resource)?.status;
    let is_going = status.is_being_deleted()
        || matches!(
            status,
            ShareStatus::ErrorDeleting
                | ShareStatus::UnmanageStarting
                | ShareStatus::UnmanageError
                | ShareStatus::Unmanaged
        );
    if is_going {
        return Err(unsuitable());
    }
    if share.is_soft_deleted() {
        return Err(ApiError::conflict(
            "Invalid input received: Resource cannot be locked since it has been soft deleted.",
        ));
    }
    Ok(())
}

fn unsuitable() -> ApiError {
    ApiError::conflict("Invalid input received: Resource status not suitable for locking")
}
