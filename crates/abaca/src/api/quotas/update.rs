//! `PUT /quota-sets/{project_id}`

use std::collections::BTreeMap;

use abaca_model::quota::{Limit, NewLimit, Resource, Scope};
use abaca_store::quota::{self, Subject};
use abaca_store::{Tx, retry_conflicts};
use serde_json::{Map, Value};

use super::read::{self, Asked};
use super::view;
use crate::api::{ApiError, Call, Fields, Reply};

/// What may stand in the body beside limits.
const OTHER_KEYS: [&str; 4] = ["tenant_id", "id", "force", "share_type"];

/// `PUT /quota-sets/{project_id}`: all of the limits given are set, or none.
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let asked = Asked::read(&call, &mut tx, "quota_set:update").await?;
    drop(tx);
    let nothing = || ApiError::bad_request("Must supply at least one quota field to update.");
    let fields = call.wrapped("quota_set").ok_or_else(nothing)?;
    let wanted = wanted(&call, fields, asked.subject())?;
    if wanted.is_empty() {
        return Err(nothing());
    }
    let force = Fields(fields).boolean("force")?.unwrap_or(false);
    let body = retry_conflicts(|| set(&call, &asked, &wanted, force)).await?;
    Reply::ok(&body)
}

/// The limits in the body.
fn wanted(
    call: &Call,
    fields: &Map<String, Value>,
    subject: Subject<'_>,
) -> Result<BTreeMap<Resource, Limit>, ApiError> {
    let mut wanted = BTreeMap::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (key, value) in fields.iter().filter(|(key, _)| !OTHER_KEYS.contains(&key.as_str())) {
        let Ok(resource) = key.parse::<Resource>() else {
            unknown.push(key);
            continue;
        };
        if value.is_null() {
            continue;
        }
        let since = view::since(resource);
        if !call.since(since) {
            return Err(ApiError::bad_request(format!(
                "'{key}' key is not supported by this microversion. Use {since} or greater \
                 microversion to be able to use '{key}' quotas."
            )));
        }
        if matches!(subject, Subject::ShareType(_)) && !view::has_share_type(resource) {
            return Err(ApiError::bad_request(format!(
                "'{key}' quota cannot be set for share type. It can be set only for project or \
                 user."
            )));
        }
        wanted.insert(resource, read::limit(resource, value)?);
    }
    if unknown.is_empty() {
        return Ok(wanted);
    }
    Err(ApiError::bad_request(format!("Bad key(s) {} in quota_set.", unknown.join(","))))
}

/// One transaction, behind the project's lock: nothing takes quota between the check and the change.
async fn set(
    call: &Call,
    asked: &Asked,
    wanted: &BTreeMap<Resource, Limit>,
    force: bool,
) -> Result<Value, ApiError> {
    let mut tx = call.app.db.write().await?;
    quota::lock_project(&mut tx, &asked.project_id).await?;
    if !force {
        check(call, &mut tx, asked, wanted).await?;
    }
    let set = quota::set(&mut tx, &asked.project_id, asked.subject(), wanted).await;
    set.map_err(|error| match error {
        abaca_store::Error::ForeignKey(_) => ApiError::not_found("The share type was deleted."),
        other => other.into(),
    })?;
    let limits = asked.limits(call, &mut tx).await?;
    tx.commit().await?;
    Ok(asked.body(call, None, &limits, None))
}

async fn check(
    call: &Call,
    tx: &mut Tx,
    asked: &Asked,
    wanted: &BTreeMap<Resource, Limit>,
) -> Result<(), ApiError> {
    let limits = asked.limits(call, tx).await?;
    let usage = quota::of_all(tx, &asked.project_id, asked.subject()).await?;
    let of_users = quota::limits_of_users(tx, &asked.project_id).await?;
    for (resource, limit) in wanted {
        let new = NewLimit {
            resource: *resource,
            scope: asked.subject().scope(),
            limit: *limit,
            used: usage.get(resource).copied().unwrap_or_default(),
            of_users: of_users.get(resource).copied().unwrap_or_default(),
            of_project: limits.of(Scope::Project, *resource),
        };
        new.check().map_err(|refused| ApiError::bad_request(refused.to_string()))?;
    }
    Ok(())
}
