//! A statter that asks a cache first.

use std::sync::Arc;

use async_trait::async_trait;

use super::linked_blob_store::LinkedBlobStore;
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter},
};

/// Asks `cache`, then `backend`; what only the backend knew is filled into the cache, unless the cache failed (then
/// its entry may be better than ours, and it has enough to do). A cache that fails costs a warning, never a request.
#[derive(Clone)]
pub(super) struct CachedStatter<B> {
    cache: Arc<dyn BlobDescriptorService>,
    backend: B,
}

impl<B: BlobStatter> CachedStatter<B> {
    pub(super) fn new(cache: Arc<dyn BlobDescriptorService>, backend: B) -> Self {
        Self { cache, backend }
    }

    /// What the cache alone knows, in the order of `digests`; `None` when it failed. Whatever it is layered of is
    /// warm afterwards.
    pub(super) async fn cached(&self, ctx: &Context, digests: &[Digest]) -> Option<Vec<Option<Descriptor>>> {
        self.cache.stat_many(ctx, digests).await.inspect_err(warn).ok()
    }

    /// Remembers `entries`, if the cache will.
    pub(super) async fn fill(&self, ctx: &Context, entries: &[(Digest, Descriptor)]) {
        if entries.is_empty() {
            return;
        }
        if let Err(error) = self.cache.set_many(ctx, entries).await {
            tracing::warn!(%error, "the descriptor cache was not filled");
        }
    }

    /// What a healthy cache did not know: asks the backend, and fills it in.
    ///
    /// # Errors
    /// The backend's.
    pub(super) async fn stat_behind(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        let descriptor = self.backend.stat(ctx, digest).await?;
        self.fill(ctx, &[(*digest, descriptor.clone())]).await;
        Ok(descriptor)
    }

    /// What lies behind the cache.
    pub(super) fn backend(&self) -> &B {
        &self.backend
    }
}

impl CachedStatter<LinkedBlobStore> {
    /// Revokes access to content by all of its `names` (see [`LinkedBlobStore::names`]). The cache forgets first:
    /// should that fail, nothing was done, and no cache can grant what storage has revoked.
    ///
    /// # Errors
    /// [`BlobError::Backend`].
    pub(super) async fn revoke(&self, ctx: &Context, names: &[Digest]) -> Result<(), BlobError> {
        if let Some(canonical) = names.first() {
            self.cache.clear(ctx, canonical).await?;
        }
        Ok(self.backend.unlink(ctx, names).await?)
    }
}

#[async_trait]
impl<B: BlobStatter> BlobStatter for CachedStatter<B> {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        match self.cache.stat(ctx, digest).await {
            Ok(descriptor) => Ok(descriptor),
            Err(BlobError::Backend(error)) => {
                warn(&error);
                self.backend.stat(ctx, digest).await
            }
            Err(_) => self.stat_behind(ctx, digest).await,
        }
    }

    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        let cached = self.cached(ctx, digests).await;
        let healthy = cached.is_some();
        let mut found = cached.unwrap_or_else(|| vec![None; digests.len()]);
        let missed: Vec<Digest> =
            digests.iter().zip(&found).filter(|(_, hit)| hit.is_none()).map(|(digest, _)| *digest).collect();
        if missed.is_empty() {
            return Ok(found);
        }
        let mut behind = self.backend.stat_many(ctx, &missed).await?.into_iter();
        let mut fills = Vec::new();
        for (digest, slot) in digests.iter().zip(&mut found).filter(|(_, slot)| slot.is_none()) {
            *slot = behind.next().flatten();
            fills.extend(slot.clone().map(|descriptor| (*digest, descriptor)));
        }
        if healthy {
            self.fill(ctx, &fills).await;
        }
        Ok(found)
    }
}

fn warn(error: &BackendError) {
    tracing::warn!(%error, "the descriptor cache failed; storage is asked instead");
}
