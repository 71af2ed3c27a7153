//! `/healthcheck`, for load balancers: no token, the answer in the form that was asked for.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

/// The answer: `OK` as text, JSON or HTML; an empty 204 for HEAD.
pub(super) fn answer(method: &Method, headers: &HeaderMap) -> Response<Body> {
    if *method == Method::HEAD {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let (media_type, text) = match preferred(accept) {
        "application/json" => ("application/json", r#"{"detailed": false, "reasons": ["OK"]}"#),
        "text/html" => (
            "text/html; charset=UTF-8",
            "<html><head><title>Healthcheck Status</title></head><body><p>OK</p></body></html>",
        ),
        _ => ("text/plain; charset=UTF-8", "OK"),
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The first of the media types in `accept` that we have; qualities are not weighed.
fn preferred(accept: &str) -> &str {
    accept
        .split(',')
        .map(|part| part.split(';').next().unwrap_or(part).trim())
        .find(|name| matches!(*name, "application/json" | "text/html" | "text/plain" | "*/*"))
        .unwrap_or("text/plain")
}
