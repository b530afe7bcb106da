//! No cache: knows nothing, forgets everything.

use std::sync::Arc;

use async_trait::async_trait;

use super::{DescriptorCache, LinkSet};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter},
    name::RepositoryName,
};

/// The cache for storage that answers as fast as a cache would.
#[derive(Clone)]
pub struct NoCache(Arc<dyn BlobDescriptorService>);

impl Default for NoCache {
    fn default() -> Self {
        Self(Arc::new(Nothing))
    }
}

impl DescriptorCache for NoCache {
    fn global(&self) -> Arc<dyn BlobDescriptorService> {
        self.0.clone()
    }

    fn scoped(&self, _: &RepositoryName, _: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.0.clone()
    }

    fn near(&self, _: &RepositoryName, _: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.0.clone()
    }
}

struct Nothing;

#[async_trait]
impl BlobStatter for Nothing {
    async fn stat(&self, _: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        Err(BlobError::Unknown(*digest))
    }

    async fn stat_many(&self, _: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        Ok(vec![None; digests.len()])
    }
}

#[async_trait]
impl BlobDescriptorService for Nothing {
    async fn set_descriptor(&self, _: &Context, _: &Digest, _: &Descriptor) -> Result<(), BlobError> {
        Ok(())
    }

    async fn set_many(&self, _: &Context, _: &[(Digest, Descriptor)]) -> Result<(), BlobError> {
        Ok(())
    }

    async fn clear(&self, _: &Context, _: &Digest) -> Result<(), BlobError> {
        Ok(())
    }
}
