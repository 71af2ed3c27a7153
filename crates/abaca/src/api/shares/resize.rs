//! A tenant grows or shrinks a share.

use abaca_model::{OperationKind, Share, ShareInstance, ShareStatus, ShareType, Timestamp};
use abaca_store::share_types::{self, Visible};
use abaca_store::{Tx, retry_conflicts, share_instances, shares};

use super::limits::{self, LARGEST};
use super::load::{self, target};
use crate::api::operation::{self, Work};
use crate::api::quotas::{Payer, Quota};
use crate::api::share_instances::spokesman;
use crate::api::{ApiError, Call, Reply, V, share_replicas};
use crate::engine::arguments::ResizeShare;

/// `POST /shares/{id}/action` with `extend`, before 2.7 `os-extend`.
pub(crate) async fn extend(call: Call) -> Result<Reply, ApiError> {
    let size = new_size(&call)?;
    let force = call.since(V(2, 64)) && call.action_body()?.boolean("force")?.unwrap_or(false);
    let (share, share_type) = load(&call).await?;
    let target = target(&share);
    let rule = if force { "share:force_extend" } else { "share:extend" };
    call.authorise(rule, &target).await?;
    let beyond = call.allows("share:extend_beyond_max_share_size_spec", Some(&target)).await;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let quota = Quota::lock(&call, &mut tx, Payer::of_share(&share)).await?;
        let (share, instance) = locked(&mut tx, &share).await?;
        load::not_soft_deleted(&share, "Can't extend")?;
        check_extend(&share, &instance, size)?;
        quota.one_share(size)?;
        limits::for_extend(&share_type, size, beyond)?;
        check_quota(&quota, &mut tx, &share, size).await?;
        let instances = share_instances::of_share(&mut tx, share.id).await?;
        let replicas = instances.iter().filter(|other| other.replica_state.is_some()).count();
        if let Ok(count @ 1..) = i64::try_from(replicas) {
            let growth = count * (size - share.size);
            share_replicas::check_quota(&quota, &mut tx, 0, growth).await?;
        }
        shares::request_size(&mut tx, share.id, size).await?;
        begin(&call, &mut tx, &instance, Resize::Extend { force }, size, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `POST /shares/{id}/action` with `shrink`, before 2.7 `os-shrink`.
pub(crate) async fn shrink(call: Call) -> Result<Reply, ApiError> {
    let size = new_size(&call)?;
    let (share, share_type) = load(&call).await?;
    call.authorise("share:shrink", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let (share, instance) = locked(&mut tx, &share).await?;
        load::not_soft_deleted(&share, "Can't shrink")?;
        check_shrink(&share, &instance, size)?;
        limits::for_shrink(&share_type, size)?;
        begin(&call, &mut tx, &instance, Resize::Shrink, size, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

fn new_size(call: &Call) -> Result<i64, ApiError> {
    let size = call.action_body()?.integer("new_size")?;
    size.filter(|size| (0..=LARGEST).contains(size)).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value for new_size. Expecting an integer from 0 to {LARGEST}."
        ))
    })
}

/// The share and its type as it is now.
async fn load(call: &Call) -> Result<(Share, ShareType), ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = load::visible(call, &mut tx).await?;
    let share_type = share_types::by_id(&mut tx, Visible::All, share.share_type_id).await?;
    let lost = || ApiError::internal(format!("share {} has no type", share.id));
    let share_type = share_type.ok_or_else(lost)?;
    Ok((share, share_type))
}

/// The share and the instance that speaks for it; nobody else can change them until this
/// transaction ends.
async fn locked(tx: &mut Tx, share: &Share) -> Result<(Share, ShareInstance), ApiError> {
    let share = shares::get_locked(tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let instances = share_instances::of_share_locked(tx, share.id).await?;
    let instance = spokesman(&instances).ok_or_else(ApiError::no_route)?.clone();
    Ok((share, instance))
}

fn check_extend(share: &Share, instance: &ShareInstance, size: i64) -> Result<(), ApiError> {
    if instance.status != ShareStatus::Available || instance.host.is_none() {
        return Err(ApiError::bad_request(format!(
            "Invalid share: Share {} status must be 'available' to extend, but current status \
             is: {}.",
            share.id, instance.status
        )));
    }
    load::not_busy(share)?;
    if size <= share.size {
        return Err(ApiError::bad_request(format!(
            "Invalid input received: New size for extend must be greater than current size. \
             (current: {}, extended: {size}).",
            share.size
        )));
    }
    Ok(())
}

fn check_shrink(share: &Share, instance: &ShareInstance, size: i64) -> Result<(), ApiError> {
    let can_shrink = matches!(
        instance.status,
        ShareStatus::Available | ShareStatus::ShrinkingPossibleDataLossError
    );
    if !can_shrink || instance.host.is_none() {
        return Err(ApiError::bad_request(format!(
            "Invalid share: Share {} status must in (available, \
             shrinking_possible_data_loss_error) to shrink, but current status is: {}.",
            share.id, instance.status
        )));
    }
    load::not_busy(share)?;
    if size >= share.size || size == 0 {
        return Err(ApiError::bad_request(format!(
            "Invalid input received: New size for shrink must be less than current size and \
             greater than 0 (current: {}, new: {size}).",
            share.size
        )));
    }
    Ok(())
}

/// # Errors
/// 403 when the share may not grow by so much.
pub(super) async fn check_quota(
    quota: &Quota<'_>,
    tx: &mut Tx,
    share: &Share,
    size: i64,
) -> Result<(), ApiError> {
    let grows = quota.shares(tx, 0, size - share.size).await?;
    grows.map_err(|_| ApiError::Forbidden(limits::NO_SPACE_LEFT.to_owned()))
}

#[derive(Clone, Copy)]
enum Resize {
    Extend { force: bool },
    Shrink,
}

/// Takes the instance over for its operation, which knows the size asked for.
async fn begin(
    call: &Call,
    tx: &mut Tx,
    instance: &ShareInstance,
    resize: Resize,
    new_size: i64,
    now: Timestamp,
) -> Result<(), ApiError> {
    let (status, kind, force) = match resize {
        Resize::Extend { force } => (ShareStatus::Extending, OperationKind::ExtendShare, force),
        Resize::Shrink => (ShareStatus::Shrinking, OperationKind::ShrinkShare, false),
    };
    let work = Work {
        kind,
        resource_id: instance.id.uuid(),
        fence: share_instances::take_over(tx, instance, status, now).await?,
        host: instance.host.as_deref(),
    };
    Ok(operation::enqueue(tx, call, &work, &ResizeShare { new_size, force }).await?)
}
