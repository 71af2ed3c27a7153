//! Why Keystone has not vouched for a token.

use std::sync::Arc;

use reqwest::StatusCode;

use super::token::TokenError;

/// Why there is no validated token.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Keystone says that the token is no good.
    #[error("Keystone does not accept the token")]
    Refused,
    /// Keystone says that the service's own token is no good.
    #[error("Keystone does not accept the token that it has just given to Abaca's own user")]
    OwnTokenRefused,
    /// The service's own user, password or project is wrong.
    #[error(
        "Keystone does not let Abaca's own user in (status {0}): identity.username, its password, \
         project or domains, or the application credential are wrong"
    )]
    LogIn(StatusCode),
    /// There is no token of the service's own, by a login that others waited for too, or remember.
    #[error(transparent)]
    OwnToken(Arc<Self>),
    /// The service's own user may not ask.
    #[error(
        "Keystone does not let Abaca's own user validate tokens (status 403): it needs the role \
         \"service\" (or \"admin\") in its project"
    )]
    NotAllowed,
    /// There was no answer.
    #[error("Keystone can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Any other answer.
    #[error("what is at identity.auth_url answered with status {0}, and not as Keystone does")]
    Status(StatusCode),
    /// An answer without the token in it.
    #[error("Keystone's answer can't be read: {0}")]
    Unreadable(&'static str),
    /// An answer with a token that can't be.
    #[error("Keystone's answer can't be read")]
    Token(#[from] TokenError),
    /// All tries together took too long.
    #[error("Keystone did not answer in time (identity.timeout_seconds)")]
    TimedOut,
    /// So many are asking that there was no turn in time.
    #[error(
        "more tokens came than Keystone validates in time (identity.timeout_seconds); the metric \
         abaca_keystone_validations_total tells whether they are good ones"
    )]
    Crowded,
}

impl Failure {
    /// Whether it may be over in a moment.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::OwnToken(failure) => failure.is_passing(),
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    )
            }
            _ => false,
        }
    }

    /// The failure with all that caused it, on one line.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}
