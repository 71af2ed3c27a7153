//! A tenant lets a client mount a share.

use std::collections::BTreeMap;

use abaca_model::{
    AccessLevel, AccessRule, AccessRuleId, AccessRulesStatus, AccessState, Share, Timestamp,
    same_access_to,
};
use abaca_store::access_rules::{self, Of};
use abaca_store::{Tx, retry_conflicts};

use super::client::{self, Client};
use super::{load, sync, view};
use crate::api::resource_locks::{NewLocks, ask_to_lock, lock_rule};
use crate::api::shares::{not_soft_deleted, target, visible};
use crate::api::{ApiError, Call, Fields, Reply, V, metadata};
use crate::telemetry::logs;

/// `POST /shares/{id}/action` with `allow_access`, before 2.7 `os-allow_access`.
pub(crate) async fn allow(call: Call) -> Result<Reply, ApiError> {
    let fields = call.action_body()?;
    let mut tx = call.app.db.read().await?;
    let share = visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:allow_access", &target(&share)).await?;
    let locks = match call.since(V(2, 82)) {
        true => ask_to_lock(&fields)?,
        false => NewLocks::default(),
    };
    if locks.any() {
        call.authorise("resource_lock:create", &target(&share)).await?;
    }
    let rule = wanted(&call, &fields, &share)?;
    logs::resource("access_rule_id", &rule.id.to_string());
    let shown = retry_conflicts(|| add(&call, &share, &rule, &locks)).await?;
    call.app.nudge();
    Reply::ok(&shown)
}

/// The rule asked for. Its id and time are made once, however often the transaction runs.
fn wanted(call: &Call, fields: &Fields<'_>, share: &Share) -> Result<AccessRule, ApiError> {
    let Client { access_type, access_to } = client::read(call, fields, call.since(V(2, 13)))?;
    let metadata = if call.since(V(2, 45)) { metadata::read(fields)? } else { BTreeMap::new() };
    Ok(AccessRule {
        id: AccessRuleId::random(),
        resource_id: share.id.uuid(),
        access_type,
        access_to,
        access_level: level(fields)?,
        access_key: None,
        state: AccessState::QueuedToApply,
        metadata,
        created_at: Timestamp::now(),
        updated_at: None,
    })
}

fn level(fields: &Fields<'_>) -> Result<AccessLevel, ApiError> {
    let Some(text) = fields.text("access_level")? else { return Ok(AccessLevel::ReadWrite) };
    text.parse().map_err(|_| {
        ApiError::bad_request(format!(
            "Invalid access rule: Invalid share access level: {text}. Expecting one of rw, ro."
        ))
    })
}

async fn add(
    call: &Call,
    share: &Share,
    rule: &AccessRule,
    locks: &NewLocks<'_>,
) -> Result<serde_json::Value, ApiError> {
    let mut tx = call.app.db.write().await?;
    let (share, instances) = load::locked(&mut tx, share).await?;
    not_soft_deleted(&share, "Cannot allow access for")?;
    let in_error =
        instances.iter().any(|instance| instance.access_rules_status == AccessRulesStatus::Error);
    if in_error && !call.since(V(2, 28)) {
        return Err(ApiError::bad_request(
            "Access rules cannot be added while the share or any of its replicas or migration \
             copies has its access_rules_status set to error. Deny any rules in error state and \
             try again.",
        ));
    }
    if exists(&mut tx, Of::Shares, rule).await? {
        return Err(ApiError::bad_request(format!(
            "Share access {}:{} exists.",
            rule.access_type, rule.access_to
        )));
    }
    if !load::can_change(&instances, call.since(V(2, 74))) {
        return Err(ApiError::bad_request(
            "New access rules cannot be applied while the share or any of its replicas or \
             migration copies lacks a valid host or is in an invalid state.",
        ));
    }
    let places: Vec<_> = instances.iter().map(|instance| instance.id.uuid()).collect();
    access_rules::insert(&mut tx, Of::Shares, rule, &places).await?;
    sync::share_instances(call, &mut tx, &instances, rule.created_at).await?;
    lock_rule(call, &mut tx, (&share, &instances), rule, locks).await?;
    // Whoever asks for it knows whom it lets in.
    let shown = view::one(call, &mut tx, rule, false).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Whether a rule for this client is there, in whatever spelling and state.
///
/// # Errors
/// What the database says.
pub(super) async fn exists(tx: &mut Tx, of: Of, rule: &AccessRule) -> Result<bool, ApiError> {
    let access_type = rule.access_type;
    let present = access_rules::clients(tx, of, rule.resource_id, access_type).await?;
    Ok(present.iter().any(|other| same_access_to(access_type, other, &rule.access_to)))
}
