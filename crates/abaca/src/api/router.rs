//! The whole route table of the API.
//!
//! A row: method, path behind `/v2` or `/v2/{project_id}`, the versions that have it, the policy rule
//! that allows it, the handler. Rows of one path may differ by version. A path that is here, but not
//! in the version a request speaks, answers 404, as a path that is nowhere.

use super::Route;

/// Every route of the API, the version documents, `/healthcheck` and `/metrics` apart.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
    ]
}
