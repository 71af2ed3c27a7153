//! The two requests that are made to Keystone: get a token, and validate one.

use std::fmt;
use std::time::Duration;

use abaca_model::Timestamp;
use axum::http::header::{HeaderName, HeaderValue};
use reqwest::{Certificate, Proxy, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::TOKEN;
use super::failure::Failure;
use super::own_token::Issued;
use super::token::Token;
use crate::config::{KeystoneConfig, Login};
use crate::identity::IdentityError;

const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
/// Says that access rules of application credentials are looked at here; without it Keystone refuses
/// their tokens.
const ACCESS_RULES: (HeaderName, HeaderValue) =
    (HeaderName::from_static("openstack-identity-access-rules"), HeaderValue::from_static("1"));
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// Most tries within the time limit.
const MAX_TRIES: u32 = 4;
/// Part of the time limit that one try may take, so that a second one has a chance.
const TRY_SHARE: u32 = 3;
/// The pause before the second try; doubled for each further one, and cut by chance.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A client of Keystone's.
pub(super) struct Client {
    http: reqwest::Client,
    /// `.../v3/auth/tokens`
    tokens_url: String,
    login: Login,
    limit: Duration,
}

/// Where it is asked, and nothing else.
impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.tokens_url)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Client {
    pub(super) fn new(config: &KeystoneConfig) -> Result<Self, IdentityError> {
        // reqwest takes the process's provider; another part of the service may have set the same
        // one already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(config.timeout / TRY_SHARE);
        if let Some(path) = &config.cafile {
            let unusable = |source: Box<dyn std::error::Error + Send + Sync>| {
                IdentityError::CaFile { path: path.clone(), source }
            };
            let pem = std::fs::read(path).map_err(|error| unusable(error.into()))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|error| unusable(error.into()))?;
            if certificates.is_empty() {
                return Err(unusable("there is no certificate in it".into()));
            }
            builder = builder.tls_certs_only(certificates);
        } else if !config.auth_url.is_https() {
            // A machine without certificates can ask a Keystone that has none.
            builder = builder.tls_certs_only([]);
        }
        if let Some(proxy) = &config.proxy {
            builder = builder.proxy(Proxy::all(proxy.as_str()).map_err(IdentityError::Client)?);
        }
        let url = config.auth_url.as_str();
        let url = url.strip_suffix("/v3").unwrap_or(url);
        Ok(Self {
            http: builder.build().map_err(IdentityError::Client)?,
            tokens_url: format!("{url}/v3/auth/tokens"),
            login: config.login.clone(),
            limit: config.timeout,
        })
    }

    /// The time limit for all that is asked because of one request, from now on.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline(Instant::now() + self.limit)
    }

    /// Gets a token for the service's own user.
    pub(super) async fn issue(&self) -> Result<Issued, Failure> {
        let request = self
            .http
            .post(format!("{}?nocatalog", self.tokens_url))
            .header("content-type", "application/json")
            .body(log_in_body(&self.login).to_string());
        let asked = std::time::Instant::now();
        let answer = send(request).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::OK => {}
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND) => {
                return Err(or_another_answer(answer, Failure::LogIn(status)).await);
            }
            status => return Err(Failure::Status(status)),
        }
        let header = answer.headers().get(SUBJECT_TOKEN).cloned();
        let header = header.ok_or(Failure::Unreadable("it has no X-Subject-Token"))?;
        let token = Token::parse(&read(answer).await?)?;
        // By Keystone's clock alone; this machine's may be another.
        let issued_at = token.issued_at.unwrap_or_else(Timestamp::now);
        Ok(Issued::new(header, asked, token.expires_at.since(issued_at)))
    }

    /// Asks whom `token` speaks for; `expired_too` asks also for one that has ended.
    pub(super) async fn validate(
        &self,
        own: &HeaderValue,
        token: &HeaderValue,
        expired_too: bool,
    ) -> Result<Token, Failure> {
        let expired = if expired_too { "&allow_expired=1" } else { "" };
        let request = self.http.get(format!("{}?nocatalog{expired}", self.tokens_url));
        let (name, value) = ACCESS_RULES;
        let request = request.header(TOKEN, own).header(SUBJECT_TOKEN, token).header(name, value);
        let answer = send(request).await?;
        match answer.status() {
            StatusCode::OK => Ok(Token::parse(&read(answer).await?)?),
            // 400: it can't even be read there.
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => {
                Err(or_another_answer(answer, Failure::Refused).await)
            }
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Err(Failure::Refused),
            StatusCode::UNAUTHORIZED => Err(Failure::OwnTokenRefused),
            StatusCode::FORBIDDEN => Err(Failure::NotAllowed),
            status => Err(Failure::Status(status)),
        }
    }
}

async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    request.send().await.map_err(|error| Failure::Unreachable(error.without_url()))
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let unreachable = |error: reqwest::Error| Failure::Unreachable(error.without_url());
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(Failure::Unreadable("it is too long"));
        }
    }
    Ok(body)
}

/// `failure` if the answer is Keystone's own word, `{"error": {"code": ...}}`; a gateway that finds no
/// Keystone has the same statuses.
async fn or_another_answer(answer: Response, failure: Failure) -> Failure {
    let status = answer.status();
    match read(answer).await {
        Ok(body) => {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            if body["error"]["code"] == status.as_u16() { failure } else { Failure::Status(status) }
        }
        Err(unread) => unread,
    }
}

fn log_in_body(login: &Login) -> Value {
    match login {
        Login::Password {
            username,
            password,
            project_name,
            user_domain_name,
            project_domain_name,
        } => json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": username,
                "domain": {"name": user_domain_name},
                "password": password.reveal(),
            }}},
            "scope": {"project": {"name": project_name, "domain": {"name": project_domain_name}}},
        }}),
        Login::ApplicationCredential { id, secret } => json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": id, "secret": secret.reveal()},
        }}}),
    }
}

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// Gives `work` up at the deadline.
    pub(super) async fn hold<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        timeout_at(self.0, work).await.unwrap_or(Err(Failure::TimedOut))
    }

    /// Tries until it succeeds, fails for good, or the time is over.
    pub(super) async fn retry<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let failure = match self.hold(attempt()).await {
                Err(failure) if failure.is_passing() && tries < MAX_TRIES => failure,
                result => return result,
            };
            // By chance, so that those who failed together do not come back together.
            let wait = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
            if Instant::now() + wait >= self.0 {
                return Err(failure);
            }
            tracing::debug!(reason = failure.chain(), "asking Keystone again");
            sleep(wait).await;
            (pause, tries) = (pause * 2, tries + 1);
        }
    }
}
