//! The cache in this process.

mod store;
mod tombstones;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

pub(super) use store::Lookup;
use store::Store;

use super::{Clock, DescriptorCache, LinkSet, scope::Scope};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter},
    name::RepositoryName,
};

/// How long an entry of a repository grants access: no other process can revoke it, so that this is how long access
/// lasts beyond a delete at most.
pub const ACCESS_LIFE: Duration = Duration::from_secs(5);

/// How long a global entry lives. The content under a digest never changes, but it may be collected as garbage.
pub const CONTENT_LIFE: Duration = Duration::from_secs(5 * 60);

/// How a cache in memory is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Entries at most, and tombstones at most; each is some hundreds of bytes.
    pub entries: usize,
    /// What tells the time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self { entries: 10_000, clock: Clock::default() }
    }
}

/// A bounded cache in this process. Clones share their entries.
#[derive(Clone)]
pub struct MemoryCache(Arc<Store>);

impl MemoryCache {
    /// An empty cache.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Store::new(options.entries, options.clock)))
    }

    /// Entries that take up memory, alive or not.
    pub fn entries(&self) -> usize {
        self.0.entries()
    }

    pub(super) fn scope(&self, scope: Scope) -> MemoryScope {
        MemoryScope { store: self.0.clone(), scope }
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("entries", &self.entries()).finish()
    }
}

impl DescriptorCache for MemoryCache {
    fn global(&self) -> Arc<dyn BlobDescriptorService> {
        Arc::new(self.scope(Scope::Global))
    }

    fn scoped(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        Arc::new(self.scope(Scope::Repository(name.clone(), links)))
    }

    fn near(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.scoped(name, links)
    }
}

/// One scope of it. Answers at once.
pub(super) struct MemoryScope {
    store: Arc<Store>,
    scope: Scope,
}

impl MemoryScope {
    pub(super) fn lookup(&self, digest: &Digest) -> Lookup {
        self.store.lookup(&self.scope, digest)
    }

    /// Whether it was set: `false` under a tombstone.
    pub(super) fn set(&self, digest: &Digest, descriptor: &Descriptor) -> Result<bool, BlobError> {
        self.store.set(&self.scope, digest, descriptor)
    }

    pub(super) fn forget(&self, digest: &Digest) {
        self.store.clear(&self.scope, digest);
    }
}

#[async_trait]
impl BlobStatter for MemoryScope {
    async fn stat(&self, _: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        match self.lookup(digest) {
            Lookup::Known(descriptor) => Ok(descriptor),
            Lookup::Forgotten | Lookup::Unknown => Err(BlobError::Unknown(*digest)),
        }
    }

    async fn stat_many(&self, _: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        let known = |digest| match self.lookup(digest) {
            Lookup::Known(descriptor) => Some(descriptor),
            Lookup::Forgotten | Lookup::Unknown => None,
        };
        Ok(digests.iter().map(known).collect())
    }
}

#[async_trait]
impl BlobDescriptorService for MemoryScope {
    async fn set_descriptor(&self, _: &Context, digest: &Digest, descriptor: &Descriptor) -> Result<(), BlobError> {
        self.set(digest, descriptor).map(|_| ())
    }

    async fn clear(&self, _: &Context, digest: &Digest) -> Result<(), BlobError> {
        self.forget(digest);
        Ok(())
    }
}
