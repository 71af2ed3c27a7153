//! Why a request has no caller, and how that is answered.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::keystone::Failure;

/// When to try again while Keystone is away, in seconds.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Why a request is refused before anyone looks at what it asks for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthError {
    /// 401: no acceptable token.
    #[error("the request needs a valid token: {reason}")]
    Unauthenticated {
        /// What is wrong with the token, for the caller to read.
        reason: String,
        /// The `WWW-Authenticate` header that goes with the answer.
        challenge: HeaderValue,
    },
    /// 403: the request came by a foreign name or from a foreign web page.
    #[error(
        "the {header} header \"{value}\" does not name this machine's loopback: with the noauth \
         identity only localhost, 127.0.0.0/8 and [::1] are served, so that no web page reaches it"
    )]
    Foreign {
        /// The header that gave it away.
        header: HeaderName,
        /// Its value, made printable.
        value: String,
    },
    /// 503: the identity service can't say who is calling. The reason is logged, never told.
    #[error("the identity service is unavailable at the moment; try again later")]
    Unavailable(#[source] Arc<Failure>),
}

impl AuthError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::Foreign { .. } => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// 401 has the shape of Keystone's middleware, the others that of the API's own faults.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let status = self.status();
        let code = status.as_u16();
        let message = self.to_string();
        let json_type = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::Unauthenticated { challenge, .. } => {
                let body =
                    json!({"error": {"code": code, "title": "Unauthorized", "message": message}});
                (status, [json_type, (WWW_AUTHENTICATE, challenge)], body.to_string())
                    .into_response()
            }
            Self::Foreign { .. } => {
                let body = json!({"forbidden": {"code": code, "message": message}});
                (status, [json_type], body.to_string()).into_response()
            }
            Self::Unavailable(_) => {
                let body = json!({"serviceUnavailable": {"code": code, "message": message}});
                (status, [json_type, (RETRY_AFTER, RETRY_SECONDS)], body.to_string())
                    .into_response()
            }
        }
    }
}

/// Why the configured identity can't be made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Keystone is chosen, but not how to reach it.
    #[error("identity.strategy is \"keystone\", but its settings are not complete")]
    Incomplete,
    /// The certificates can't be had.
    #[error("identity.cafile {} can't be used", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The rest of the HTTP client's settings can't be used.
    #[error("no client of Keystone can be made")]
    Client(#[source] reqwest::Error),
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;

    async fn body(error: AuthError) -> Value {
        let bytes = to_bytes(error.into_response().into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn answers_have_the_shape_clients_know() {
        let challenge = HeaderValue::from_static("NoAuth realm=\"abaca\"");
        let error = AuthError::Unauthenticated { reason: "none sent".into(), challenge };
        let response = error.clone().into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "NoAuth realm=\"abaca\"");
        let body_401 = body(error).await;
        assert_eq!(
            (&body_401["error"]["code"], &body_401["error"]["title"]),
            (&json!(401), &json!("Unauthorized"))
        );

        let error =
            AuthError::Foreign { header: axum::http::header::HOST, value: "x.example".into() };
        assert_eq!(error.clone().into_response().status(), 403);
        let body_403 = body(error).await;
        assert_eq!(body_403["forbidden"]["code"], 403);
        assert!(body_403["forbidden"]["message"].as_str().unwrap().contains("x.example"));
    }
}
