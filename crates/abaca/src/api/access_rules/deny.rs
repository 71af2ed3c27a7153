//! A tenant no longer lets a client mount a share.

use std::collections::BTreeSet;

use abaca_model::{AccessRule, AccessState, ResourceLockId, Share, Timestamp};
use abaca_store::access_rules::{self, Of};
use abaca_store::retry_conflicts;

use super::{load, sync};
use crate::api::resource_locks::{refuse_locked_rule, removable_locks};
use crate::api::shares::{not_soft_deleted, target, visible};
use crate::api::{ApiError, Call, Reply, V};

/// `POST /shares/{id}/action` with `deny_access`, before 2.7 `os-deny_access`. `unrestrict` asks to
/// remove the rule's locks with it.
pub(crate) async fn deny(call: Call) -> Result<Reply, ApiError> {
    let fields = call.action_body()?;
    let id = fields.text("access_id")?;
    let id = id.ok_or_else(|| ApiError::bad_request("Required parameter access_id not found."))?;
    let mut tx = call.app.db.read().await?;
    let share = visible(&call, &mut tx).await?;
    drop(tx);
    let target = target(&share);
    call.authorise("share:deny_access", &target).await?;
    call.authorise("share:access_get", &target).await?;
    let mut tx = call.app.db.read().await?;
    let found = load::of_visible_share(&call, &mut tx, id).await?;
    drop(tx);
    let rule = found.filter(|(_, of)| of.id == share.id).map(|(rule, _)| rule);
    let rule = rule.ok_or_else(|| ApiError::not_found("Resource could not be found."))?;
    let removable = match fields.boolean("unrestrict")?.unwrap_or(false) {
        true => Some(removable_locks(&call, rule.id).await?),
        false => None,
    };
    let now = Timestamp::now();
    retry_conflicts(|| begin(&call, &share, &rule, removable.as_ref(), now)).await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

async fn begin(
    call: &Call,
    share: &Share,
    rule: &AccessRule,
    removable: Option<&BTreeSet<ResourceLockId>>,
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut tx = call.app.db.write().await?;
    let (share, instances) = load::locked(&mut tx, share).await?;
    refuse_locked_rule(&mut tx, rule, removable).await?;
    not_soft_deleted(&share, "Cannot deny access for")?;
    if !load::can_change(&instances, call.since(V(2, 74))) {
        return Err(ApiError::bad_request(
            "Access rules cannot be denied while the share, any of its replicas or migration \
             copies lacks a valid host or is in an invalid state.",
        ));
    }
    access_rules::set_state(&mut tx, Of::Shares, rule.id, AccessState::QueuedToDeny).await?;
    sync::share_instances(call, &mut tx, &instances, now).await?;
    Ok(tx.commit().await?)
}
