//! One error for all backends: each maps its own to it, once.

use std::fmt;

use super::Path;
use crate::{
    context::DeadlinePassed,
    distribution::{BackendError, BackendErrorKind},
};

/// What a driver could not do.
#[derive(Debug, Clone)]
pub struct DriverError {
    /// What kind of failure.
    pub kind: DriverErrorKind,
    /// On what.
    pub path: Path,
    /// What the backend said, for logs.
    pub message: String,
}

/// Kinds of failure, as far as a caller acts on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverErrorKind {
    /// Nothing is there.
    NotFound,
    /// Something is there already, and the write was to create only.
    Precondition,
    /// The content does not have the checksum that it was to have. Nothing was written.
    Checksum,
    /// The content broke off, or is longer or shorter than it was said to be. Nothing was written.
    Content,
    /// The content is longer than the caller takes.
    TooLarge,
    /// Too many requests for the backend.
    Throttled,
    /// Credentials are missing or do not suffice, or the path leads out of the backend's bounds.
    Denied,
    /// No answer within the time there was.
    Timeout,
    /// Anything else.
    Failed,
}

impl DriverError {
    /// A failure of `kind` on `path`.
    pub fn new(kind: DriverErrorKind, path: &Path, message: impl Into<String>) -> Self {
        Self { kind, path: path.clone(), message: message.into() }
    }

    /// Whether nothing is there.
    pub fn is_not_found(&self) -> bool {
        self.kind == DriverErrorKind::NotFound
    }

    /// The request's time ran out before the driver could act on `path`.
    pub fn deadline(path: &Path, passed: DeadlinePassed) -> Self {
        Self::new(DriverErrorKind::Timeout, path, passed.to_string())
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DriverErrorKind::NotFound => "nothing there",
            DriverErrorKind::Precondition => "exists already",
            DriverErrorKind::Checksum => "content does not have its checksum",
            DriverErrorKind::Content => "content incomplete",
            DriverErrorKind::TooLarge => "content too large",
            DriverErrorKind::Throttled => "storage throttles",
            DriverErrorKind::Denied => "storage denies access",
            DriverErrorKind::Timeout => "storage did not answer in time",
            DriverErrorKind::Failed => "storage failed",
        };
        write!(f, "{kind}: {}", self.path)?;
        if !self.message.is_empty() {
            write!(f, " ({})", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for DriverError {}

impl From<DriverError> for BackendError {
    fn from(error: DriverError) -> Self {
        let kind = match error.kind {
            DriverErrorKind::Throttled => BackendErrorKind::Throttled,
            DriverErrorKind::Denied => BackendErrorKind::Denied,
            DriverErrorKind::Timeout => BackendErrorKind::Timeout,
            _ => BackendErrorKind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}
