//! The way of every request: id, authentication, microversion, route, body, policy, handler.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time::timeout_at;
use tracing::Instrument;

use super::microversion::{EXPERIMENTAL_HEADER, VERSION_HEADER};
use super::query::decode_percent;
use super::request_id::REQUEST_ID_HEADER;
use super::route::{Check, Matched, RouteTable};
use super::{ApiError, Call, Links, Microversion, Query, Reply, RequestId, Route, V};
use super::{body, health, openapi, router, versions};
use crate::app::App;
use crate::identity::Caller;
use crate::telemetry::logs;
use crate::telemetry::metrics::{self, Metrics};

/// The API as a service to be served on a listener, or called in process by a test.
///
/// # Errors
/// When the route table contradicts itself.
pub fn service(app: Arc<App>) -> Result<Router, Box<dyn Error + Send + Sync>> {
    service_with(app, router::routes())
}

/// As [`service`], with a route table of the caller's.
///
/// # Errors
/// When the route table contradicts itself.
pub fn service_with(
    app: Arc<App>,
    routes: Vec<Route>,
) -> Result<Router, Box<dyn Error + Send + Sync>> {
    let table = Arc::new(RouteTable::new(routes)?);
    Ok(Router::new().fallback(move |request: Request| {
        let (app, table) = (Arc::clone(&app), Arc::clone(&table));
        async move { answer(app, &table, request).await }
    }))
}

/// What is known of a request when its answer goes out, be it an error.
#[derive(Default)]
struct Known {
    version: Option<V>,
    experimental: bool,
    route: Option<Route>,
}

async fn answer(app: Arc<App>, table: &RouteTable, request: Request) -> Response<Body> {
    let started = Instant::now();
    let (parts, request_body) = request.into_parts();
    let request_id = RequestId::from_headers(&parts.headers);
    let mut known = Known::default();
    let span = logs::request_span(&request_id.to_string());
    let handled = handle(app, table, &parts, request_body, &request_id, &mut known);
    let handled = handled.instrument(span.clone());
    let result = match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(ApiError::internal(panic_text(panic.as_ref()))),
    };
    let _entered = span.entered();
    let mut response = result.unwrap_or_else(|error| {
        log_failure(&error, &parts);
        if let ApiError::NotAcceptable { version } = error {
            known.version = Some(version);
        }
        error.into_response()
    });
    add_headers(response.headers_mut(), &request_id, &known);
    let route = known.route.as_ref().map_or("", |route| route.path);
    let (code, elapsed) = (response.status().as_u16(), started.elapsed());
    tracing::info!(
        method = %parts.method,
        path = parts.uri.path(),
        route,
        status = code,
        milliseconds = elapsed.as_secs_f64() * 1000.0,
        "answered"
    );
    metrics::http_request(route, parts.method.as_str(), code, elapsed);
    response
}

