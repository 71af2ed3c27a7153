//! A Keystone in process. Any token `name[:role,role]` is good unless revoked; by default a member's.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use abaca_model::Timestamp;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// What the next validation is answered, instead of the truth.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Status(u16),
    /// A web server's that has no Keystone.
    Page(u16),
    Body(&'static str),
    /// The connection breaks off within the body.
    Broken,
    /// A body without end.
    Endless,
    /// Not at all.
    Never,
}

#[derive(Default)]
struct State {
    issued: AtomicUsize,
    logins: AtomicUsize,
    failing_logins: Mutex<VecDeque<u16>>,
    /// How late it is by Keystone's clock.
    clock_behind: Mutex<Duration>,
    own_refused: AtomicUsize,
    asked: watch::Sender<usize>,
    script: Mutex<VecDeque<Answer>>,
    revoked: Mutex<HashSet<String>>,
    ended: Mutex<HashSet<String>>,
    /// The own tokens up to this one are no good.
    own_good_after: AtomicUsize,
    own_lifetime: Mutex<Option<Duration>>,
    lifetime: Mutex<Option<Duration>>,
    /// When each token that was validated ends.
    ends: Mutex<HashMap<String, Timestamp>>,
    gate: Mutex<Option<Arc<Notify>>>,
}

pub(super) struct Fake {
    pub(super) url: String,
    state: Arc<State>,
    server: AbortHandle,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/identity", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let router = Router::new().fallback(move |request: Request<Body>| {
            let state = Arc::clone(&shared);
            async move { state.answer(request).await }
        });
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, server: server.abort_handle() }
    }

    /// How many own tokens it gave out.
    pub(super) fn issued(&self) -> usize {
        self.state.issued.load(Ordering::SeqCst)
    }

    /// How many it was asked for.
    pub(super) fn logins(&self) -> usize {
        self.state.logins.load(Ordering::SeqCst)
    }

    /// How the next logins fail.
    pub(super) fn fail_logins(&self, statuses: impl IntoIterator<Item = u16>) {
        *self.state.failing_logins.lock().unwrap() = statuses.into_iter().collect();
    }

    pub(super) fn clock_is_behind(&self, by: Duration) {
        *self.state.clock_behind.lock().unwrap() = by;
    }

    /// How many validations it was asked for with a good own token.
    pub(super) fn validated(&self) -> usize {
        *self.state.asked.borrow()
    }

    /// How many with one that was no good.
    pub(super) fn own_refused(&self) -> usize {
        self.state.own_refused.load(Ordering::SeqCst)
    }

    pub(super) async fn wait_until_asked(&self, times: usize) {
        self.state.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }

    pub(super) fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        let mut script = self.state.script.lock().unwrap();
        script.clear();
        script.extend(answers);
    }

    /// Holds all validations until the gate is opened.
    pub(super) fn hold(&self) -> Arc<Notify> {
        Arc::clone(self.state.gate.lock().unwrap().insert(Arc::default()))
    }

    pub(super) fn revoke(&self, token: &str) {
        self.state.revoked.lock().unwrap().insert(token.to_owned());
    }

    pub(super) fn restore(&self, token: &str) {
        self.state.revoked.lock().unwrap().remove(token);
    }

    /// The token is over, and only `allow_expired` still gets it.
    pub(super) fn end(&self, token: &str) {
        self.state.ended.lock().unwrap().insert(token.to_owned());
    }

    pub(super) fn revoke_own(&self) {
        self.state.own_good_after.store(self.issued(), Ordering::SeqCst);
    }

    pub(super) fn refuse_own_always(&self) {
        self.state.own_good_after.store(usize::MAX, Ordering::SeqCst);
    }

    pub(super) fn own_lives_for(&self, lifetime: Duration) {
        *self.state.own_lifetime.lock().unwrap() = Some(lifetime);
    }

    /// When a validated token ends.
    pub(super) fn end_of(&self, token: &str) -> Timestamp {
        self.state.ends.lock().unwrap()[token]
    }

    pub(super) fn lives_for(&self, lifetime: Duration) {
        *self.state.lifetime.lock().unwrap() = Some(lifetime);
    }
}

