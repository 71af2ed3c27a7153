//! What a handler gets: one authenticated request, on the route it belongs to.

use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::body::{Fields, malformed_body};
use super::{ApiError, Links, Page, Query, RequestId, V};
use crate::app::{App, Target};
use crate::identity::Caller;

/// One request.
pub struct Call {
    /// The running service.
    pub app: Arc<App>,
    /// Who is calling. `is_admin` is what the policy says (`context_is_admin`).
    pub caller: Caller,
    /// The version of the API the request speaks.
    pub version: V,
    /// Its id.
    pub request_id: RequestId,
    /// The query string.
    pub query: Query,
    /// Builds links for the answer.
    pub links: Links,
    /// The values of the path's `{placeholders}`.
    pub(super) path: Vec<(&'static str, String)>,
    /// The JSON body, if there is one.
    pub(super) json: Option<Value>,
    /// The action, if the route is one.
    pub(super) action: Option<&'static str>,
}

impl Call {
    /// The value of the placeholder `name` in the path; empty if the route has none.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The placeholder `{id}` as a typed id; `None` when it is no UUID, so that no resource has it.
    #[must_use]
    pub fn id<Id: FromStr>(&self) -> Option<Id> {
        self.path("id").parse().ok()
    }

    /// The whole body, `None` when there is none.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// The object under `key` in the body: `{"share": {...}}`.
    ///
    /// # Errors
    /// 400 when the body is no object or has no object under `key`.
    pub fn body(&self, key: &str) -> Result<Fields<'_>, ApiError> {
        self.wrapped(key).map(Fields).ok_or_else(ApiError::malformed)
    }

    /// The object under `key` in the body, if there is one.
    #[must_use]
    pub fn wrapped(&self, key: &str) -> Option<&Map<String, Value>> {
        self.json.as_ref()?.get(key)?.as_object()
    }

    /// The answer to a body without the object it is to be about: 422, and 400 to no body at all.
    #[must_use]
    pub fn unprocessable(&self) -> ApiError {
        let message = "Unable to process the contained instructions";
        match self.json {
            Some(_) => ApiError::Unprocessable(message.to_owned()),
            None => ApiError::malformed(),
        }
    }

    /// What an action's body has under its name: `{"extend": ...}`.
    #[must_use]
    pub fn action_value(&self) -> &Value {
        let value = self.action.and_then(|name| self.json.as_ref()?.get(name));
        value.unwrap_or(&Value::Null)
    }

    /// The object an action's body has under its name: `{"extend": {"new_size": 2}}`.
    ///
    /// # Errors
    /// 400 when it is none.
    pub fn action_body(&self) -> Result<Fields<'_>, ApiError> {
        self.action_value().as_object().map(Fields).ok_or_else(malformed_body)
    }

    /// `limit`, `marker` and `offset` of the query.
    ///
    /// # Errors
    /// 400 that names what is wrong.
    pub fn page(&self) -> Result<Page, ApiError> {
        Page::parse(&self.query, self.app.settings.max_limit)
    }

    /// Whether the version spoken is `version` or later.
    #[must_use]
    pub fn since(&self, version: V) -> bool {
        self.version >= version
    }

    /// The project the caller acts in.
    ///
    /// # Errors
    /// 403 for a token that is not scoped to a project.
    pub fn project(&self) -> Result<&str, ApiError> {
        let project = self.caller.project_id.as_deref();
        project.ok_or_else(|| ApiError::Forbidden("A token of a project is needed.".to_owned()))
    }

    /// Whether the policy lets the caller act by `rule` on `target`; without one, on the caller's
    /// own project.
    pub async fn allows(&self, rule: &str, target: Option<&Target>) -> bool {
        self.app.policy.allows(rule, &self.caller, target).await
    }

    /// Refuses the request unless the policy lets the caller act by `rule` on `target`.
    ///
    /// # Errors
    /// 403 that names the rule.
    pub async fn authorise(
        &self,
        rule: &str,
        target: impl Into<Option<&Target>>,
    ) -> Result<(), ApiError> {
        if self.allows(rule, target.into()).await {
            Ok(())
        } else {
            Err(ApiError::policy_forbids(rule))
        }
    }
}
