//! The token by which the service itself may ask Keystone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use axum::http::header::HeaderValue;
use tokio::sync::{Mutex, MutexGuard};

use super::client::{Client, Deadline};
use super::failure::Failure;

/// How long a failed login is remembered. Each one that is refused counts towards locking the account.
const FAILURE_KEPT: Duration = Duration::from_secs(2);

/// A token of the service's own user.
#[derive(Debug)]
pub(super) struct Issued {
    /// Marked as sensitive: never printed.
    header: HeaderValue,
    /// From here on a new one is got.
    renew_at: Instant,
    /// From here on it is no good.
    ends_at: Instant,
}

impl Issued {
    /// A token that is good for `lifetime` from `asked` on.
    pub(super) fn new(mut header: HeaderValue, asked: Instant, lifetime: Duration) -> Self {
        header.set_sensitive(true);
        // Early enough that a question asked with it still finds it good.
        Self { header, renew_at: asked + lifetime.mul_f64(0.8), ends_at: asked + lifetime }
    }

    /// The token, as a header.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// The last login, if it failed.
#[derive(Debug)]
struct Failed {
    at: Instant,
    failure: Arc<Failure>,
}

impl Failed {
    /// Whether it stands for another try of one who came at `came`: he waited for it; or he has a
    /// token to go on with; or another try would fail just so.
    fn is_enough(&self, came: Instant, has_token: bool) -> bool {
        let lasts = has_token || !self.failure.is_passing();
        self.at >= came || lasts && self.at.elapsed() < FAILURE_KEPT
    }
}

/// Holds the token and renews it before it ends.
#[derive(Debug, Default)]
pub(super) struct OwnToken {
    held: ArcSwapOption<Issued>,
    /// Held by the one who logs in.
    last: Mutex<Option<Failed>>,
}

impl OwnToken {
    /// A token that is good, and not the one that Keystone `refused`. Of all who come while there is
    /// none one logs in, and the others wait for that; while it is only to be renewed they go on with
    /// the one that is held, as all do when that fails.
    pub(super) async fn get(
        &self,
        client: &Client,
        deadline: &Deadline,
        refused: Option<&Arc<Issued>>,
    ) -> Result<Arc<Issued>, Failure> {
        let came = Instant::now();
        let held = self.held(refused);
        if let Some(held) = &held
            && held.renew_at > came
        {
            return Ok(Arc::clone(held));
        }
        deadline
            .hold(async {
                let last = match (self.last.try_lock(), held) {
                    (Ok(last), _) => last,
                    (Err(_), Some(held)) => return Ok(held),
                    (Err(_), None) => self.last.lock().await,
                };
                self.renew(client, last, came, refused).await
            })
            .await
    }

    async fn renew(
        &self,
        client: &Client,
        mut last: MutexGuard<'_, Option<Failed>>,
        came: Instant,
        refused: Option<&Arc<Issued>>,
    ) -> Result<Arc<Issued>, Failure> {
        // Another may have got it meanwhile.
        let held = self.held(refused);
        if let Some(held) = &held
            && held.renew_at > Instant::now()
        {
            return Ok(Arc::clone(held));
        }
        let known = last.as_ref().filter(|failed| failed.is_enough(came, held.is_some()));
        if let Some(failed) = known {
            return held.ok_or(Failure::OwnToken(Arc::clone(&failed.failure)));
        }
        let failure = match client.issue().await {
            Ok(issued) => {
                let issued = Arc::new(issued);
                self.held.store(Some(Arc::clone(&issued)));
                *last = None;
                return Ok(issued);
            }
            Err(failure) => Arc::new(failure),
        };
        if let Some(held) = &held {
            let seconds_left = held.ends_at.saturating_duration_since(Instant::now()).as_secs();
            let reason = failure.chain();
            tracing::warn!(seconds_left, reason, "Abaca's own token at Keystone can't be renewed");
        }
        *last = Some(Failed { at: Instant::now(), failure: Arc::clone(&failure) });
        held.ok_or(Failure::OwnToken(failure))
    }

    /// The token that is held, while it is good.
    fn held(&self, refused: Option<&Arc<Issued>>) -> Option<Arc<Issued>> {
        self.held.load_full().filter(|held| {
            let was_refused = refused.is_some_and(|refused| Arc::ptr_eq(refused, held));
            held.ends_at > Instant::now() && !was_refused
        })
    }
}
