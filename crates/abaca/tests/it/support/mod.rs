//! The API in process: real routes, real database, no socket.

mod answer;
mod promise;
mod samples;
pub(crate) mod seed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca::api::{self, Route, V};
use abaca::app::{ApiSettings, App};
use abaca::config::{Config, Overrides};
use abaca::identity::Identity;
use abaca::policy::Policy;
use abaca::telemetry::metrics::Metrics;
use abaca_model::quota::{Limit, Resource};
use abaca_store::Dialect;
use abaca_store::testing::TestDatabase;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) use answer::Answer;
pub(crate) use samples::{assert_like_sample, sample};

/// A service of its own for one test, on a database of its own.
pub(crate) struct TestServer {
    /// What its handlers see.
    pub(crate) app: Arc<App>,
    router: Router,
    /// Its routes are those of the API, which the OpenAPI document describes.
    described: bool,
    _database: TestDatabase,
}

/// What few tests want otherwise.
struct Extras {
    quota: BTreeMap<Resource, Limit>,
    metrics: Option<Metrics>,
}

impl Default for Extras {
    fn default() -> Self {
        Self { quota: default_config().quota, metrics: None }
    }
}

impl TestServer {
    /// The API as it is served.
    pub(crate) async fn start() -> Self {
        let policy = Policy::from_rules(&json!({})).unwrap();
        Self::with_policy(policy).await
    }

    /// The API under other rules than the built-in ones.
    pub(crate) async fn with_policy(policy: Policy) -> Self {
        let extras = Extras::default();
        Self::assemble(default_settings(), policy, api::router::routes(), extras).await
    }

    /// The API with `/metrics`.
    pub(crate) async fn with_metrics(metrics: Metrics) -> Self {
        let policy = Policy::from_rules(&json!({})).unwrap();
        let extras = Extras { metrics: Some(metrics), ..Extras::default() };
        Self::assemble(default_settings(), policy, api::router::routes(), extras).await
    }

    /// The API with other default limits.
    pub(crate) async fn with_quota(limits: &[(Resource, Limit)]) -> Self {
        let policy = Policy::from_rules(&json!({})).unwrap();
        let mut extras = Extras::default();
        extras.quota.extend(limits.iter().copied());
        Self::assemble(default_settings(), policy, api::router::routes(), extras).await
    }

    /// Other routes under the same framework.
    pub(crate) async fn with_routes(settings: ApiSettings, routes: Vec<Route>) -> Self {
        let policy = Policy::from_rules(&json!({})).unwrap();
        let server = Self::assemble(settings, policy, routes, Extras::default()).await;
        Self { described: false, ..server }
    }

    async fn assemble(
        settings: ApiSettings,
        policy: Policy,
        routes: Vec<Route>,
        extras: Extras,
    ) -> Self {
        let database = TestDatabase::create(dialect()).await.unwrap();
        let app = Arc::new(App {
            settings,
            quota: extras.quota,
            db: database.db.clone(),
            queue: Arc::default(),
            metrics: extras.metrics,
            identity: Identity::NoAuth,
            policy: Arc::new(policy),
        });
        let router = api::service_with(Arc::clone(&app), routes).unwrap();
        Self { app, router, described: true, _database: database }
    }

    /// Asks until `found` finds what it waits for.
    pub(crate) async fn wait<T>(&self, path: &str, found: impl Fn(&Answer) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let answer = self.get(path).await;
            if let Some(value) = found(&answer) {
                return value;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{path} stays {}", answer.text);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A request by an administrator at the last version; both can be changed before it is sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest {
            router: self.router.clone(),
            described: self.described,
            method,
            path: path.to_owned(),
            headers: vec![
                ("host".to_owned(), "127.0.0.1:8786".to_owned()),
                ("x-auth-token".to_owned(), "admin:admin:admin".to_owned()),
                ("x-openstack-manila-api-version".to_owned(), V::MAX.to_string()),
            ],
            text: None,
            body: Body::empty(),
        }
    }

    /// GET `path` as an administrator at the last version.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// PUT `body` to `path` as an administrator at the last version.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PUT, path).json(&body).send().await
    }

    /// DELETE `path` as an administrator at the last version.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }

    /// GET `path` at `version` with `token`.
    pub(crate) async fn get_as(&self, token: &str, version: V, path: &str) -> Answer {
        self.request(Method::GET, path).token(token).at(version).send().await
    }

    /// POST `body` to `path` as an administrator at the last version.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(&body).send().await
    }
}

/// The settings of a service that is configured in nothing.
pub(crate) fn default_settings() -> ApiSettings {
    let config = default_config();
    let default_share_group_type = Some("default".to_owned());
    ApiSettings { default_share_group_type, ..ApiSettings::from(&config.api) }
}

fn default_config() -> Config {
    Config::load_from(&Overrides::default(), []).unwrap()
}

/// The database of this run: SQLite unless `ABACA_TEST_DATABASE` says `postgres` or `mariadb`.
fn dialect() -> Dialect {
    match std::env::var("ABACA_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => Dialect::Sqlite,
        Ok("postgres") => Dialect::Postgres,
        Ok("mariadb") => Dialect::Mysql,
        Ok(other) => panic!("ABACA_TEST_DATABASE={other}: expected sqlite, postgres or mariadb"),
    }
}

/// A request to be sent.
pub(crate) struct TestRequest {
    router: Router,
    described: bool,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    /// The body, where it is a text.
    text: Option<String>,
    body: Body,
}

impl TestRequest {
    /// As `user:project:role,role`.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("x-auth-token", token)
    }

    /// At this version of the API.
    pub(crate) fn at(self, version: V) -> Self {
        self.header("x-openstack-manila-api-version", &version.to_string())
    }

    /// With this header, instead of any other of that name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    /// With this body, said to be JSON.
    pub(crate) fn text(self, body: &str) -> Self {
        let mut request = self.header("content-type", "application/json");
        request.text = Some(body.to_owned());
        request.body = Body::from(body.to_owned());
        request
    }

    /// With this body, of which nothing is said.
    pub(crate) fn raw_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// What comes back, which must be as the OpenAPI document says.
    pub(crate) async fn send(self) -> Answer {
        let Self { router, described, method, path, headers, text, body } = self;
        let mut request = Request::builder().method(method.clone()).uri(path.clone());
        let mut version = String::new();
        for (name, value) in headers {
            if name == "x-openstack-manila-api-version" {
                version.clone_from(&value);
            }
            request = request.header(name, value);
        }
        let response = router.oneshot(request.body(body).unwrap()).await.unwrap();
        let answer = Answer::read(response).await;
        if described {
            promise::assert_kept(&promise::Sent { method, path, version, body: text }, &answer);
        }
        answer
    }
}
