//! Who is calling: turns a request's head into a [`Caller`], or says why it can't.
//!
//! `keystone` asks OpenStack's identity service; `noauth` serves the embedded use on loopback.

mod error;
pub mod keystone;
mod loopback;
mod noauth;

use std::sync::Arc;

use axum::http::request::Parts;

use crate::config::{IdentityConfig, Strategy};
use keystone::Keystone;

pub use error::{AuthError, IdentityError};

/// The authenticated caller of one request, as the policy engine and the handlers see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user's id.
    pub user_id: String,
    /// The domain that owns the user.
    pub user_domain_id: Option<String>,
    /// The project the token is scoped to; none for system and domain scope.
    pub project_id: Option<String>,
    /// The domain that owns the project.
    pub project_domain_id: Option<String>,
    /// The domain the token is scoped to.
    pub domain_id: Option<String>,
    /// `all` when the token is scoped to the whole system.
    pub system_scope: Option<String>,
    /// Role names, implied ones included.
    pub roles: Vec<String>,
    /// Roles of the service that passed the request on (`X-Service-Token`).
    pub service_roles: Vec<String>,
    /// The user of that service.
    pub service_user_id: Option<String>,
    /// The domain that owns it.
    pub service_user_domain_id: Option<String>,
    /// The project of that service.
    pub service_project_id: Option<String>,
    /// The domain that owns it.
    pub service_project_domain_id: Option<String>,
    /// Whether the project is the cloud's own for administrators; none where no project is, which
    /// counts as yes.
    pub is_admin_project: Option<bool>,
    /// Has the role `admin`. Whether that counts is the policy rule `context_is_admin`'s word.
    pub is_admin: bool,
}

/// A role and the one it implies, as Keystone sets them up; ordered, so that one pass follows the
/// whole chain.
const IMPLIED: [(&str, &str); 3] =
    [("admin", "manager"), ("manager", "member"), ("member", "reader")];

impl Caller {
    /// Adds the roles that the caller's roles imply.
    pub fn add_implied_roles(&mut self) {
        for (prior, implied) in IMPLIED {
            if self.has_role(prior) && !self.has_role(implied) {
                self.roles.push(implied.to_owned());
            }
        }
    }

    /// Whether the caller has this role; role names compare without regard to case, as in Keystone.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.eq_ignore_ascii_case(role))
    }
}

/// The configured way to tell who is calling.
#[derive(Clone, Debug)]
pub enum Identity {
    /// No identity service: the token itself says who is calling. Loopback only.
    NoAuth,
    /// Keystone says who is calling.
    Keystone(Arc<Keystone>),
}

impl Identity {
    /// Makes the configured identity.
    ///
    /// # Errors
    /// Keystone's settings are not complete, or can't be used.
    pub fn from_config(config: &IdentityConfig) -> Result<Self, IdentityError> {
        match (config.strategy, &config.keystone) {
            (Strategy::NoAuth, _) => Ok(Self::NoAuth),
            (Strategy::Keystone, Some(keystone)) => {
                Ok(Self::Keystone(Arc::new(Keystone::new(keystone)?)))
            }
            (Strategy::Keystone, None) => Err(IdentityError::Incomplete),
        }
    }

    /// Finds out at the start, and logs, whether the identity service knows this service. It may be
    /// away for now: every request asks again.
    pub async fn log_in(&self) {
        match self {
            Self::NoAuth => {}
            Self::Keystone(keystone) => keystone.log_in().await,
        }
    }

    /// Refuses requests that a web page may have made. For every route, also those that ask for
    /// no token; [`Identity::authenticate`] includes it.
    ///
    /// # Errors
    /// [`AuthError::Foreign`] for a `Host` or `Origin` that is not this machine's loopback.
    pub fn guard(&self, request: &Parts) -> Result<(), AuthError> {
        match self {
            Self::NoAuth => loopback::guard(request),
            // A web page has no token.
            Self::Keystone(_) => Ok(()),
        }
    }

    /// Says who is calling.
    ///
    /// # Errors
    /// What [`Identity::guard`] refuses, [`AuthError::Unauthenticated`] for a bad token, and
    /// [`AuthError::Unavailable`] while nobody can say whether it is one.
    pub async fn authenticate(&self, request: &Parts) -> Result<Caller, AuthError> {
        self.guard(request)?;
        match self {
            Self::NoAuth => noauth::authenticate(&request.headers),
            Self::Keystone(keystone) => keystone.authenticate(request).await,
        }
    }
}
