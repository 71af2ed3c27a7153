//! The demo's HTTP client: one request on one connection. By hyper alone: reqwest wants the machine's
//! certificates even for plain HTTP, and a fresh machine may have none.

use std::net::SocketAddr;

use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::DemoError;
use crate::api::V;

/// Speaks to the service at one address as an administrator.
pub(super) struct Client {
    address: SocketAddr,
}

/// An answer and what it answers.
pub(super) struct Answer {
    request: String,
    pub(super) status: StatusCode,
    /// Null when there is none.
    pub(super) body: Value,
}

impl Answer {
    /// The error of an answer that does not fit the story.
    pub(super) fn unexpected(&self) -> DemoError {
        let answer = format!("{}: {}", self.status, self.body);
        DemoError::Unexpected { request: self.request.clone(), answer }
    }
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    /// Sends a request at the latest microversion. `path` goes behind `/v2`.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, DemoError> {
        let request = format!("{method} /v2{path}");
        let answered = self.exchange(method, path, body).await;
        let (status, body) =
            answered.map_err(|source| DemoError::Http { request: request.clone(), source })?;
        Ok(Answer { request, status, body })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let body = body.map_or_else(String::new, |body| body.to_string());
        let request = Request::builder()
            .method(method)
            .uri(format!("/v2{path}"))
            .header(header::HOST, self.address.to_string())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close")
            .header("x-openstack-manila-api-version", V::MAX.to_string())
            .body(Full::new(Bytes::from(body)))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (head, body) = response.into_parts();
            Ok::<_, hyper::Error>((head.status, body.collect().await?.to_bytes()))
        };
        // The connection must be driven for the exchange to go on; its own error shows there too.
        let (exchanged, _) = tokio::join!(exchange, connection);
        let (status, bytes) = exchanged?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
        Ok((status, body))
    }
}
