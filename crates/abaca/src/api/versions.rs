//! The version documents, by which clients find out what is spoken here.

use axum::http::{HeaderMap, StatusCode};
use serde_json::json;

use super::links::root_url;
use super::{ApiError, Reply, V};

/// The document of `/` (300, "choose") and of `/v2/` (200).
pub(super) fn document(
    status: StatusCode,
    public_url: Option<&str>,
    headers: &HeaderMap,
) -> Result<Reply, ApiError> {
    let root = root_url(public_url, headers);
    let document = json!({
        "versions": [{
            "id": "v2.0",
            "status": "CURRENT",
            "version": V::MAX.to_string(),
            "min_version": V::MIN.to_string(),
            "updated": "2015-08-27T11:33:21Z",
            "links": [
                { "rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/" },
                { "rel": "self", "href": format!("{root}/v2/") },
            ],
            "media-types": [{
                "base": "application/json",
                "type": "application/vnd.openstack.share+json;version=1",
            }],
        }],
    });
    Reply::json(status, &document)
}
