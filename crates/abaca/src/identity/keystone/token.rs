//! What Keystone's answer says of a token. The answer is checked like any input from outside: its
//! ids go into the database and into log lines.

use abaca_model::Timestamp;
use serde::Deserialize;

use super::access_rules::{AccessRule, AccessRules, MAX_RULES};
use crate::identity::Caller;

/// The longest id or name that is taken, in characters, as in the API's schemas.
const MAX_ID: usize = 255;

/// Why an answer of Keystone's describes no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no JSON, or lacks a part.
    #[error("it has not the form of a token: {0}")]
    Form(String),
    /// An id or a name is empty, too long, or has control characters.
    #[error("{0} is no id")]
    BadId(&'static str),
    /// The time at which it ends is no time.
    #[error("expires_at is no time")]
    BadTime,
    /// It has two scopes, or one that is unknown.
    #[error("its scope is not one project, one domain or the whole system")]
    BadScope,
}

/// A token that Keystone vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// When it was made, if the answer says it in a way that can be read.
    pub(super) issued_at: Option<Timestamp>,
    /// When it ends by itself.
    pub(super) expires_at: Timestamp,
    /// What an application credential was made for.
    pub(super) access_rules: AccessRules,
    user: Owner,
    scope: Scope,
    roles: Vec<String>,
    is_admin_project: Option<bool>,
}

/// A user or a project, with the domain that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    id: String,
    domain_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    None,
    Project(Owner),
    Domain(String),
    System,
}

impl Token {
    /// Reads the body of an answer.
    ///
    /// # Errors
    /// It describes no token.
    pub(super) fn parse(body: &[u8]) -> Result<Self, TokenError> {
        let answer: wire::Answer =
            serde_json::from_slice(body).map_err(|error| TokenError::Form(place(&error)))?;
        let token = answer.token;
        let scope = match (token.project, token.domain, token.system) {
            (None, None, None) => Scope::None,
            (Some(project), None, None) => Scope::Project(project.check("the project")?),
            (None, Some(domain), None) => Scope::Domain(checked(domain.id, "the domain")?),
            (None, None, Some(wire::System { all: true })) => Scope::System,
            _ => return Err(TokenError::BadScope),
        };
        let roles = token.roles.into_iter().map(|role| checked(role.name, "a role"));
        let credential = token.application_credential;
        let access_rules = credential.and_then(|credential| credential.access_rules).into();
        let user = token.user.check("the user")?;
        if access_rules == AccessRules::TooMany {
            tracing::warn!(
                user = user.id,
                "an application credential has more than {MAX_RULES} access rules for this \
                 service: its tokens are refused"
            );
        }
        Ok(Self {
            issued_at: token.issued_at.and_then(|text| text.parse().ok()),
            expires_at: token.expires_at.parse().map_err(|_| TokenError::BadTime)?,
            access_rules,
            user,
            scope,
            roles: roles.collect::<Result<_, _>>()?,
            is_admin_project: token.is_admin_project,
        })
    }

    /// The memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let owner = |owner: &Owner| {
            owner.id.capacity() + owner.domain_id.as_ref().map_or(0, String::capacity)
        };
        let scope = match &self.scope {
            Scope::None | Scope::System => 0,
            Scope::Project(project) => owner(project),
            Scope::Domain(id) => id.capacity(),
        };
        let roles: usize = self.roles.iter().map(String::capacity).sum();
        let roles = roles + self.roles.capacity() * size_of::<String>();
        size_of::<Self>() + owner(&self.user) + scope + roles + self.access_rules.bytes()
    }

    /// Whether the token has this role; names compare without regard to case, as in Keystone.
    pub(super) fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.eq_ignore_ascii_case(role))
    }

    /// The caller who sent this token, through a `service` if there was one.
    pub(super) fn caller(&self, service: Option<&Self>) -> Caller {
        let mut caller = Caller {
            user_id: self.user.id.clone(),
            user_domain_id: self.user.domain_id.clone(),
            roles: self.roles.clone(),
            is_admin_project: self.is_admin_project,
            ..Caller::default()
        };
        match &self.scope {
            Scope::None => {}
            Scope::Project(project) => {
                caller.project_id = Some(project.id.clone());
                caller.project_domain_id.clone_from(&project.domain_id);
            }
            Scope::Domain(id) => caller.domain_id = Some(id.clone()),
            Scope::System => caller.system_scope = Some("all".to_owned()),
        }
        if let Some(service) = service {
            caller.service_roles.clone_from(&service.roles);
            caller.service_user_id = Some(service.user.id.clone());
            caller.service_user_domain_id.clone_from(&service.user.domain_id);
            if let Scope::Project(project) = &service.scope {
                caller.service_project_id = Some(project.id.clone());
                caller.service_project_domain_id.clone_from(&project.domain_id);
            }
        }
        caller
    }
}

/// Where the form is wrong. Never what stands there: it may be a secret.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn checked(id: String, what: &'static str) -> Result<String, TokenError> {
    let good = (1..=MAX_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control);
    if good { Ok(id) } else { Err(TokenError::BadId(what)) }
}

/// The answer as it is written; what is not named here is of no interest.
mod wire {
    use super::{AccessRule, Deserialize, Owner, TokenError, checked};

    #[derive(Deserialize)]
    pub(super) struct Answer {
        pub(super) token: Token,
    }

    #[derive(Deserialize)]
    pub(super) struct Token {
        pub(super) user: Owned,
        pub(super) issued_at: Option<String>,
        pub(super) expires_at: String,
        #[serde(default)]
        pub(super) roles: Vec<Role>,
        pub(super) project: Option<Owned>,
        pub(super) domain: Option<Id>,
        pub(super) system: Option<System>,
        pub(super) is_admin_project: Option<bool>,
        pub(super) application_credential: Option<ApplicationCredential>,
    }

    #[derive(Deserialize)]
    pub(super) struct Owned {
        id: String,
        domain: Option<Id>,
    }

    impl Owned {
        pub(super) fn check(self, what: &'static str) -> Result<Owner, TokenError> {
            let domain_id = self.domain.map(|domain| checked(domain.id, "a domain")).transpose()?;
            Ok(Owner { id: checked(self.id, what)?, domain_id })
        }
    }

    #[derive(Deserialize)]
    pub(super) struct Id {
        pub(super) id: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Role {
        pub(super) name: String,
    }

    #[derive(Deserialize)]
    pub(super) struct System {
        #[serde(default)]
        pub(super) all: bool,
    }

    #[derive(Deserialize)]
    pub(super) struct ApplicationCredential {
        pub(super) access_rules: Option<Vec<AccessRule>>,
    }
}

#[cfg(test)]
mod tests;
