//! Rules of shares in JSON, as each version of the API shows them.

use std::collections::{BTreeMap, BTreeSet};

use abaca_model::{
    AccessLevel, AccessRule, AccessRuleId, AccessRulesStatus, AccessType, ShareId, Timestamp,
    aggregate_access_rules_status,
};
use abaca_store::{Tx, share_instances};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::share_instances::as_place;
use crate::api::{ApiError, Call, V};

#[derive(Serialize)]
struct Shown<'a> {
    id: AccessRuleId,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    share_id: Option<Uuid>,
    access_level: AccessLevel,
    access_to: &'a str,
    access_type: AccessType,
    state: &'static str,
    /// Since 2.21.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<Option<&'a str>>,
    /// Since 2.33.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    /// Since 2.33.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Option<Timestamp>>,
    /// Since 2.45.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a BTreeMap<String, String>>,
}

/// Stands for what a lock hides.
const HIDDEN: &str = "******";

/// One rule. `restricted`: without whom it lets in.
///
/// # Errors
/// What the database says.
pub(super) async fn one(
    call: &Call,
    tx: &mut Tx,
    rule: &AccessRule,
    restricted: bool,
) -> Result<Value, ApiError> {
    let common = common_state(call, tx, rule.resource_id).await?;
    let shown = shown(call.version, rule, common, restricted);
    let shown = Shown { share_id: Some(rule.resource_id), ..shown };
    Ok(json!({ "access": shown }))
}

/// The rules of one share, those in `restricted` without whom they let in.
///
/// # Errors
/// What the database says.
pub(super) async fn all(
    call: &Call,
    tx: &mut Tx,
    rules: &[AccessRule],
    restricted: &BTreeSet<AccessRuleId>,
) -> Result<Value, ApiError> {
    let common = match rules.first() {
        Some(rule) => common_state(call, tx, rule.resource_id).await?,
        None => None,
    };
    let shown = |rule| shown(call.version, rule, common, restricted.contains(&rule.id));
    let shown: Vec<_> = rules.iter().map(shown).collect();
    Ok(json!({ "access_list": shown }))
}

fn shown<'a>(
    version: V,
    rule: &'a AccessRule,
    common_state: Option<&'static str>,
    restricted: bool,
) -> Shown<'a> {
    let since = |minor| version >= V(2, minor);
    let hidden = restricted.then_some(HIDDEN);
    Shown {
        id: rule.id,
        share_id: None,
        access_level: rule.access_level,
        access_to: hidden.unwrap_or(&rule.access_to),
        access_type: rule.access_type,
        state: common_state.unwrap_or(rule.state.as_str()),
        access_key: since(21).then_some(hidden.or(rule.access_key.as_deref())),
        created_at: since(33).then_some(rule.created_at),
        updated_at: since(33).then_some(rule.updated_at),
        metadata: since(45).then_some(&rule.metadata),
    }
}

/// Before 2.28 all rules of a share are shown in one state.
async fn common_state(
    call: &Call,
    tx: &mut Tx,
    share_id: Uuid,
) -> Result<Option<&'static str>, ApiError> {
    if call.since(V(2, 28)) {
        return Ok(None);
    }
    let instances = share_instances::of_share(tx, ShareId::from(share_id)).await?;
    let places: Vec<_> = instances.iter().map(as_place).collect();
    Ok(Some(match aggregate_access_rules_status(&places) {
        AccessRulesStatus::Syncing => "new",
        status => status.as_str(),
    }))
}
