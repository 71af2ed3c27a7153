//! How a step can fail. The raising site says, by type, whether trying again can help.

use std::error::Error;

use abaca_drivers::DriverError;

type Source = Box<dyn Error + Send + Sync>;

/// Why a step did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It may succeed later.
    #[error("it failed for now")]
    Passing(#[source] Source),
    /// Nothing failed: it can only go on when something else has ended.
    #[error("it waits")]
    Waiting(&'static str),
    /// As [`Failure::Waiting`], said by a backend.
    #[error("it waits")]
    Busy(#[source] DriverError),
    /// It never will.
    #[error(transparent)]
    Permanent(Permanent),
    /// An administrator or a later operation took the resource over.
    #[error("its resource was taken over")]
    Superseded,
    /// Another runner took the operation over.
    #[error("its lease was lost")]
    LeaseLost,
}

/// A failure for good.
#[derive(Debug, thiserror::Error)]
#[error("it failed")]
pub(super) struct Permanent {
    /// What the tenant is told, in a sentence.
    pub(super) message: String,
    /// What the log says.
    pub(super) source: Source,
}

impl Failure {
    /// A failure for good.
    pub(super) fn permanent(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Permanent(Permanent { message: message.into(), source: source.into() })
    }
}

impl From<abaca_store::Error> for Failure {
    fn from(error: abaca_store::Error) -> Self {
        match error {
            abaca_store::Error::Decode { .. } => {
                Self::permanent("The service's records of this resource are damaged.", error)
            }
            _ => Self::Passing(error.into()),
        }
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        let message = match &error {
            DriverError::Transient { .. } => return Self::Passing(error.into()),
            DriverError::Busy { .. } => return Self::Busy(error),
            DriverError::NotFound { .. } => "The storage backend no longer holds what was needed.",
            DriverError::NoSpace { .. } => "The storage backend has no space left.",
            DriverError::ShrinkBelowData { .. } => {
                "The share holds more data than the new size has room for."
            }
            DriverError::Unsupported { .. } => "The storage backend does not support this.",
            DriverError::InvalidInput { .. } => "The storage backend refused the request.",
            DriverError::Damaged { .. } => "What the storage backend holds is damaged.",
            DriverError::Failed { .. } => "The storage backend failed.",
        };
        Self::permanent(message, error)
    }
}

/// An error and its causes, in one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
