//! The id that ties an answer, the log and what other services logged about the same work.

use std::fmt;

use axum::http::{HeaderMap, HeaderValue};
use uuid::Uuid;

pub(super) const REQUEST_ID_HEADER: &str = "x-openstack-request-id";

/// `req-` and a UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id another service gave this work, if it is well-formed, else a new one.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| {
                // 36 characters: the hyphenated form only.
                text.strip_prefix("req-")
                    .is_some_and(|id| id.len() == 36 && Uuid::try_parse(id).is_ok())
            })
            .map_or_else(|| Self(format!("req-{}", Uuid::new_v4())), |text| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
