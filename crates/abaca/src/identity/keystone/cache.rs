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

/// Most memory for validated tokens, in bytes. Most take about 1 KB; one with thousands of roles more.
const MAX_VALID: u64 = 16 << 20;
/// What a token takes beside itself in the cache, in bytes, about.
const OVERHEAD: usize = 256;
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
        let weight = |_: &Key, validated: &Validated| {
            u32::try_from(validated.token.bytes() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let valid = Cache::builder()
            .max_capacity(MAX_VALID)
            .weigher(weight)
            .expire_after(Lifetime { longest });
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A token with so many roles.
    fn token(roles: usize) -> Token {
        let roles: Vec<_> =
            (0..roles).map(|n| json!({"name": format!("role-{n:0>100}")})).collect();
        let ends = Timestamp::now().after(Duration::from_secs(3600));
        let token = json!({"token": {
            "user": {"id": "u"}, "roles": roles, "expires_at": format!("{ends}Z"),
        }});
        Token::parse(token.to_string().as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn large_tokens_fill_no_more_memory_than_small_ones() {
        let cache = TokenCache::new(Duration::from_secs(300));
        assert!((1..1_000).contains(&token(1).bytes()), "{}", token(1).bytes());
        let large = token(8_000);
        assert!(large.bytes() > 800_000, "{}", large.bytes());
        for number in 0..100_u8 {
            let key = Key::new(&[number], false);
            cache.get(key, async { Ok((large.clone(), Instant::now())) }).await.unwrap();
        }
        cache.valid.run_pending_tasks().await;
        assert!((1..=MAX_VALID).contains(&cache.valid.weighted_size()));
        assert!((1..=20).contains(&cache.valid.entry_count()), "{}", cache.valid.entry_count());
    }
}
