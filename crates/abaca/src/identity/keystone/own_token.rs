//! The token by which the service itself may ask Keystone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::HeaderValue;
use tokio::sync::Mutex;

use super::client::{Client, Deadline};
use super::failure::Failure;

/// A token of the service's own user.
#[derive(Debug)]
pub(super) struct Issued {
    /// Marked as sensitive: never printed.
    header: HeaderValue,
    /// From here on a new one is got.
    renew_at: Instant,
}

impl Issued {
    /// A token that is good for `lifetime` from now on.
    pub(super) fn new(mut header: HeaderValue, lifetime: Duration) -> Self {
        header.set_sensitive(true);
        // Early enough that a question asked with it still finds it good.
        Self { header, renew_at: Instant::now() + lifetime.mul_f64(0.8) }
    }

    /// The token, as a header.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// Holds the token and renews it before it ends.
#[derive(Debug, Default)]
pub(super) struct OwnToken {
    held: Mutex<Option<Arc<Issued>>>,
}

impl OwnToken {
    /// A token that is good, and not the one that Keystone `refused`. Whoever comes while it is being
    /// renewed waits for that: only one asks.
    pub(super) async fn get(
        &self,
        client: &Client,
        deadline: &Deadline,
        refused: Option<&Arc<Issued>>,
    ) -> Result<Arc<Issued>, Failure> {
        deadline
            .hold(async {
                let mut held = self.held.lock().await;
                if let Some(issued) = &*held
                    && issued.renew_at > Instant::now()
                    && !refused.is_some_and(|refused| Arc::ptr_eq(refused, issued))
                {
                    return Ok(Arc::clone(issued));
                }
                let issued = Arc::new(client.issue().await?);
                *held = Some(Arc::clone(&issued));
                Ok(issued)
            })
            .await
    }
}