async fn handle(
    app: Arc<App>,
    table: &RouteTable,
    parts: &Parts,
    request_body: Body,
    request_id: &RequestId,
    known: &mut Known,
) -> Result<Response<Body>, ApiError> {
    app.identity.guard(parts)?;
    let path = match parts.uri.path() {
        "/" => {
            let public_url = app.settings.public_url.as_deref();
            let status = StatusCode::MULTIPLE_CHOICES;
            let reply = versions::document(status, public_url, &parts.headers)?;
            return Ok(reply.into_response());
        }
        "/healthcheck" => return Ok(health::answer(&parts.method, &parts.headers)),
        "/metrics" => return metrics_text(&app),
        "/v2/openapi.json" => return openapi::answer(&parts.method, &parts.headers),
        path => path.strip_prefix("/v2").filter(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    let path = path.ok_or_else(ApiError::no_route)?;

    let deadline = tokio::time::Instant::now() + app.settings.request_timeout;
    let incoming = Incoming { app, parts, path, request_id, deadline };
    let work = incoming.answer(table, request_body, known);
    let reply = timeout_at(deadline, work).await.unwrap_or(Err(ApiError::TimedOut))?;
    Ok(reply.into_response())
}

/// What Prometheus asks for. Without a token, so only where the listener is for the operator.
fn metrics_text(app: &App) -> Result<Response<Body>, ApiError> {
    let metrics = app.metrics.as_ref().ok_or_else(ApiError::no_route)?;
    let mut response = Response::new(Body::from(metrics.render()));
    let content_type = HeaderValue::from_static(Metrics::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}

/// A request for something below `/v2`, on its way to its handler.
struct Incoming<'a> {
    app: Arc<App>,
    parts: &'a Parts,
    /// Below `/v2`.
    path: &'a str,
    request_id: &'a RequestId,
    deadline: tokio::time::Instant,
}

impl Incoming<'_> {
    async fn answer(
        self,
        table: &RouteTable,
        request_body: Body,
        known: &mut Known,
    ) -> Result<Reply, ApiError> {
        let caller = self.app.identity.authenticate(self.parts).await?;
        logs::caller(&caller);
        let spoken = Microversion::negotiate(&self.parts.headers)?;
        known.version = Some(spoken.version);
        known.experimental = spoken.experimental;
        if matches!(self.path, "" | "/") {
            let public_url = self.app.settings.public_url.as_deref();
            return versions::document(StatusCode::OK, public_url, &self.parts.headers);
        }
        let (matched, url_project) = find(table, self.path, caller.project_id.as_deref())?;
        let json = self.json(request_body).await?;
        let route = matched.choose(&self.parts.method, spoken, json.as_ref())?;
        known.route = Some(route.clone());
        if url_project.is_some() && url_project != caller.project_id {
            return Err(ApiError::bad_request("Malformed request url"));
        }
        let mut call = self.call(caller, spoken.version, url_project.as_deref())?;
        for (name, value) in &matched.path {
            let value = decode_percent(value)?;
            logs::path_value(route.path, name, &value);
            call.path.push((*name, value));
        }
        call.json = json;
        call.action = route.action;
        call.caller.is_admin = call.allows("context_is_admin", None).await;
        if route.check == Check::Router && !call.allows(route.rule, None).await {
            return Err(ApiError::access_denied());
        }
        route.run(call).await
    }

    /// The body, where the method has one.
    async fn json(&self, request_body: Body) -> Result<Option<Value>, ApiError> {
        let Parts { method, headers, .. } = self.parts;
        if !Matched::takes_body(method) {
            return Ok(None);
        }
        let limit = self.app.settings.max_body_bytes;
        let bytes = timeout_at(self.deadline, read_body(headers, request_body, limit))
            .await
            .unwrap_or(Err(ApiError::RequestTimeout))?;
        body::parse(headers, &bytes)
    }

    /// What a handler gets, but for what its route says.
    fn call(self, caller: Caller, version: V, url_project: Option<&str>) -> Result<Call, ApiError> {
        let Parts { uri, headers, .. } = self.parts;
        let links = Links::new(self.app.settings.public_url.as_deref(), headers, url_project);
        Ok(Call {
            caller,
            version,
            request_id: self.request_id.clone(),
            query: Query::parse(uri.query().unwrap_or_default())?,
            links,
            path: Vec::new(),
            json: None,
            action: None,
            app: self.app,
        })
    }
}

/// The rows of `path`, which may begin with a project's id.
fn find<'t>(
    table: &'t RouteTable,
    path: &str,
    own_project: Option<&str>,
) -> Result<(Matched<'t>, Option<String>), ApiError> {
    if let Some(matched) = table.find(path) {
        return Ok((matched, None));
    }
    let rest = path.strip_prefix('/').unwrap_or(path);
    let (project, _) = rest.split_once('/').ok_or_else(ApiError::no_route)?;
    // As the reference: what looks like no project id of Keystone's is no project id, save the
    // caller's own.
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    let decoded = decode_percent(project)?;
    if project.is_empty()
        || !(Some(decoded.as_str()) == own_project || project.bytes().all(hexadecimal))
    {
        return Err(ApiError::no_route());
    }
    let matched = rest.get(project.len()..).and_then(|path| table.find(path));
    matched.map(|matched| (matched, Some(decoded))).ok_or_else(ApiError::no_route)
}

/// The whole body, if it is not larger than `limit` bytes.
async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::OverLimit(format!("The request is too large. At most {limit} bytes are taken."))
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(ApiError::bad_request("The body of the request broke off.")),
    }
}

fn add_headers(headers: &mut HeaderMap, request_id: &RequestId, known: &Known) {
    if let Some(id) = request_id.header_value() {
        headers.insert(REQUEST_ID_HEADER, id.clone());
        headers.insert("x-compute-request-id", id);
    }
    if let Some(version) = known.version {
        if let Ok(value) = HeaderValue::from_str(&version.to_string()) {
            headers.insert(VERSION_HEADER, value);
        }
        headers.insert(header::VARY, HeaderValue::from_static("X-OpenStack-Manila-API-Version"));
        if known.experimental {
            headers.insert(EXPERIMENTAL_HEADER, HeaderValue::from_static("True"));
        }
    }
}

/// Logs what the client is not told. The only place where a failed request is logged.
fn log_failure(error: &ApiError, parts: &Parts) {
    if !error.status().is_server_error() {
        return;
    }
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(method = %parts.method, path = parts.uri.path(), "{chain}");
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a handler panicked: {}", text.unwrap_or_default())
}
