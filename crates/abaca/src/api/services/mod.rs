//! `/services` (`/os-services` before 2.7): which processes are there, and which may be scheduled to.

pub(super) mod contract;
mod ensure;

use abaca_model::{Service, Timestamp};
use abaca_store::{availability_zones, retry_conflicts, services};
use serde_json::{Map, Value, json};

use super::{ApiError, Call, Fields, Reply, V, strict_bool};

pub(super) use ensure::ensure_shares;

const REASON: V = V(2, 83);
const ENSURING: V = V(2, 86);
const ENSURING_FILTER: V = V(2, 93);

/// Lists services. A filter's value that no service can have finds none, as in the reference.
pub(super) async fn list(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let zone = match call.query.get("zone").filter(|name| !name.is_empty()) {
        None => None,
        Some(name_or_id) => match availability_zones::by_name_or_id(&mut tx, name_or_id).await? {
            Some(zone) => Some(zone.name),
            None => return Reply::ok(&json!({ "services": [] })),
        },
    };
    let ensuring = ensure::ensuring(&mut tx).await?;
    let is_ensuring = |service: &Service| {
        service.binary == services::SHARE_BINARY && ensuring.contains(&service.host)
    };
    let now = Timestamp::now();
    let is_up =
        |service: &Service| now.since(service.heartbeat_at) <= call.app.settings.service_down_after;
    let wanted = |service: &Service| {
        let is = |key: &str, value: &str| call.query.get(key).is_none_or(|wanted| wanted == value);
        let status = call.query.get("status").filter(|status| !status.is_empty());
        zone.as_ref().is_none_or(|zone| *zone == service.availability_zone)
            && is("host", &service.host)
            && is("binary", &service.binary)
            && is("state", state(is_up(service)))
            && status.is_none_or(|wanted| wanted == self::status(service.disabled))
            && ensuring_matches(&call, is_ensuring(service))
    };
    let listed: Vec<Value> = services::list(&mut tx)
        .await?
        .iter()
        .filter(|service| wanted(service))
        .map(|service| view(&call, service, is_up(service), is_ensuring(service)))
        .collect();
    Reply::ok(&json!({ "services": listed }))
}

fn ensuring_matches(call: &Call, ensuring: bool) -> bool {
    let wanted = call.query.get("ensuring").filter(|_| call.since(ENSURING_FILTER));
    wanted.is_none_or(|text| strict_bool(text) == Some(ensuring))
}

/// Lets the scheduler use a service again.
pub(super) async fn enable(call: Call) -> Result<Reply, ApiError> {
    update(&call, false, None).await
}

/// Takes a service out of scheduling; what it has stays served.
pub(super) async fn disable(call: Call) -> Result<Reply, ApiError> {
    let reason = match &call.json() {
        Some(Value::Object(body)) => reason(&call, Fields(body))?,
        _ => None,
    };
    update(&call, true, reason).await
}

fn reason(call: &Call, body: Fields<'_>) -> Result<Option<String>, ApiError> {
    let Some(reason) = body.text("disabled_reason")?.filter(|reason| !reason.is_empty()) else {
        return Ok(None);
    };
    if !call.since(REASON) {
        return Err(ApiError::bad_request(
            "'disabled_reason' can be given from microversion 2.83 on.",
        ));
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 255 {
        return Err(ApiError::bad_request(
            "disabled_reason must have 1 to 255 characters other than spaces around it.",
        ));
    }
    Ok(Some(reason.to_owned()))
}

async fn update(call: &Call, disabled: bool, reason: Option<String>) -> Result<Reply, ApiError> {
    let body =
        call.json().and_then(Value::as_object).map(Fields).ok_or_else(ApiError::malformed)?;
    let host = body.text("host")?.ok_or_else(ApiError::malformed)?;
    let binary = body.text("binary")?.ok_or_else(ApiError::malformed)?;
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let service = services::find(&mut tx, host, binary).await?.ok_or_else(|| {
            ApiError::not_found(format!("Could not find binary {binary} on host {host}."))
        })?;
        // Requests from before there were reasons leave the reason alone, as does a second
        // "disable" that gives none.
        let keep = disabled && reason.is_none() || !call.since(REASON);
        let reason = if keep { service.disabled_reason.as_deref() } else { reason.as_deref() };
        services::set_disabled(&mut tx, service.id, disabled, reason).await?;
        tx.commit().await?;
        Ok::<_, ApiError>(())
    })
    .await?;
    let mut answer = Map::from_iter(
        [("host", host), ("binary", binary), ("status", status(disabled))]
            .map(|(key, value)| (key.to_owned(), json!(value))),
    );
    if call.since(REASON) {
        answer.insert("disabled_reason".to_owned(), json!(reason));
    }
    if call.since(ENSURING) {
        answer.insert("ensuring".to_owned(), Value::Null);
    }
    Reply::ok(&answer)
}

fn status(disabled: bool) -> &'static str {
    if disabled { "disabled" } else { "enabled" }
}

fn state(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn view(call: &Call, service: &Service, up: bool, ensuring: bool) -> Value {
    let mut view = json!({
        "id": service.id,
        "binary": service.binary,
        "host": service.host,
        "zone": service.availability_zone,
        "status": status(service.disabled),
        "state": state(up),
        "updated_at": service.heartbeat_at,
    });
    if call.since(REASON) {
        view["disabled_reason"] = json!(service.disabled_reason);
    }
    if call.since(ENSURING) {
        view["ensuring"] = json!(ensuring);
    }
    view
}
