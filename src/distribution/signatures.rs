//! Detached signatures of manifests, as the 2015 registry keeps them beside a revision.

use async_trait::async_trait;
use bytes::Bytes;

use super::ManifestError;
use crate::{context::Context, digest::Digest};

/// Signatures of one repository's manifests (for Docker schema 1: JWS; opaque here).
#[async_trait]
pub trait SignatureService: Send + Sync {
    /// The signatures of manifest `manifest`, in the order of their digests; none is an empty list.
    ///
    /// # Errors
    /// [`ManifestError::Unknown`] when the repository has no such manifest; [`ManifestError::Backend`].
    async fn get(&self, ctx: &Context, manifest: &Digest) -> Result<Vec<Bytes>, ManifestError>;

    /// Adds signatures to manifest `manifest`; one that is there already is kept once.
    ///
    /// # Errors
    /// As [`Self::get`].
    async fn put(&self, ctx: &Context, manifest: &Digest, signatures: &[Bytes]) -> Result<(), ManifestError>;
}
