//! The manifests that a repository has, by its link set `_manifests/revisions`.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::contents::{Contents, ManifestContent};
use crate::{
    cache::{DescriptorCache, LinkSet},
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError},
    driver::StorageDriver,
    manifest::MAX_SIZE,
    name::RepositoryName,
    storage::{blob_store::BlobStore, cached_statter::CachedStatter, linked_blob_store::LinkedBlobStore, links::Links},
};

/// Manifests that are read at once when all of a repository must be looked through.
const CONCURRENT: usize = 16;

/// The longest stored manifest that is served: others may have taken larger ones than Berth does.
const LONGEST: u64 = 4 * MAX_SIZE as u64;

/// One repository's manifests.
#[derive(Clone)]
pub(in crate::storage) struct Revisions {
    statter: CachedStatter<LinkedBlobStore>,
    near: Arc<dyn BlobDescriptorService>,
    blobs: BlobStore,
    contents: Arc<Contents>,
}

impl Revisions {
    pub(in crate::storage) fn new(
        name: &RepositoryName,
        driver: &Arc<dyn StorageDriver>,
        cache: &dyn DescriptorCache,
        contents: Arc<Contents>,
    ) -> Self {
        let blobs = BlobStore::new(driver.clone());
        let links = Links::new(driver.clone());
        let linked = LinkedBlobStore::new(name.clone(), LinkSet::Manifests, links, blobs.clone());
        Self {
            statter: CachedStatter::new(cache.scoped(name, LinkSet::Manifests), linked),
            near: cache.near(name, LinkSet::Manifests),
            blobs,
            contents,
        }
    }

    /// The store below, which knows no access control.
    pub(super) fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    /// Stat through the caches.
    pub(super) fn statter(&self) -> &CachedStatter<LinkedBlobStore> {
        &self.statter
    }

    /// The links, as storage has them.
    pub(in crate::storage) fn linked(&self) -> &LinkedBlobStore {
        self.statter.backend()
    }

    /// The content of a manifest, once access was checked: by a link, or by a tag that names it.
    pub(super) async fn content(&self, ctx: &Context, canonical: &Digest) -> Result<Arc<ManifestContent>, BlobError> {
        if let Some(content) = self.contents.get(canonical) {
            return Ok(content);
        }
        let bytes = self.blobs.get(ctx, canonical, LONGEST).await?;
        let content = Arc::new(ManifestContent::new(bytes));
        self.contents.insert(*canonical, content.clone());
        Ok(content)
    }

    /// The canonical digest and the content of a manifest that the repository has.
    pub(super) async fn open(
        &self,
        ctx: &Context,
        digest: &Digest,
    ) -> Result<(Digest, Arc<ManifestContent>), BlobError> {
        let cached = self.statter.cached(ctx, &[*digest]).await;
        if let Some(descriptor) = cached.as_ref().and_then(|found| found.first().cloned().flatten()) {
            return Ok((descriptor.digest, self.content(ctx, &descriptor.digest).await?));
        }
        let canonical = self.linked().resolve(ctx, digest).await?;
        let content = self.content(ctx, &canonical).await?;
        // A cache that failed is not filled; the content tells what a HEAD of it would.
        if cached.is_some() {
            self.statter.fill(ctx, &[(*digest, descriptor(&canonical, &content))]).await;
        }
        Ok((canonical, content))
    }

    /// Whether this process has lately seen that the repository has the manifest. It may be gone since.
    pub(super) async fn lately_known(&self, ctx: &Context, digest: &Digest) -> bool {
        self.contents.get(digest).is_some() && self.near.stat(ctx, digest).await.is_ok()
    }

    /// Remembers a manifest that was just linked, here and for all instances.
    pub(super) async fn remember(&self, ctx: &Context, digest: &Digest, canonical: &Digest, content: ManifestContent) {
        let entry = (*digest, descriptor(canonical, &content));
        self.contents.insert(*canonical, Arc::new(content));
        self.statter.fill(ctx, &[entry]).await;
    }

    /// A manifest of this repository that names one of `digests`, if there is one: all of them are looked through,
    /// which only deletions do.
    pub(in crate::storage) async fn naming(
        &self,
        ctx: &Context,
        digests: &[Digest],
    ) -> Result<Option<Digest>, BackendError> {
        let revisions = self.linked().all(ctx).await?;
        let mut naming = stream::iter(revisions)
            .map(|revision| async move {
                Ok::<_, BackendError>(self.names(ctx, &revision, digests).await?.then_some(revision))
            })
            .buffer_unordered(CONCURRENT)
            .try_filter_map(|found| async move { Ok(found) })
            .boxed();
        naming.try_next().await
    }

    async fn names(&self, ctx: &Context, revision: &Digest, digests: &[Digest]) -> Result<bool, BackendError> {
        // A folder that lingers without its link is no manifest of the repository.
        let opened = match self.linked().resolve(ctx, revision).await {
            Ok(canonical) => self.content(ctx, &canonical).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(content) => Ok(content
                .manifest
                .iter()
                .flat_map(|manifest| manifest.references())
                .any(|reference| digests.contains(&reference.digest))),
            Err(BlobError::Backend(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}

fn descriptor(canonical: &Digest, content: &ManifestContent) -> Descriptor {
    Descriptor { media_type: content.media_type.clone(), size: content.bytes.len() as u64, digest: *canonical }
}
