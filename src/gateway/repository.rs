//! One repository: the registry's own, but for its blobs.

use std::sync::Arc;

use super::{blobs::GatewayBlobs, registry::Shared};
use crate::{
    client::RemoteRepository,
    distribution::{BlobService, ManifestService, Repository, SignatureService, TagService},
    name::RepositoryName,
};

/// A repository of the registry behind the gateway.
pub(super) struct GatewayRepository {
    remote: Arc<RemoteRepository>,
    blobs: GatewayBlobs,
}

impl GatewayRepository {
    pub(super) fn new(shared: Arc<Shared>, name: &RepositoryName) -> Self {
        let remote = Arc::new(shared.registry.remote(name));
        Self { blobs: GatewayBlobs { shared, remote: remote.clone() }, remote }
    }
}

impl Repository for GatewayRepository {
    fn name(&self) -> &RepositoryName {
        self.remote.name()
    }

    fn blobs(&self) -> &dyn BlobService {
        &self.blobs
    }

    fn manifests(&self) -> &dyn ManifestService {
        self.remote.manifests()
    }

    fn tags(&self) -> &dyn TagService {
        self.remote.tags()
    }

    fn signatures(&self) -> &dyn SignatureService {
        self.remote.signatures()
    }
}
