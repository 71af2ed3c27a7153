//! The caller, as policy rules see it.

use serde_json::{Map, Value};

use super::attributes::{Attribute, CredentialAttributes};
use crate::identity::Caller;

/// A caller's attributes by the names that rules know; the same names as the reference's.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    caller: &'a Caller,
    /// `None` while it is being decided whether the caller is an administrator.
    is_admin: Option<bool>,
}

impl<'a> Credentials<'a> {
    /// The caller with its `is_admin` flag.
    pub fn new(caller: &'a Caller) -> Self {
        Self { caller, is_admin: Some(caller.is_admin) }
    }

    /// The caller before anyone knows whether it is an administrator: `is_admin:True` refuses.
    pub fn unsettled(caller: &'a Caller) -> Self {
        Self { caller, is_admin: None }
    }
}

/// What rules can name.
const NAMES: [&str; 15] = [
    "user_id",
    "user_domain_id",
    "system_scope",
    "system",
    "domain_id",
    "project_id",
    "project_domain_id",
    "roles",
    "is_admin_project",
    "service_user_id",
    "service_user_domain_id",
    "service_project_id",
    "service_project_domain_id",
    "service_roles",
    "is_admin",
];

impl CredentialAttributes for Credentials<'_> {
    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        let caller = self.caller;
        let system_scope = caller.system_scope.as_deref();
        Some(match name {
            "user_id" => Attribute::Text(&caller.user_id),
            "user_domain_id" => Attribute::optional(caller.user_domain_id.as_deref()),
            "system_scope" => Attribute::optional(system_scope),
            // oslo.policy copies a scope that is set to this older name.
            "system" => Attribute::Text(system_scope.filter(|scope| !scope.is_empty())?),
            "domain_id" => Attribute::optional(caller.domain_id.as_deref()),
            "project_id" => Attribute::optional(caller.project_id.as_deref()),
            "project_domain_id" => Attribute::optional(caller.project_domain_id.as_deref()),
            "roles" => Attribute::TextList(&caller.roles),
            "is_admin_project" => Attribute::Bool(caller.is_admin_project.unwrap_or(true)),
            "service_user_id" => Attribute::optional(caller.service_user_id.as_deref()),
            "service_user_domain_id" => {
                Attribute::optional(caller.service_user_domain_id.as_deref())
            }
            "service_project_id" => Attribute::optional(caller.service_project_id.as_deref()),
            "service_project_domain_id" => {
                Attribute::optional(caller.service_project_domain_id.as_deref())
            }
            "service_roles" => Attribute::TextList(&caller.service_roles),
            "is_admin" => self.is_admin.map_or(Attribute::Null, Attribute::Bool),
            _ => return None,
        })
    }

    fn to_map(&self) -> Map<String, Value> {
        let value = |name: &str| self.attribute(name).map(Attribute::to_json);
        NAMES.into_iter().filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
    }
}
