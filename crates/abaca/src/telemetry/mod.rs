//! What the running service tells its operator: log lines and Prometheus metrics.

pub mod logs;
pub mod metrics;

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The process already has a log subscriber.
    #[error("logging can't be set up")]
    Logs(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The process already has a metrics recorder, or a bucket list is empty.
    #[error("metrics can't be set up")]
    Metrics(#[source] Box<dyn std::error::Error + Send + Sync>),
}
