//! The two ends of a transfer, and who watches it.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Outcome, Plan, Planned, Settled, TransferError};
use crate::{
    client::{Host, Source},
    digest::Digest,
    manifest::{ContentReference, Manifest},
    name::RepositoryName,
};

/// Where images come from.
#[async_trait]
pub trait Origin: Send + Sync {
    /// What it is, for people: a path, or registry and repository.
    fn place(&self) -> &str;

    /// The manifest called `digest`, whose bytes have that digest.
    ///
    /// # Errors
    /// [`TransferError::Missing`]; [`TransferError::Corrupt`]; [`TransferError::Manifest`]; those of the place.
    async fn manifest(&self, digest: &Digest) -> Result<Manifest, TransferError>;

    /// The content that `blob` names, of that size. What is read of it is not checked yet.
    ///
    /// # Errors
    /// [`TransferError::Missing`]; [`TransferError::Corrupt`] when its size is another; those of the place.
    async fn blob(&self, blob: &ContentReference) -> Result<Arc<dyn Source>, TransferError>;

    /// The manifests whose subject is `subject`.
    ///
    /// # Errors
    /// Those of the place.
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Digest>, TransferError>;

    /// The repository whose content it is, from which another of the same registry can mount blobs.
    fn repository(&self) -> Option<(&Host, &RepositoryName)> {
        None
    }
}

/// Where images go. Each call may be made again, in this process or a later one.
#[async_trait]
pub trait Destination: Send + Sync {
    /// What it is, for people.
    fn place(&self) -> &str;

    /// Makes ready for what `plan` has.
    ///
    /// # Errors
    /// It cannot be used.
    async fn prepare(&self, plan: &Plan) -> Result<(), TransferError>;

    /// Whether everything that the image manifest `digest` names is there, and it too, by the place's own word.
    ///
    /// # Errors
    /// That could not be found out.
    async fn vouches_for(&self, digest: &Digest) -> Result<bool, TransferError>;

    /// Takes the blob `blob`, whose content is `source`, from `origin`. It is checked before it can be seen.
    ///
    /// # Errors
    /// [`TransferError::Corrupt`] when `source` is something else; those of the place.
    async fn take_blob(
        &self,
        blob: &ContentReference,
        source: Arc<dyn Source>,
        origin: &dyn Origin,
    ) -> Result<Outcome, TransferError>;

    /// Takes a manifest; everything that it names is there.
    ///
    /// # Errors
    /// Those of the place.
    async fn take_manifest(&self, manifest: &Planned) -> Result<Outcome, TransferError>;

    /// Shows `plan`'s root, which is all that is not there yet, under its name. Whether that changed anything.
    ///
    /// # Errors
    /// Those of the place.
    async fn finish(&self, plan: &Plan) -> Result<Outcome, TransferError>;
}

/// Who watches. All of it is called from several tasks.
pub trait Progress: Send + Sync {
    /// These blobs will be looked at.
    fn planned(&self, _blobs: &[ContentReference]) {}
    /// This one is.
    fn began(&self, _blob: &ContentReference) {}
    /// So many bytes of it have been read for sending; after a broken connection, some of them again.
    fn moved(&self, _digest: &Digest, _bytes: u64) {}
    /// This is done.
    fn settled(&self, _settled: &Settled) {}
    /// Nothing more comes, for better or worse.
    fn ended(&self) {}
}
