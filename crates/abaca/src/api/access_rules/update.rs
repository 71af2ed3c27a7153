//! A tenant changes what a rule of a share lets its client do.

use abaca_model::{AccessLevel, AccessRule, AccessState, Share, Timestamp};
use abaca_store::access_rules::{self, Of};
use abaca_store::retry_conflicts;
use serde_json::Value;

use super::{load, sync, view};
use crate::api::resource_locks::restricted_rules;
use crate::api::shares::{not_soft_deleted, target};
use crate::api::{ApiError, Call, Reply};

/// `PUT /share-access-rules/{id}`
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    let level = level(&call)?;
    let mut tx = call.app.db.read().await?;
    let (rule, share) = load::rule(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share_access_rule:update", &target(&share)).await?;
    let restricted = restricted_rules(&call, rule.resource_id).await?.contains(&rule.id);
    if rule.access_level == level {
        let mut tx = call.app.db.read().await?;
        return Reply::ok(&view::one(&call, &mut tx, &rule, restricted).await?);
    }
    let now = Timestamp::now();
    let change = Change { level, restricted, now };
    let shown = retry_conflicts(|| begin(&call, &share, &rule, change)).await?;
    call.app.nudge();
    Reply::ok(&shown)
}

#[derive(Clone, Copy)]
struct Change {
    level: AccessLevel,
    /// The caller may not see whom the rule lets in.
    restricted: bool,
    now: Timestamp,
}

fn level(call: &Call) -> Result<AccessLevel, ApiError> {
    let given = call.body("update_access")?.text("access_level")?;
    let text = given.filter(|text| !text.is_empty()).ok_or_else(|| {
        ApiError::bad_request("Invalid input. Missing 'access_level' in update request.")
    })?;
    text.parse().map_err(|_| {
        ApiError::bad_request(format!("Invalid or unsupported share access level: {text}."))
    })
}

async fn begin(
    call: &Call,
    share: &Share,
    rule: &AccessRule,
    Change { level, restricted, now }: Change,
) -> Result<Value, ApiError> {
    let mut tx = call.app.db.write().await?;
    let (share, instances) = load::locked(&mut tx, share).await?;
    not_soft_deleted(&share, "Cannot update access for")?;
    let found = access_rules::get(&mut tx, Of::Shares, rule.id).await?;
    let found = found.ok_or_else(|| load::not_found(&rule.id.to_string()))?;
    if !load::can_change(&instances, true) {
        return Err(ApiError::bad_request(
            "Access rules cannot be updated while the share, any of its replicas or migration \
             copies lacks a valid host or is in an invalid state.",
        ));
    }
    // What is being taken away must not come back.
    if matches!(found.state, AccessState::QueuedToDeny | AccessState::Denying) {
        let message = format!("Share access rule {} is being denied.", rule.id);
        return Err(ApiError::bad_request(message));
    }
    access_rules::set_level(&mut tx, rule.id, level, now).await?;
    access_rules::set_state(&mut tx, Of::Shares, rule.id, AccessState::QueuedToUpdate).await?;
    sync::share_instances(call, &mut tx, &instances, now).await?;
    let changed = access_rules::get(&mut tx, Of::Shares, rule.id).await?;
    let changed = changed.ok_or_else(|| load::not_found(&rule.id.to_string()))?;
    let shown = view::one(call, &mut tx, &changed, restricted).await?;
    tx.commit().await?;
    Ok(shown)
}
