//! One row of the route table, and finding the row a request belongs to.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;

use super::body::malformed_body;
use super::openapi::Contract;
use super::{ApiError, Call, Microversion, Reply, Versions};

/// A handler's future.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send>>;
type Handler = Arc<dyn Fn(Call) -> Answer + Send + Sync>;

/// Who holds a route's rule against the caller, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The router, with the caller's own project as the target, before the handler runs. A handler
    /// that loads a resource checks the rule again with it.
    Router,
    /// The handler alone, since the rule needs the resource.
    Handler,
    /// Nobody: it has no rule, and everybody who is known may.
    Nobody,
}

/// One row of the route table.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path behind `/v2` or `/v2/{project_id}`.
    pub path: &'static str,
    /// The key of the body that chooses this row, where the path ends in `/action`.
    pub action: Option<&'static str>,
    /// The versions that have it.
    pub versions: Versions,
    /// It is there only for requests that ask for experimental operations.
    pub experimental: bool,
    /// The policy rule that allows it; empty where there is none.
    pub rule: &'static str,
    /// Who checks that rule.
    pub check: Check,
    handler: Handler,
    /// What it takes and answers, for the OpenAPI document.
    pub(super) contract: Option<fn() -> Contract>,
}

impl Route {
    fn new<H, F>(
        method: Method,
        path: &'static str,
        versions: impl Into<Versions>,
        rule: &'static str,
        handler: H,
    ) -> Self
    where
        H: Fn(Call) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
    {
        Self {
            method,
            path,
            action: None,
            versions: versions.into(),
            experimental: false,
            rule,
            check: Check::Router,
            handler: Arc::new(move |call| Box::pin(handler(call))),
            contract: None,
        }
    }

    /// What it takes and answers.
    #[must_use]
    pub(super) fn described_by(mut self, contract: fn() -> Contract) -> Self {
        self.contract = Some(contract);
        self
    }

    /// Only for requests that ask for experimental operations.
    #[must_use]
    pub fn experimental(mut self) -> Self {
        self.experimental = true;
        self
    }

    /// The rule is the handler's to check, since it needs the resource.
    #[must_use]
    pub fn checked_by_handler(mut self) -> Self {
        self.check = Check::Handler;
        self
    }

    /// Without a rule: for everybody who is known.
    #[must_use]
    pub fn without_rule(mut self) -> Self {
        self.check = Check::Nobody;
        self
    }

    /// Runs the handler.
    pub(super) fn run(&self, call: Call) -> Answer {
        (self.handler)(call)
    }

    fn is_there(&self, spoken: Microversion) -> bool {
        self.versions.contains(spoken.version) && (spoken.experimental || !self.experimental)
    }
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {$(
        #[doc = concat!("A `", stringify!($method), "` row.")]
        pub fn $name<H, F>(
            path: &'static str,
            versions: impl Into<Versions>,
            rule: &'static str,
            handler: H,
        ) -> Route
        where
            H: Fn(Call) -> F + Send + Sync + 'static,
            F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
        {
            Route::new(Method::$method, path, versions, rule, handler)
        }
    )*};
}

methods! {
    get GET;
    post POST;
    put PUT;
    delete DELETE;
}

/// A row for the action `name`: a POST whose body has just that key. `path` ends in `/action`.
pub fn action<H, F>(
    path: &'static str,
    name: &'static str,
    versions: impl Into<Versions>,
    rule: &'static str,
    handler: H,
) -> Route
where
    H: Fn(Call) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    Route { action: Some(name), ..Route::new(Method::POST, path, versions, rule, handler) }
}

/// The route table, indexed by path.
pub(super) struct RouteTable {
    routes: Vec<Route>,
    /// For every path its rows, as positions in `routes`.
    paths: matchit::Router<Vec<usize>>,
}

