//! What a request about a project's quota asks for.

use abaca_model::ShareTypeId;
use abaca_model::quota::{Limit, Limits, Resource, Usage};
use abaca_store::Tx;
use abaca_store::quota::Subject;
use abaca_store::share_types::{self, Visible};
use serde_json::{Value, json};

use super::{of_project, view};
use crate::api::{ApiError, Call, V};
use crate::app::Target;

const SHARE_TYPES: V = V(2, 39);
/// As long as an id may be that an identity service gives.
const LONGEST_ID: usize = 255;

/// Whose quota a request is about.
pub(super) struct Asked {
    pub(super) project_id: String,
    user_id: Option<String>,
    share_type_id: Option<ShareTypeId>,
}

impl Asked {
    /// Held against the policy: the project must be one that the caller may ask for by `rule`.
    ///
    /// # Errors
    /// 400 for what can't be asked for, 403 for another's quota, 404 for a share type that the caller
    /// can't see.
    pub(super) async fn read(call: &Call, tx: &mut Tx, rule: &str) -> Result<Self, ApiError> {
        let project_id = name("project id", call.path("project_id"))?;
        let target = Target::from_iter([("project_id".to_owned(), json!(project_id))]);
        call.authorise(rule, &target).await?;
        let given = |key| call.query.get(key).filter(|value| !value.is_empty());
        let (user_id, share_type) = (given("user_id"), given("share_type"));
        if share_type.is_some() && !call.since(SHARE_TYPES) {
            return Err(ApiError::bad_request(format!(
                "'share_type' is not supported by this microversion. Use {SHARE_TYPES} or later \
                 for quotas of share types."
            )));
        }
        if user_id.is_some() && share_type.is_some() {
            let message = "'user_id' and 'share_type' values are mutually exclusive";
            return Err(ApiError::bad_request(message));
        }
        let user_id = user_id.map(|id| name("user id", id)).transpose()?;
        let share_type_id = match share_type {
            Some(name_or_id) => Some(share_type_id(call, tx, name_or_id).await?),
            None => None,
        };
        Ok(Self { project_id, user_id, share_type_id })
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        match (&self.user_id, self.share_type_id) {
            (Some(id), _) => Subject::User(id),
            (None, Some(id)) => Subject::ShareType(id),
            (None, None) => Subject::Project,
        }
    }

    /// The limits of the project and of the one asked for.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn limits(&self, call: &Call, tx: &mut Tx) -> Result<Limits, ApiError> {
        of_project(call, tx, &self.project_id, &[Subject::Project, self.subject()]).await
    }

    /// The body of an answer; with `usage` the detailed one.
    pub(super) fn body(
        &self,
        call: &Call,
        id: Option<&str>,
        limits: &Limits,
        usage: Option<&Usage>,
    ) -> Value {
        let subject = self.subject();
        let shown =
            |resource| !matches!(subject, Subject::ShareType(_)) || view::has_share_type(resource);
        let value = |resource: Resource| {
            let limit: Limit = limits.of(subject.scope(), resource);
            let Some(usage) = usage else { return json!(limit) };
            let used = usage.get(&resource).copied().unwrap_or_default();
            json!({ "limit": limit, "in_use": used.in_use, "reserved": used.reserved })
        };
        view::set("quota_set", call.version, id, shown, value)
    }
}

/// # Errors
/// 400 for a name that no table has room for.
pub(super) fn name(what: &str, text: &str) -> Result<String, ApiError> {
    if text.chars().count() > LONGEST_ID {
        let message = format!("A {what} has at most {LONGEST_ID} characters.");
        return Err(ApiError::bad_request(message));
    }
    Ok(text.to_owned())
}

/// # Errors
/// 400 for a value that is no limit.
pub(super) fn limit(resource: Resource, value: &Value) -> Result<Limit, ApiError> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| (-1..=Limit::MAX).contains(number));
    number.and_then(|number| Limit::try_from(number).ok()).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Quota for {resource} should be an integer from -1 (no limit) to {}.",
            Limit::MAX
        ))
    })
}

async fn share_type_id(
    call: &Call,
    tx: &mut Tx,
    name_or_id: &str,
) -> Result<ShareTypeId, ApiError> {
    let visible = match &call.caller.project_id {
        Some(project_id) if !call.caller.is_admin => Visible::To(project_id),
        _ => Visible::All,
    };
    let found = share_types::by_name_or_id(tx, visible, name_or_id).await?;
    found.map(|found| found.id).ok_or_else(|| no_share_type(name_or_id))
}

fn no_share_type(name_or_id: &str) -> ApiError {
    ApiError::not_found(format!("Share type with name or id '{name_or_id}' not found."))
}
