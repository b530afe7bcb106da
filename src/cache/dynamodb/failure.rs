//! What DynamoDB did not do, told apart.

use std::{error::Error, iter::successors};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::distribution::{BackendError, BackendErrorKind};

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    /// What happened, on what: for logs.
    pub(super) message: String,
}

/// Reasons, as far as the cache acts on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The condition does not hold: a tombstone is there.
    Refused,
    /// Somebody else was writing the same row.
    Conflict,
    /// There is no such table.
    NoTable,
    Throttled,
    Denied,
    Timeout,
    Failed,
}

impl Failure {
    pub(super) fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let late = match error {
            SdkError::TimeoutError(_) => true,
            SdkError::DispatchFailure(failure) => failure.is_timeout(),
            _ => false,
        };
        let mut causes = successors(error.source(), |cause| (*cause).source());
        let keys = causes.find_map(|cause| cause.downcast_ref::<CredentialsError>());
        let reason = match (error.code(), keys) {
            _ if late => Reason::Timeout,
            (Some(code), _) => Reason::of(code),
            (None, Some(CredentialsError::ProviderTimedOut(_))) => Reason::Timeout,
            (None, Some(_)) => Reason::Denied,
            (None, None) => Reason::Failed,
        };
        let message = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => DisplayErrorContext(error).to_string(),
        };
        Self { reason, message }
    }
}

impl Reason {
    /// "Error handling with DynamoDB"; the reasons of a cancelled transaction are in the API reference of
    /// TransactWriteItems.
    pub(super) fn of(code: &str) -> Self {
        match code {
            "ConditionalCheckFailedException" | "ConditionalCheckFailed" => Self::Refused,
            "TransactionConflictException" | "TransactionConflict" | "TransactionInProgressException" => Self::Conflict,
            "ResourceNotFoundException" => Self::NoTable,
            "ProvisionedThroughputExceededException"
            | "ProvisionedThroughputExceeded"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException"
            | "Throttling" => Self::Throttled,
            "AccessDeniedException"
            | "ExpiredTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "MissingAuthenticationTokenException"
            | "UnrecognizedClientException" => Self::Denied,
            _ => Self::Failed,
        }
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn passes(self) -> bool {
        match self {
            Self::Conflict | Self::Throttled | Self::Timeout | Self::Failed => true,
            Self::Refused | Self::NoTable | Self::Denied => false,
        }
    }
}

impl From<Failure> for BackendError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.reason {
            Reason::Throttled => BackendErrorKind::Throttled,
            Reason::Denied => BackendErrorKind::Denied,
            Reason::Timeout => BackendErrorKind::Timeout,
            Reason::Refused | Reason::Conflict | Reason::NoTable | Reason::Failed => BackendErrorKind::Failed,
        };
        Self::new(kind, failure.message)
    }
}