/// A path of the table that a request's path matches.
pub(super) struct Matched<'t> {
    table: &'t RouteTable,
    rows: &'t [usize],
    /// The values of the placeholders, still percent-encoded.
    pub(super) path: Vec<(&'static str, String)>,
}

impl RouteTable {
    /// Indexes the rows.
    ///
    /// # Errors
    /// When two paths differ only in the names of their placeholders.
    pub(super) fn new(routes: Vec<Route>) -> Result<Self, matchit::InsertError> {
        let mut by_path: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (position, route) in routes.iter().enumerate() {
            match by_path.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, rows)) => rows.push(position),
                None => by_path.push((route.path, vec![position])),
            }
        }
        let mut paths = matchit::Router::new();
        for (path, rows) in by_path {
            paths.insert(path, rows)?;
        }
        Ok(Self { routes, paths })
    }

    /// The rows of `path`, if there are any in any version.
    pub(super) fn find(&self, path: &str) -> Option<Matched<'_>> {
        let found = self.paths.at(path).ok()?;
        let template = self.routes.get(*found.value.first()?)?.path;
        let path = found
            .params
            .iter()
            .filter_map(|(name, value)| Some((static_name(template, name)?, value.to_owned())))
            .collect();
        Some(Matched { table: self, rows: found.value, path })
    }
}

/// `name` as it stands in `template`, where it lives as long as the table.
fn static_name(template: &'static str, name: &str) -> Option<&'static str> {
    let mut names = template.split(['{', '}']).skip(1).step_by(2);
    names.find(|candidate| *candidate == name)
}

impl<'t> Matched<'t> {
    fn rows(&self) -> impl Iterator<Item = &'t Route> {
        let table = self.table;
        self.rows.iter().filter_map(move |position| table.routes.get(*position))
    }

    /// Whether the request's body matters for choosing the row, or for its handler.
    pub(super) fn takes_body(method: &Method) -> bool {
        *method == Method::POST || *method == Method::PUT
    }

    /// The row for `method` and version.
    ///
    /// # Errors
    /// 404 when this version lacks it, 405 when it has other methods only, 400 for an unknown action.
    pub(super) fn choose(
        &self,
        method: &Method,
        spoken: Microversion,
        body: Option<&Value>,
    ) -> Result<&'t Route, ApiError> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        // An action that this version lacks is told apart from the method below.
        let takes = |route: &Route| route.action.is_some() || route.is_there(spoken);
        if !self.rows().any(|route| route.method == *method && takes(route)) {
            return Err(self.method_not_allowed(spoken));
        }
        let mut rows = self.rows().filter(|route| route.method == *method).peekable();
        let name = match rows.peek() {
            Some(route) if route.action.is_some() => Some(action_name(body)?),
            _ => None,
        };
        let mut named = rows.filter(|route| route.action == name).peekable();
        if let (Some(name), None) = (name, named.peek()) {
            return Err(ApiError::bad_request(format!("There is no such action: {name}")));
        }
        named.find(|route| route.is_there(spoken)).ok_or_else(ApiError::no_route)
    }

    fn method_not_allowed(&self, spoken: Microversion) -> ApiError {
        let mut allowed: Vec<&str> = self
            .rows()
            .filter(|route| route.is_there(spoken))
            .map(|route| route.method.as_str())
            .collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        allowed.dedup();
        // Where nothing can be, no other method would help: as the reference, which has no 405 at all.
        let no_id =
            |(name, value): &(&str, String)| *name == "id" && uuid::Uuid::try_parse(value).is_err();
        if allowed.is_empty() || self.path.iter().any(no_id) {
            return ApiError::no_route();
        }
        ApiError::MethodNotAllowed { allow: allowed.join(", ") }
    }
}

/// The only key of an action's body.
fn action_name(body: Option<&Value>) -> Result<&str, ApiError> {
    let map = body.and_then(Value::as_object).filter(|map| map.len() == 1);
    map.and_then(|map| map.keys().next()).map(String::as_str).ok_or_else(malformed_body)
}
