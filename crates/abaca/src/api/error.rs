//! Every answer that is no success, in the API's shape: `{"<fault>": {"code", "message"}}`.

use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::V;
use crate::identity::AuthError;

/// Why a request failed, and what the client is told about it.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400
    #[error("bad request: {0}")]
    BadRequest(String),
    /// 401, or 403 for a request that a web page may have made.
    #[error(transparent)]
    Identity(#[from] AuthError),
    /// 403
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// 404
    #[error("not found: {0}")]
    NotFound(String),
    /// 405
    #[error("method not allowed")]
    MethodNotAllowed {
        /// The methods that are, separated by commas.
        allow: String,
    },
    /// 406
    #[error("version {version} is not spoken")]
    NotAcceptable {
        /// The version the client asked for.
        version: V,
    },
    /// 408
    #[error("the request did not arrive in time")]
    RequestTimeout,
    /// 409
    #[error("conflict: {0}")]
    Conflict(String),
    /// 413: the body is too large, or a quota is used up.
    #[error("over limit: {0}")]
    OverLimit(String),
    /// 415
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// 422
    #[error("unprocessable: {0}")]
    Unprocessable(String),
    /// 503; the reason is logged, never told.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// 503: it took longer than `api.request_timeout`.
    #[error("the request took too long")]
    TimedOut,
    /// 500; the reason is logged, never told.
    #[error("internal error")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

const MALFORMED: &str = "The server could not comply with the request since it is either \
                         malformed or otherwise incorrect.";

impl ApiError {
    /// 400 with a message for the client.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    /// 400 without a word on what is wrong, where the reference has none either.
    #[must_use]
    pub fn malformed() -> Self {
        Self::BadRequest(MALFORMED.to_owned())
    }

    /// 403 before any resource was looked at.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::Forbidden("Access was denied to this resource.".to_owned())
    }

    /// 403 for what `rule` does not allow.
    #[must_use]
    pub fn policy_forbids(rule: &str) -> Self {
        Self::Forbidden(format!("Policy doesn't allow {rule} to be performed."))
    }

    /// 404 with a message for the client.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    /// 404 for a route that is not there.
    #[must_use]
    pub fn no_route() -> Self {
        Self::NotFound("The resource could not be found.".to_owned())
    }

    /// 409 with a message for the client.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict(message.into())
    }

    /// 500; `source` goes to the log only.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Identity(error) => error.status(),
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::OverLimit(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The key of the body. The reference has no name of its own for the rarer statuses.
    fn fault(&self) -> &'static str {
        match self.status() {
            StatusCode::BAD_REQUEST => "badRequest",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "itemNotFound",
            StatusCode::METHOD_NOT_ALLOWED => "badMethod",
            StatusCode::CONFLICT => "conflictingRequest",
            StatusCode::PAYLOAD_TOO_LARGE => "overLimit",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "badMediaType",
            StatusCode::SERVICE_UNAVAILABLE => "serviceUnavailable",
            _ => "computeFault",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::BadRequest(message)
            | Self::Forbidden(message)
            | Self::NotFound(message)
            | Self::Conflict(message)
            | Self::OverLimit(message)
            | Self::Unprocessable(message) => message.clone(),
            Self::Identity(error) => error.to_string(),
            Self::MethodNotAllowed { allow } => {
                format!("The method is not allowed for this resource. Allowed: {allow}.")
            }
            Self::NotAcceptable { version } => format!(
                "Version {version} is not supported by the API. Minimum is {} and maximum is {}.",
                V::MIN,
                V::MAX
            ),
            Self::RequestTimeout => "The request did not arrive in time.".to_owned(),
            Self::UnsupportedMediaType => {
                "The body of a request must be application/json.".to_owned()
            }
            Self::Unavailable(_) => {
                "The service is unavailable at the moment. Try again later.".to_owned()
            }
            Self::TimedOut => "The request took too long and was given up.".to_owned(),
            Self::Internal(_) => "The server has either erred or is incapable of performing the \
                                  requested operation."
                .to_owned(),
        }
    }

    fn body(&self) -> Value {
        let mut fault = json!({ "code": self.status().as_u16(), "message": self.message() });
        if let Self::OverLimit(_) = self {
            fault["retryAfter"] = json!("0");
        }
        json!({ self.fault(): fault })
    }

    fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Self::MethodNotAllowed { allow } => Some((header::ALLOW, allow.clone())),
            Self::OverLimit(_) => Some((header::RETRY_AFTER, "0".to_owned())),
            _ => None,
        }
    }

    /// The answer, without the headers that every answer has.
    pub(super) fn into_response(self) -> Response<Body> {
        if let Self::Identity(error) = self {
            return error.into_response();
        }
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = self.header()
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(name, value);
        }
        response
    }
}

impl From<abaca_store::Error> for ApiError {
    fn from(error: abaca_store::Error) -> Self {
        match error {
            // A conflict that is left after all retries: too much is going on at the moment.
            abaca_store::Error::Unavailable(_) | abaca_store::Error::Conflict(_) => {
                Self::Unavailable(error.into())
            }
            _ => Self::Internal(error.into()),
        }
    }
}

impl abaca_store::AsStoreError for ApiError {
    fn as_store_error(&self) -> Option<&abaca_store::Error> {
        match self {
            Self::Unavailable(source) | Self::Internal(source) => source.downcast_ref(),
            _ => None,
        }
    }
}
