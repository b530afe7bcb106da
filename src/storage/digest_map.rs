//! From provisional digests to canonical ones, for the whole registry.

use async_trait::async_trait;

use super::{blob_store::BlobStore, links::Links, path_spec::PathSpec};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobError, BlobStatter},
};

/// The blob store, by any digest that somebody has pushed its content by. An entry of the map says what content is
/// called, never who may have it.
#[derive(Clone)]
pub(super) struct DigestMap {
    links: Links,
    blobs: BlobStore,
}

impl DigestMap {
    pub(super) fn new(links: Links, blobs: BlobStore) -> Self {
        Self { links, blobs }
    }

    /// The store itself.
    pub(super) fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    /// Remembers that content of canonical digest `canonical` was pushed by `digest`.
    pub(super) async fn remember(
        &self,
        ctx: &Context,
        digest: &Digest,
        canonical: &Digest,
    ) -> Result<(), BackendError> {
        Ok(self.links.write(ctx, PathSpec::DigestMap(digest), canonical).await?)
    }
}

#[async_trait]
impl BlobStatter for DigestMap {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        if digest.is_canonical() {
            return self.blobs.stat(ctx, digest).await;
        }
        let found = self.links.read(ctx, PathSpec::DigestMap(digest)).await.map_err(BackendError::from)?;
        self.blobs.stat(ctx, &found.ok_or(BlobError::Unknown(*digest))?).await
    }
}
