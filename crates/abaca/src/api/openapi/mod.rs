//! The OpenAPI 3.1 document, made from the route table.
//!
//! Each row has a `Contract`, which stands beside its handler. One document describes all versions:
//! what only some versions have says so under `x-openstack`. [`document()`] also makes the document of
//! one version, from which all else is left out.

mod contract;
mod document;
mod faults;
mod narrow;
pub(in crate::api) mod schema;

use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ApiError, V, Versions};

pub(in crate::api) use contract::Contract;
pub use document::document;

/// The key under which the document says what OpenAPI has no words for.
const EXTENSION: &str = "x-openstack";
/// Where a definition stands until it is moved to the others.
const DEFINITION: &str = "x-definition";

fn definition_path(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// `min-ver` and `max-ver`, where they say anything.
fn version_keys(versions: Versions) -> Map<String, Value> {
    let mut keys = Map::new();
    if versions.first > V::MIN {
        keys.insert("min-ver".to_owned(), json!(versions.first.to_string()));
    }
    if versions.last < V::MAX {
        keys.insert("max-ver".to_owned(), json!(versions.last.to_string()));
    }
    keys
}

/// `GET /v2/openapi.json`: the document of all versions. Without a token, as it tells nothing of this
/// cloud, and clients read it before they have one.
///
/// # Errors
/// 405 for other methods than GET and HEAD.
pub(super) fn answer(method: &Method, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    static SERVED: LazyLock<(Bytes, String)> = LazyLock::new(|| {
        let text = document(None).to_string();
        let digest = Sha256::digest(text.as_bytes());
        let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        (Bytes::from(text), format!("\"{tag}\""))
    });
    if ![Method::GET, Method::HEAD].contains(method) {
        return Err(ApiError::MethodNotAllowed { allow: "GET, HEAD".to_owned() });
    }
    let (text, tag) = &*SERVED;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = |known: &str| known.trim() == "*" || known.contains(tag.as_str());
    let mut response = if known.is_some_and(is_known) {
        let mut unchanged = Response::new(Body::empty());
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        unchanged
    } else {
        let mut whole = Response::new(Body::from(text.clone()));
        let json = HeaderValue::from_static("application/json");
        whole.headers_mut().insert(header::CONTENT_TYPE, json);
        whole
    };
    let fresh_for = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, fresh_for);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The document as it is printed and kept in the repository.
#[must_use]
pub fn text(version: Option<V>) -> String {
    format!("{:#}\n", document(version))
}
