//! The listeners of the process: the API, and `/metrics` on it or on an address of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::app::{Addresses, App, Role};
use crate::config::Config;
use crate::telemetry::metrics::Metrics;

/// Why the service does not listen, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, or not this machine's.
    #[error("can't listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The route table contradicts itself.
    #[error("the API's route table contradicts itself")]
    Routes(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A listener does not know where it listens.
    #[error("a listener failed")]
    Address(#[source] io::Error),
}

/// Bound, but not yet answering.
pub(crate) struct Listeners {
    api: Option<TcpListener>,
    metrics: Option<TcpListener>,
    addresses: Addresses,
}

impl Listeners {
    /// Binds what `role` needs.
    pub(crate) async fn bind(config: &Config, role: Role) -> Result<Self, ListenError> {
        let api = match role {
            Role::Api | Role::All => Some(bind(config.api.listen).await?),
            Role::Worker => None,
        };
        let metrics = match config.metrics.listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let api_address = api.as_ref().map(address).transpose()?;
        let own_address = metrics.as_ref().map(address).transpose()?;
        let shared_address = api_address.filter(|address| address.ip().is_loopback());
        let addresses = Addresses { api: api_address, metrics: own_address.or(shared_address) };
        Ok(Self { api, metrics, addresses })
    }

    /// Where they listen, port 0 resolved.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Whether `/metrics` is on the API's listener: it has none of its own, and nobody from outside
    /// reaches the API's.
    pub(crate) fn api_answers_metrics(&self) -> bool {
        self.metrics.is_none() && self.addresses.metrics.is_some()
    }

    /// Answers until `shutdown`, and then what has been asked before.
    pub(crate) async fn serve(
        self,
        app: Arc<App>,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<(), ListenError> {
        // Whoever has asked is answered within this time.
        let patience = app.settings.request_timeout;
        let api = api::service(app).map_err(ListenError::Routes)?;
        let render = async move || ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.render());
        let metrics = Router::new().route("/metrics", get(render));
        let first = serve(self.api, api, &shutdown, patience);
        let second = serve(self.metrics, metrics, &shutdown, patience);
        tokio::join!(first, second);
        shutdown.cancelled().await;
        Ok(())
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, ListenError> {
    listener.local_addr().map_err(ListenError::Address)
}

/// How long a client may take to send the head of a request, or a connection may be idle before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Answers until `shutdown`, and for at most `patience` more to what came before: a client that
/// never finishes its request would hold up the end for ever.
async fn serve(
    listener: Option<TcpListener>,
    service: Router,
    shutdown: &CancellationToken,
    patience: Duration,
) {
    if let Some(listener) = listener {
        let connections = accept(listener, service, shutdown, HEAD_TIMEOUT).await;
        if tokio::time::timeout(patience, connections.shutdown()).await.is_err() {
            tracing::warn!("connections were left open by their clients; closing them");
        }
    }
}

/// Takes connections until `shutdown`; those that are open are returned, and have to be ended.
///
/// Not axum's own loop: that one waits for ever for a head that never comes.
async fn accept(
    listener: TcpListener,
    service: Router,
    shutdown: &CancellationToken,
    head_timeout: Duration,
) -> GracefulShutdown {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let connections = GracefulShutdown::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let service = TowerToHyperService::new(service.clone());
                let connection = http.serve_connection(TokioIo::new(stream), service);
                let watched = connections.watch(connection);
                tokio::spawn(async move {
                    if let Err(error) = watched.await {
                        tracing::debug!(%error, "a connection was broken off");
                    }
                });
            }
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                // Out of file descriptors, most likely: those that are open have to end first.
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    connections
}

/// The client went away before it was accepted.
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    /// Until the other side closes.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn who_sends_no_head_is_not_waited_for_and_who_is_served_is_let_finish() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (says_began, waits) = (Arc::clone(&began), Arc::clone(&go_on));
        let slow = async move || {
            says_began.notify_one();
            waits.notified().await;
            "done"
        };
        let router = Router::new().route("/", get(async || "there")).route("/slow", get(slow));
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let accepting = tokio::spawn(async move {
            accept(listener, router, &stop, Duration::from_millis(100)).await
        });
        for text in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nx"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            assert_eq!(rest(&mut stream).await.ends_with("there"), text.contains("host"), "{text}");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        began.notified().await;
        shutdown.cancel();
        let connections = accepting.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nobody new is taken");
        go_on.notify_one();
        tokio::join!(connections.shutdown(), async {
            assert!(rest(&mut stream).await.ends_with("done"));
        });
    }
}
