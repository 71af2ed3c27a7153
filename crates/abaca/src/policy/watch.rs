//! Takes over changed policy files while the service runs.
//!
//! The files are read again every second and compared. They are a few kilobytes; reading them costs
//! less than getting file-system notifications right would (NFS has none, Kubernetes swaps links,
//! editors replace files), and can't miss a change within one tick of a time stamp.

use std::time::Duration;

use super::{Policy, files::Sources, remote::chain};

const INTERVAL: Duration = Duration::from_secs(1);

/// Looks for changes of one policy's files.
#[derive(Debug)]
pub struct Watcher {
    policy: Policy,
    /// Seen changed at the last look, not yet taken over.
    pending: Option<Sources>,
    /// Refused, and said so.
    refused: Option<Sources>,
    /// The last reading error that was logged.
    logged: Option<String>,
}

impl Watcher {
    /// A watcher that has seen nothing yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, pending: None, refused: None, logged: None }
    }

    /// Watches until the future is dropped.
    pub async fn run(mut self) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            // Blocking, but for microseconds, and nowhere near a request.
            self.look();
        }
    }

    /// Looks once; says whether rules were taken over.
    ///
    /// A change is taken over at the second look that finds the same text, so that a file seen half
    /// written, which can be valid and lack the rules at its end, is not put in force. What can't
    /// be read or is malformed changes nothing and is logged once.
    pub fn look(&mut self) -> bool {
        let sources = match self.policy.read_sources() {
            Ok(sources) => sources,
            Err(error) => {
                self.pending = None;
                let error = chain(&error);
                if self.logged.as_ref() != Some(&error) {
                    tracing::error!(%error, "unreadable policy files change nothing");
                    self.logged = Some(error);
                }
                return false;
            }
        };
        self.logged = None;
        if self.policy.is_current(&sources) {
            (self.pending, self.refused) = (None, None);
            return false;
        }
        if self.refused.as_ref() == Some(&sources) {
            return false;
        }
        if self.pending.as_ref() != Some(&sources) {
            self.pending = Some(sources);
            return false;
        }
        self.pending = None;
        match self.policy.install(sources.clone()) {
            Ok(()) => {
                self.refused = None;
                true
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "malformed policy files change nothing");
                self.refused = Some(sources);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
