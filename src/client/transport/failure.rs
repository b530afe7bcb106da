//! Why a request did not do what it was for.

use std::time::Duration;

use http::StatusCode;

use super::said::Said;
use crate::{
    client::spoken::spoken,
    context::DeadlinePassed,
    distribution::{BackendError, BackendErrorKind},
};

/// A request that failed. Each says what, on which host, and what to do where there is something.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::client) enum Failure {
    /// There is no connection.
    #[error("{host} cannot be reached: {cause}; {hint}")]
    Unreachable {
        host: String,
        cause: String,
        hint: &'static str,
        /// Whether it may be reached in a moment: not with a wrong certificate.
        passing: bool,
        /// What TLS found wrong, where that is the cause.
        tls: Option<Box<rustls::Error>>,
    },
    /// There was one.
    #[error("the connection to {host} broke off: {cause}")]
    BrokenOff { host: String, cause: String },
    /// There is one, and nothing comes.
    #[error("{host} was silent for {after:?}; try again")]
    Silent { host: String, after: Duration },
    /// The time of the whole call ran out.
    #[error(transparent)]
    Late(#[from] DeadlinePassed),
    /// A status that says so.
    #[error("{}", answered(host, what, *status, said))]
    Answered { host: String, what: String, status: StatusCode, said: Box<Said> },
    /// An answer that is not true, or not to be followed.
    #[error("{host} {what}")]
    Wrong { host: String, what: String },
    /// Nobody is let in so.
    #[error("{host} does not let this in: {reason}")]
    Refused { host: String, reason: String },
    /// What was to be sent is not to be had.
    #[error("what was to be sent cannot be read: {0}")]
    Source(String),
}

fn answered(host: &str, what: &str, status: StatusCode, said: &Said) -> String {
    let reason = said.reason();
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let advice = match status {
        StatusCode::UNAUTHORIZED => "; log in, or ask whoever runs it for access",
        StatusCode::FORBIDDEN => "; ask whoever runs it for access",
        StatusCode::TOO_MANY_REQUESTS => "; it has too much to do, so try again later",
        status if status.is_server_error() => "; try again later",
        _ => "",
    };
    format!("{host} answers {status} to {what}{reason}{advice}")
}

impl Failure {
    /// `host` said something that `what` finishes the sentence of. What is quoted in it is cleaned.
    pub(in crate::client) fn wrong(host: &str, what: impl AsRef<str>) -> Self {
        Self::Wrong { host: host.to_owned(), what: spoken(what.as_ref()) }
    }

    /// Whether the same may go well in a moment.
    pub(in crate::client) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { passing, .. } => *passing,
            Self::BrokenOff { .. } | Self::Silent { .. } => true,
            Self::Answered { status, .. } => is_busy(*status),
            Self::Late(_) | Self::Wrong { .. } | Self::Refused { .. } | Self::Source(_) => false,
        }
    }

    /// The status and the errors of the answer, where there was one.
    pub(in crate::client) fn answer(&self) -> Option<(StatusCode, &Said)> {
        match self {
            Self::Answered { status, said, .. } => Some((*status, said)),
            _ => None,
        }
    }
}

/// Whether `status` says that the same may go well in a moment.
pub(super) fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}

impl From<Failure> for BackendError {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::Silent { .. } | Failure::Late(_) => BackendErrorKind::Timeout,
            Failure::Refused { .. } => BackendErrorKind::Denied,
            Failure::Answered { status, .. } => match status.as_u16() {
                401 | 403 => BackendErrorKind::Denied,
                429 => BackendErrorKind::Throttled,
                503 | 504 => BackendErrorKind::Timeout,
                400..500 => BackendErrorKind::Refused,
                _ => BackendErrorKind::Failed,
            },
            _ => BackendErrorKind::Failed,
        };
        Self::new(kind, failure.to_string())
    }
}
