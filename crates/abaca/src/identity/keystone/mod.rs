//! Keystone, OpenStack's identity service, says whom a token speaks for.
//!
//! What it said is believed for `identity.cache_seconds` and never beyond the token's own end
//! (`cache`). To ask, the service shows a token of its own (`own_token`). No answer is never
//! taken for a yes: without Keystone, a token that is not in the cache is answered 503. What any
//! caller can make it do is bounded: the questions at a time, the memory of the cache, the work for
//! access rules.

mod access_rules;
mod cache;
mod client;
mod failure;
mod own_token;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::{HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::access_rules::AccessRules;
use self::cache::{Key, TokenCache};
use self::client::{Client, Deadline};
use self::own_token::OwnToken;
use self::token::Token;
use super::{AuthError, Caller, IdentityError};
use crate::config::KeystoneConfig;
use crate::telemetry::metrics;

pub use self::failure::Failure;
pub use self::token::TokenError;

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const SERVICE_TOKEN: HeaderName = HeaderName::from_static("x-service-token");
/// The longest token that is looked at, in bytes. Fernet's have about 250, JWS's below 2,000. Web servers
/// before Keystone take header lines of 8 KiB, and answer longer ones by themselves.
const MAX_TOKEN: usize = 4096;
/// Most questions to Keystone at a time, so that a flood of bad tokens overwhelms neither it nor the
/// connections of this process.
const MAX_QUESTIONS: usize = 64;

/// Tells who is calling by asking Keystone.
pub struct Keystone {
    client: Client,
    own_token: OwnToken,
    cache: TokenCache,
    questions: Semaphore,
    challenge: HeaderValue,
    service_roles: Vec<String>,
}

impl fmt::Debug for Keystone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keystone").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Keystone {
    /// Makes ready to ask; Keystone itself need not be there yet.
    ///
    /// # Errors
    /// The file of certificates can't be used.
    pub(super) fn new(config: &KeystoneConfig) -> Result<Self, IdentityError> {
        let uri = config.www_authenticate_uri.as_ref().unwrap_or(&config.auth_url);
        let challenge = HeaderValue::try_from(format!("Keystone uri=\"{}\"", uri.as_str()));
        Ok(Self {
            client: Client::new(config)?,
            own_token: OwnToken::default(),
            cache: TokenCache::new(config.cache),
            questions: Semaphore::new(MAX_QUESTIONS),
            challenge: challenge.unwrap_or(HeaderValue::from_static("Keystone")),
            service_roles: config.service_token_roles.clone(),
        })
    }

    /// Gets the service's own token, so that a wrong password is in the log at the start, and not
    /// at the first request.
    pub(super) async fn log_in(&self) {
        match self.own_token.get(&self.client, &self.client.deadline(), None).await {
            Ok(_) => tracing::info!(keystone = %self.client, "Keystone knows this service"),
            Err(failure) => tracing::error!(keystone = %self.client, "{}", failure.chain()),
        }
    }

    /// Says who is calling.
    ///
    /// # Errors
    /// 401 for a token that is no good, 503 when Keystone can't say.
    pub(super) async fn authenticate(&self, request: &Parts) -> Result<Caller, AuthError> {
        let service = match self.single(&request.headers, &SERVICE_TOKEN)? {
            Some(token) => Some(self.service(token).await?),
            None => None,
        };
        let token = self.single(&request.headers, &TOKEN)?;
        let token = token.ok_or_else(|| self.refused("X-Auth-Token was not sent"))?;
        // A service may finish what a user began whose token has ended meanwhile.
        let user = self.look_up(token, service.is_some(), "X-Auth-Token").await?;
        if service.is_none() && !user.access_rules.allow(&request.method, request.uri.path()) {
            return Err(self.refused(match user.access_rules {
                AccessRules::TooMany => "its application credential has too many access rules",
                _ => "its application credential's access rules forbid the request",
            }));
        }
        Ok(user.caller(service.as_deref()))
    }

    /// The header's value, sent at most once; an empty one counts as none.
    fn single<'h>(
        &self,
        headers: &'h HeaderMap,
        name: &HeaderName,
    ) -> Result<Option<&'h HeaderValue>, AuthError> {
        let mut values = headers.get_all(name).iter();
        let first = values.next().filter(|value| !value.is_empty());
        if values.next().is_some() {
            return Err(self.refused(&format!("{name} was sent more than once")));
        }
        match first {
            Some(value) if value.len() > MAX_TOKEN || value.to_str().is_err() => {
                Err(self.refused(&format!("{name} is no token of Keystone's")))
            }
            value => Ok(value),
        }
    }

    async fn service(&self, token: &HeaderValue) -> Result<Arc<Token>, AuthError> {
        let service = self.look_up(token, false, "X-Service-Token").await?;
        if !self.service_roles.iter().any(|role| service.has_role(role)) {
            return Err(self.refused("X-Service-Token has none of the roles of a service"));
        }
        Ok(service)
    }

    /// What the token says, from the cache or from Keystone.
    async fn look_up(
        &self,
        token: &HeaderValue,
        expired_too: bool,
        header: &str,
    ) -> Result<Arc<Token>, AuthError> {
        let key = Key::new(token.as_bytes(), expired_too);
        let mut asked = false;
        let ask = async {
            asked = true;
            self.ask(token, expired_too).await
        };
        let found = self.cache.get(key, ask).await;
        if !asked {
            metrics::keystone_cache_hit();
        }
        found.map_err(|failure| match *failure {
            Failure::Refused => self
                .refused(&format!("{header} is unknown to Keystone, has expired or was revoked")),
            _ => AuthError::Unavailable(failure),
        })
    }

    async fn ask(
        &self,
        token: &HeaderValue,
        expired_too: bool,
    ) -> Result<(Token, Instant), Failure> {
        let mut token = token.clone();
        token.set_sensitive(true);
        let began = Instant::now();
        let deadline = self.client.deadline();
        let answer = match deadline.hold(self.turn()).await {
            Ok(_turn) => deadline.retry(|| self.ask_once(&token, expired_too, &deadline)).await,
            Err(_) => Err(Failure::Crowded),
        };
        let outcome = match &answer {
            Ok(_) => "accepted",
            Err(Failure::Refused) => "refused",
            Err(_) => "failed",
        };
        metrics::keystone_validation(outcome, began.elapsed());
        answer
    }

    /// Leave to ask, as long as it is held.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.questions.acquire().await.map_err(|_| Failure::Crowded)
    }

    /// Asks once; twice if the service's own token turns out to have been revoked.
    async fn ask_once(
        &self,
        token: &HeaderValue,
        expired_too: bool,
        deadline: &Deadline,
    ) -> Result<(Token, Instant), Failure> {
        let own = self.own_token.get(&self.client, deadline, None).await?;
        let asked = Instant::now();
        match self.client.validate(own.header(), token, expired_too).await {
            Err(Failure::OwnTokenRefused) => {
                let own = self.own_token.get(&self.client, deadline, Some(&own)).await?;
                let asked = Instant::now();
                let validated = self.client.validate(own.header(), token, expired_too).await?;
                Ok((validated, asked))
            }
            answer => Ok((answer?, asked)),
        }
    }

    fn refused(&self, reason: &str) -> AuthError {
        AuthError::Unauthenticated { reason: reason.to_owned(), challenge: self.challenge.clone() }
    }
}
