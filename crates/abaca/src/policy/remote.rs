//! `http:` and `https:` checks: another service is asked, and only the answer `True` allows.
//!
//! The request is the one `oslo.policy` makes: a POST of a form with the rule, the target and the
//! credentials as JSON. Stricter than there: certificates are always verified, redirects and
//! proxies are not followed, and an answer counts only with a success status.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{Client, Url, redirect};
use serde_json::Value;

use super::{
    attributes::{CredentialAttributes, Target},
    evaluate::Failure,
};

/// Longest that all remote checks of one decision may take together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most remote checks of one decision.
const MAX_ASKED: usize = 16;

/// Longest answer that is looked at, in bytes; `True` has four.
const MAX_ANSWER_BYTES: usize = 64;

/// Asks other services; the client is made at the first question.
#[derive(Debug, Default)]
pub(super) struct Remote {
    client: OnceLock<Result<Client, String>>,
}

/// What is asked about.
pub(super) struct Question<'a> {
    pub(super) rule: &'a str,
    pub(super) credentials: &'a dyn CredentialAttributes,
    pub(super) target: Target<'a>,
    /// How many were asked before in this decision.
    pub(super) asked: usize,
    /// When the first was asked.
    pub(super) since: Instant,
}

impl Remote {
    /// Asks one service; whatever is not a plain yes or no in time is a failure.
    pub(super) async fn ask(&self, url: &str, question: &Question<'_>) -> Result<bool, Failure> {
        let shown = url.split(['?', '#']).next().unwrap_or_default();
        let failed = |reason: String| Failure::Remote { url: shown.to_owned(), reason };
        if question.asked >= MAX_ASKED {
            return Err(failed(format!("a decision may ask at most {MAX_ASKED} services")));
        }
        let left = TIMEOUT.saturating_sub(question.since.elapsed());
        match tokio::time::timeout(left, self.post(url, question)).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(failed(format!("none within {} s", TIMEOUT.as_secs()))),
        }
    }

    async fn post(&self, url: &str, question: &Question<'_>) -> Result<bool, String> {
        let client = self.client.get_or_init(build_client).as_ref().map_err(Clone::clone)?;
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let form = [
            ("rule", Value::from(question.rule).to_string()),
            ("target", question.target.to_json().to_string()),
            ("credentials", Value::Object(question.credentials.to_map()).to_string()),
        ];
        let without_url = |error: reqwest::Error| chain(&error.without_url());
        let mut response = client.post(url).form(&form).send().await.map_err(without_url)?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(without_url)? {
            answer.extend_from_slice(&chunk);
            if answer.len() > MAX_ANSWER_BYTES {
                return Ok(false);
            }
        }
        Ok(String::from_utf8_lossy(&answer).trim_matches('"') == "True")
    }
}

fn build_client() -> Result<Client, String> {
    // reqwest takes the process's provider; another part of the service may have set the same one
    // already.
    _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| chain(&error))
}

/// An error with all that caused it, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
