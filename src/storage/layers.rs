//! The blobs of one repository: layers and configurations.

use std::sync::Arc;

use super::{
    blob_store::BlobStore, cached_statter::CachedStatter, digest_map::DigestMap, linked_blob_store::LinkedBlobStore,
    links::Links,
};
use crate::{
    cache::{DescriptorCache, LinkSet},
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter as _},
    driver::StorageDriver,
    name::RepositoryName,
};

/// One repository's view of the blob store, by its link set `_layers`.
#[derive(Clone)]
pub(super) struct LayerStore {
    statter: CachedStatter<LinkedBlobStore>,
    near: Arc<dyn BlobDescriptorService>,
    global: CachedStatter<DigestMap>,
}

impl LayerStore {
    pub(super) fn new(name: &RepositoryName, driver: &Arc<dyn StorageDriver>, cache: &dyn DescriptorCache) -> Self {
        let blobs = BlobStore::new(driver.clone());
        let links = Links::new(driver.clone());
        let linked = LinkedBlobStore::new(name.clone(), LinkSet::Layers, links.clone(), blobs.clone());
        Self {
            statter: CachedStatter::new(cache.scoped(name, LinkSet::Layers), linked),
            near: cache.near(name, LinkSet::Layers),
            global: CachedStatter::new(cache.global(), DigestMap::new(links, blobs)),
        }
    }

    /// The store below, which knows no access control.
    pub(super) fn blobs(&self) -> &BlobStore {
        self.global.backend().blobs()
    }

    /// Stat through the caches.
    pub(super) fn statter(&self) -> &CachedStatter<LinkedBlobStore> {
        &self.statter
    }

    /// Stat by storage alone: what a cache cannot know is whether another process has just changed it.
    pub(super) async fn stat_stored(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        self.statter.backend().stat(ctx, digest).await
    }

    /// Content that is stored, whoever may see it, by any digest that somebody has pushed it by. Storage is asked alone: who
    /// asks is mostly told no, which no cache knows, and what is to be linked must be there.
    pub(super) async fn stat_anywhere(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        self.global.backend().stat(ctx, digest).await
    }

    /// Links content that is stored, by its canonical digest and by `digest`, and remembers it in this process.
    pub(super) async fn link_stored(
        &self,
        ctx: &Context,
        digest: &Digest,
        descriptor: &Descriptor,
    ) -> Result<(), BackendError> {
        self.link(ctx, digest, &descriptor.digest).await?;
        if digest != &descriptor.digest {
            self.global.fill(ctx, &[(*digest, descriptor.clone())]).await;
        }
        if let Err(error) = self.near.set_descriptor(ctx, digest, descriptor).await {
            tracing::warn!(%error, "the descriptor cache was not filled");
        }
        Ok(())
    }

    /// Links content that is stored, by its canonical digest and by `digest`. Nobody need know its size.
    pub(super) async fn link(&self, ctx: &Context, digest: &Digest, canonical: &Digest) -> Result<(), BackendError> {
        self.statter.backend().link(ctx, digest, canonical).await?;
        if digest != canonical {
            self.global.backend().remember(ctx, digest, canonical).await?;
        }
        Ok(())
    }

    /// The links, as storage has them.
    pub(super) fn linked(&self) -> &LinkedBlobStore {
        self.statter.backend()
    }
}
