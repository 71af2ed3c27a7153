//! What a handler answers when all went well.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::ApiError;

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    json: Option<Body>,
}

impl Reply {
    /// 200 and `value` as JSON.
    ///
    /// # Errors
    /// 500 when `value` can't be written as JSON.
    pub fn ok(value: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(StatusCode::OK, value)
    }

    /// `status` and `value` as JSON.
    ///
    /// # Errors
    /// 500 when `value` can't be written as JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, ApiError> {
        let text = serde_json::to_vec(value).map_err(ApiError::internal)?;
        Ok(Self { status, json: Some(Body::from(text)) })
    }

    /// 200 and JSON that is ready.
    #[must_use]
    pub fn ready_json(text: impl Into<Bytes>) -> Self {
        Self::json_body(Body::from(text.into()))
    }

    /// 200 and JSON that comes piece by piece.
    #[must_use]
    pub fn json_body(body: Body) -> Self {
        Self { status: StatusCode::OK, json: Some(body) }
    }

    /// 202 without a body.
    #[must_use]
    pub fn accepted() -> Self {
        Self::empty(StatusCode::ACCEPTED)
    }

    /// `status` without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, json: None }
    }

    /// The answer, without the headers that every answer has.
    pub(super) fn into_response(self) -> Response<Body> {
        let has_json = self.json.is_some();
        let mut response = Response::new(self.json.unwrap_or_default());
        *response.status_mut() = self.status;
        if has_json {
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        response
    }
}
