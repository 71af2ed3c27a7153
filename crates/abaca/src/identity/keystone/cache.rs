//! What Keystone said of tokens, for a while.
//!
//! Tokens are known by their SHA-256 alone, so that nobody reads one out of the memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use abaca_model::Timestamp;
use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::token::Token;

/// Most validated tokens that are kept, of about 1 KB each.
const MAX_VALID: u64 = 10_000;
/// Most refused tokens that are kept. They have a place of their own: a flood of bad tokens drives
/// no good one out.
const MAX_REFUSED: u64 = 10_000;
/// How long a refusal is kept. Short: a token that was just made may have been asked for too early,
/// or of a replica of Keystone's that lags behind.
const REFUSED_FOR: Duration = Duration::from_secs(2);

/// By what a token is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    digest: [u8; 32],
    /// Asked for by a service, to which an expired token is good.
    expired_too: bool,
}

impl Key {
    pub(super) fn new(token: &[u8], expired_too: bool) -> Self {
        Self { digest: Sha256::digest(token).into(), expired_too }
    }
}

/// A validated token.
#[derive(Clone)]
struct Validated {
    token: Arc<Token>,
    /// When Keystone was asked; its word is as old as that.
    asked: Instant,
}

/// How long a validated token is kept.
struct Lifetime {
    longest: Duration,
}

impl Expiry<Key, Validated> for Lifetime {
    fn expire_after_create(&self, key: &Key, value: &Validated, _: Instant) -> Option<Duration> {
        let believed = self.longest.saturating_sub(value.asked.elapsed());
        let left = value.token.expires_at.since(Timestamp::now());
        Some(if key.expired_too { believed } else { believed.min(left) })
    }
}

/// The cache: bounded in size and time.
pub(super) struct TokenCache {
    valid: Cache<Key, Validated>,
    refused: Cache<Key, ()>,
}

impl TokenCache {
    /// A cache that believes a validated token for `longest`.
    pub(super) fn new(longest: Duration) -> Self {
        let valid = Cache::builder().max_capacity(MAX_VALID).expire_after(Lifetime { longest });
        let refused =
            Cache::builder().max_capacity(MAX_REFUSED).time_to_live(REFUSED_FOR.min(longest));
        Self { valid: valid.build(), refused: refused.build() }
    }

    /// The token, or what `ask` says of it: the token and when Keystone was asked. Of all who want the
    /// same token at once one asks.
    pub(super) async fn get(
        &self,
        key: Key,
        ask: impl Future<Output = Result<(Token, Instant), Failure>>,
    ) -> Result<Arc<Token>, Arc<Failure>> {
        if self.refused.get(&key).await.is_some() {
            return Err(Arc::new(Failure::Refused));
        }
        let ask = async {
            let (token, asked) = ask.await?;
            Ok(Validated { token: Arc::new(token), asked })
        };
        let found = self.valid.try_get_with(key, ask).await;
        let found = found.and_then(|validated| {
            // Also what was just answered: the clocks may differ.
            let ended = validated.token.expires_at <= Timestamp::now();
            if ended && !key.expired_too { Err(Arc::new(Failure::Refused)) } else { Ok(validated) }
        });
        if found.as_ref().is_err_and(|failure| matches!(**failure, Failure::Refused)) {
            self.refused.insert(key, ()).await;
        }
        found.map(|validated| validated.token)
    }
}
