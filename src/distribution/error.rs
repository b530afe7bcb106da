//! What may go wrong, told apart as far as a caller can do something about it.

use super::DirectFault;
use crate::{
    context::DeadlinePassed,
    digest::Digest,
    manifest::ManifestFault,
    name::{RepositoryName, Tag},
};

/// Storage, cache or the remote registry did not do its part. Says nothing about the content asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct BackendError {
    /// What kind of failure, so that the answer can say whether to try again.
    pub kind: BackendErrorKind,
    /// What happened, on what: for logs, since it may hold paths.
    pub message: String,
}

/// Kinds of backend failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendErrorKind {
    /// Too many requests for the backend: try again later.
    Throttled,
    /// It refused the registry's own credentials, or the path leads out of its bounds.
    Denied,
    /// It does not do what was asked, and would not another time.
    Refused,
    /// It did not answer within the time there was.
    Timeout,
    /// Anything else.
    Failed,
}

impl BackendError {
    /// A failure of `kind`, described by `message`.
    pub fn new(kind: BackendErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<DeadlinePassed> for BackendError {
    fn from(passed: DeadlinePassed) -> Self {
        Self::new(BackendErrorKind::Timeout, passed.to_string())
    }
}

/// Errors of looking up and reading a blob.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// The repository does not link such a blob, whatever exists elsewhere.
    #[error("blob {0} is unknown to this repository")]
    Unknown(Digest),
    /// The descriptor to remember contradicts the digest that names it.
    #[error("digest {0} cannot stand for {1}")]
    Contradiction(Digest, Digest),
    /// A stored manifest names the blob.
    #[error("blob {blob} is in use by manifest {manifest}; delete that first")]
    InUse {
        /// The blob that was to be deleted.
        blob: Digest,
        /// A manifest of this repository that names it.
        manifest: Digest,
    },
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Errors of an upload session.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There is no such session: never opened, closed, cancelled, or too old.
    #[error("upload {0} is unknown: closed, cancelled or never opened; start another")]
    Unknown(String),
    /// The session's state was not made by this registry for this session.
    #[error(
        "the upload's state is not one that this registry signed for it; use the Location of the last answer unchanged"
    )]
    StateInvalid,
    /// The content does not begin where the session stands, or another writer came first. Nothing was changed.
    #[error("the upload stands at {stored} bytes; the next chunk must begin there")]
    RangeInvalid {
        /// Bytes that the session holds.
        stored: u64,
    },
    /// The content is longer or shorter than it was said to be. Nothing was kept of it.
    #[error("{0}")]
    SizeInvalid(String),
    /// The content does not have the digest that the client gave. Nothing is stored under it.
    #[error("the content does not have digest {expected}{}", actual.map(|actual| format!(", but {actual}")).unwrap_or_default())]
    DigestMismatch {
        /// As the client gave it.
        expected: Digest,
        /// As computed, by the same algorithm; not where storage itself refused the content.
        actual: Option<Digest>,
    },
    /// What was to be done with content that its sender hands to the backend itself.
    #[error(transparent)]
    Direct(#[from] DirectFault),
    /// The sender broke off. Nothing was kept of this content.
    #[error("the content broke off: {0}")]
    Interrupted(String),
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// A reference in a manifest that the repository does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The digest that the manifest names.
    pub digest: Digest,
    /// Whether a manifest was expected under it, rather than a blob.
    pub manifest: bool,
}

/// Errors of the manifest service.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The repository has no such manifest.
    #[error("manifest {reference} is unknown to repository {name}")]
    Unknown {
        /// The repository.
        name: RepositoryName,
        /// The tag or digest asked for.
        reference: String,
    },
    /// The bytes are no manifest that this registry understands.
    #[error(transparent)]
    Invalid(#[from] ManifestFault),
    /// The bytes do not have the digest by which they were put.
    #[error("the manifest's digest is {actual}, not {expected}")]
    DigestMismatch {
        /// As the client gave it.
        expected: Digest,
        /// As computed, by the same algorithm.
        actual: Digest,
    },
    /// References that the repository does not have: all of them.
    #[error("the manifest names content that the repository does not have; push that first")]
    ReferencesUnknown(Vec<Missing>),
    /// An index of this repository names the manifest.
    #[error("manifest {manifest} is in use by index {index}; delete that first")]
    InUse {
        /// The manifest that was to be deleted.
        manifest: Digest,
        /// An index of this repository that names it.
        index: Digest,
    },
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Errors of the tag service.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// The repository has no such tag.
    #[error("tag {tag} is unknown to repository {name}")]
    Unknown {
        /// The repository.
        name: RepositoryName,
        /// The tag.
        tag: Tag,
    },
    /// There is no such repository.
    #[error("repository {0} is unknown")]
    RepositoryUnknown(RepositoryName),
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}
