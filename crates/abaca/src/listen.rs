//! The listeners of the process: the API, and `/metrics` on it or on an address of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
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
    /// A listener failed while it served.
    #[error("a listener failed")]
    Serve(#[source] io::Error),
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
        tokio::try_join!(first, second).map_err(ListenError::Serve)?;
        shutdown.cancelled().await;
        Ok(())
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, ListenError> {
    listener.local_addr().map_err(ListenError::Serve)
}

/// Answers until `shutdown`, and for at most `patience` more to what came before: a client that
/// never finishes its request would hold up the end for ever.
async fn serve(
    listener: Option<TcpListener>,
    service: Router,
    shutdown: &CancellationToken,
    patience: Duration,
) -> io::Result<()> {
    let Some(listener) = listener else { return Ok(()) };
    let stopped = shutdown.clone().cancelled_owned();
    let served = axum::serve(listener, service).with_graceful_shutdown(stopped).into_future();
    let given_up = async {
        shutdown.cancelled().await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        served = served => served,
        () = given_up => {
            tracing::warn!("connections were left open by their clients; closing them");
            Ok(())
        }
    }
}