impl State {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        assert_eq!(parts.uri.path(), "/identity/v3/auth/tokens");
        if parts.method == Method::POST {
            self.issue(body).await
        } else {
            self.validate(&parts).await
        }
    }

    async fn issue(&self, body: Body) -> Response<Body> {
        self.logins.fetch_add(1, Ordering::SeqCst);
        if let Some(code) = self.failing_logins.lock().unwrap().pop_front() {
            return status(code);
        }
        let body: Bytes = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        if body["auth"]["identity"]["password"]["user"]["password"] != "s3cret" {
            return status(401);
        }
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        let lifetime = self.own_lifetime.lock().unwrap().unwrap_or(Duration::from_secs(3600));
        let now = Timestamp::now();
        let ends = now.after(lifetime);
        let behind = *self.clock_behind.lock().unwrap();
        let token = token("own:service", now.before(behind), ends.before(behind));
        let mut answer = Response::new(token.to_string().into());
        *answer.status_mut() = StatusCode::CREATED;
        let header = format!("{number} {}", ends.micros());
        answer.headers_mut().insert("x-subject-token", header.parse().unwrap());
        answer
    }

    /// Whether it is an own token that was given out, not revoked and has not ended.
    fn knows_own(&self, header: &str) -> bool {
        let (number, ends) = header.split_once(' ').unwrap();
        let number: usize = number.parse().unwrap();
        number > self.own_good_after.load(Ordering::SeqCst)
            && ends.parse::<i64>().unwrap() > Timestamp::now().micros()
    }

    async fn validate(&self, request: &Parts) -> Response<Body> {
        let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
        if !self.knows_own(&header("x-auth-token")) {
            self.own_refused.fetch_add(1, Ordering::SeqCst);
            return status(401);
        }
        let gate = self.gate.lock().unwrap().clone();
        let opened = gate.as_ref().map(|gate| gate.notified());
        self.asked.send_modify(|asked| *asked += 1);
        if let Some(opened) = opened {
            opened.await;
        }
        let scripted = self.script.lock().unwrap().pop_front();
        if let Some(answer) = scripted {
            return answer.give().await;
        }
        let subject = header("x-subject-token");
        let ended = self.ended.lock().unwrap().contains(&subject);
        let expired_too = request.uri.query().unwrap().contains("allow_expired=1");
        let revoked = self.revoked.lock().unwrap().contains(&subject);
        if !is_name(&subject) || revoked || ended && !expired_too {
            return status(404);
        }
        let lifetime = self.lifetime.lock().unwrap().unwrap_or(Duration::from_secs(3600));
        let now = Timestamp::now();
        let ends = if ended { now.before(Duration::from_secs(60)) } else { now.after(lifetime) };
        let ends = *self.ends.lock().unwrap().entry(subject.clone()).or_insert(ends);
        Response::new(token(&subject, now, ends).to_string().into())
    }
}

impl Answer {
    async fn give(self) -> Response<Body> {
        let chunks = |last: Option<std::io::Error>| {
            let chunk = Bytes::from_static(&[b' '; 65_536]);
            let body = futures_util::stream::unfold(last, move |last| {
                let chunk = chunk.clone();
                async move {
                    match last {
                        Some(error) => Some((Err(error), None)),
                        None => Some((Ok(chunk), None)),
                    }
                }
            });
            Response::new(Body::from_stream(body))
        };
        match self {
            Self::Status(code) => status(code),
            Self::Page(code) => {
                let mut answer = Response::new("<html><h1>Nothing here</h1></html>".into());
                *answer.status_mut() = StatusCode::from_u16(code).unwrap();
                answer
            }
            Self::Body(text) => Response::new(text.into()),
            Self::Broken => chunks(Some(std::io::Error::other("broken on purpose"))),
            Self::Endless => chunks(None),
            Self::Never => std::future::pending().await,
        }
    }
}

fn status(code: u16) -> Response<Body> {
    let error = json!({"error": {"code": code, "title": "No", "message": "No."}});
    let mut answer = Response::new(error.to_string().into());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

/// Whether it is a token that can have been given out.
fn is_name(token: &str) -> bool {
    let is_word = |word: &str| {
        (1..=60).contains(&word.len())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let (user, roles) = token.split_once(':').unwrap_or((token, "member"));
    is_word(user) && roles.split(',').all(is_word)
}

fn token(name: &str, issued_at: Timestamp, expires_at: Timestamp) -> Value {
    let (user, roles) = name.split_once(':').unwrap_or((name, "member"));
    let roles: Vec<Value> = roles.split(',').map(|role| json!({"name": role})).collect();
    json!({"token": {
        "user": {"id": user, "name": user, "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p1", "domain": {"id": "default"}},
        "roles": roles,
        "issued_at": format!("{issued_at}Z"),
        "expires_at": format!("{expires_at}Z"),
    }})
}
