//! Why something did not get to where it was meant to go.

use std::io;

use crate::{
    digest::Digest,
    distribution::{BackendError, BlobError, ManifestError, TagError, UploadError},
    manifest::ManifestFault,
};

/// What went wrong, on what, for people. Whatever it was, nothing that was not there before is seen under a name.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A file or folder of this machine.
    #[error("{place}: {cause}")]
    Local {
        /// Which.
        place: String,
        /// What the system says.
        cause: io::Error,
    },
    /// It is not of the form that it should have.
    #[error("{place} {what}")]
    Malformed {
        /// What.
        place: String,
        /// The rest of the sentence.
        what: String,
    },
    /// Content has another digest or size than it is called by.
    #[error("{place} has other content under {digest}: {what}; nothing of it was kept")]
    Corrupt {
        /// Where.
        place: String,
        /// As it is called.
        digest: Digest,
        /// What is wrong with it.
        what: String,
    },
    /// Content that a manifest names is not where the manifest is.
    #[error("{place} lacks {what} {digest}{}", named_by(what, *.by))]
    Missing {
        /// Where.
        place: String,
        /// Blob or manifest.
        what: &'static str,
        /// As it is called.
        digest: Digest,
        /// What names it.
        by: Option<Digest>,
    },
    /// What is asked for cannot be chosen among what is there.
    #[error("{0}")]
    Choice(String),
    /// No manifest that is understood.
    #[error("manifest {digest} of {place} cannot be taken: {fault}")]
    Manifest {
        /// Where.
        place: String,
        /// As it is called.
        digest: Digest,
        /// Why.
        fault: ManifestFault,
    },
    /// A registry refused, or did not do its part.
    #[error("{place}: {cause}")]
    Remote {
        /// Registry and repository.
        place: String,
        /// What happened.
        cause: String,
    },
}

fn named_by(what: &str, by: Option<Digest>) -> String {
    // Docker saves an index of all platforms with the images of one.
    let advice = if what == "manifest" { "; where that is on purpose, --platform takes one image alone" } else { "" };
    by.map(|by| format!(", which its manifest {by} names{advice}")).unwrap_or_default()
}

impl TransferError {
    /// `cause`, of the file or folder `place`.
    pub(super) fn local(place: impl std::fmt::Display, cause: io::Error) -> Self {
        Self::Local { place: place.to_string(), cause }
    }

    /// `place` is so, as `what` ends the sentence.
    pub(super) fn malformed(place: impl std::fmt::Display, what: impl Into<String>) -> Self {
        Self::Malformed { place: place.to_string(), what: what.into() }
    }

    /// A registry's error, of repository `place`.
    pub(super) fn remote(place: impl std::fmt::Display, cause: impl Into<RemoteError>) -> Self {
        let RemoteError(cause) = cause.into();
        Self::Remote { place: place.to_string(), cause }
    }
}

/// An error of the interfaces, as it is said.
pub(super) struct RemoteError(String);

macro_rules! said {
    ($($error:ty),*) => {
        $(impl From<$error> for RemoteError {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        })*
    };
}

said!(BackendError, BlobError, TagError, UploadError, String);

impl From<ManifestError> for RemoteError {
    fn from(error: ManifestError) -> Self {
        let named: Vec<String> = match &error {
            ManifestError::ReferencesUnknown(missing) => {
                missing.iter().take(3).map(|missing| missing.digest.to_string()).collect()
            }
            _ => Vec::new(),
        };
        let named = if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) };
        Self(format!("{error}{named}"))
    }
}

impl TransferError {
    /// The same, of something that manifest `by` names.
    pub(super) fn named(self, by: Digest) -> Self {
        match self {
            Self::Missing { place, what, digest, by: None } => Self::Missing { place, what, digest, by: Some(by) },
            other => other,
        }
    }
}
