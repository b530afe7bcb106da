//! A cache in this process before one that all share.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    DescriptorCache, LinkSet,
    memory::{Lookup, MemoryCache, MemoryScope},
    scope::Scope,
};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter},
    name::RepositoryName,
};

/// Asks `front`, then `back`, and remembers in front what the back knew. What was cleared through this process is
/// not asked of the back again while its tombstone stands.
pub struct Tiered {
    front: MemoryCache,
    back: Arc<dyn DescriptorCache>,
    remembers_access: bool,
}

impl Tiered {
    /// `front` before `back`.
    pub fn new(front: MemoryCache, back: Arc<dyn DescriptorCache>) -> Self {
        Self { front, back, remembers_access: true }
    }

    /// Asks the back every time who has access, so that a deletion counts at once, whichever process it was done by.
    #[must_use]
    pub fn forgetting_access(self) -> Self {
        Self { remembers_access: false, ..self }
    }
}

impl DescriptorCache for Tiered {
    fn global(&self) -> Arc<dyn BlobDescriptorService> {
        Arc::new(TieredScope { front: self.front.scope(Scope::Global), back: self.back.global() })
    }

    fn scoped(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        if !self.remembers_access {
            return self.back.scoped(name, links);
        }
        let front = self.front.scope(Scope::Repository(name.clone(), links));
        Arc::new(TieredScope { front, back: self.back.scoped(name, links) })
    }

    fn near(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.front.near(name, links)
    }
}

struct TieredScope {
    front: MemoryScope,
    back: Arc<dyn BlobDescriptorService>,
}

#[async_trait]
impl BlobStatter for TieredScope {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        match self.front.lookup(digest) {
            Lookup::Known(descriptor) => Ok(descriptor),
            Lookup::Forgotten => Err(BlobError::Unknown(*digest)),
            Lookup::Unknown => {
                let descriptor = self.back.stat(ctx, digest).await?;
                self.front.set(digest, &descriptor)?;
                Ok(descriptor)
            }
        }
    }

    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        let mut found = vec![None; digests.len()];
        let mut asked = Vec::new();
        for (place, digest) in digests.iter().enumerate() {
            match self.front.lookup(digest) {
                Lookup::Known(descriptor) => found[place] = Some(descriptor),
                Lookup::Forgotten => {}
                Lookup::Unknown => asked.push((place, *digest)),
            }
        }
        if asked.is_empty() {
            return Ok(found);
        }
        let unknown: Vec<Digest> = asked.iter().map(|(_, digest)| *digest).collect();
        let behind = self.back.stat_many(ctx, &unknown).await?;
        for ((place, digest), descriptor) in asked.into_iter().zip(behind) {
            if let Some(descriptor) = &descriptor
                && let Err(error) = self.front.set(&digest, descriptor)
            {
                tracing::warn!(%error, "the shared descriptor cache contradicts itself");
                continue;
            }
            found[place] = descriptor;
        }
        Ok(found)
    }
}

#[async_trait]
impl BlobDescriptorService for TieredScope {
    async fn set_descriptor(&self, ctx: &Context, digest: &Digest, descriptor: &Descriptor) -> Result<(), BlobError> {
        if self.front.set(digest, descriptor)? {
            self.back.set_descriptor(ctx, digest, descriptor).await
        } else {
            Ok(())
        }
    }

    async fn set_many(&self, ctx: &Context, entries: &[(Digest, Descriptor)]) -> Result<(), BlobError> {
        let mut taken = Vec::with_capacity(entries.len());
        for (digest, descriptor) in entries {
            if self.front.set(digest, descriptor)? {
                taken.push((*digest, descriptor.clone()));
            }
        }
        self.back.set_many(ctx, &taken).await
    }

    async fn clear(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError> {
        // First where the others look; whether or not that goes well, nothing is left here.
        let cleared = self.back.clear(ctx, digest).await;
        self.front.forget(digest);
        cleared
    }
}
