//! The registry over a driver and a cache.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    blob_service::{OpenLayers, RepositoryBlobs},
    catalog,
    layers::LayerStore,
    look_ahead::LookAhead,
    manifests::{Contents, Referrers, RepositoryManifests, Revisions},
    signature_store::SignatureStore,
    tag_store::TagStore,
    upload::{DirectOptions, Sessions, UploadSecret, UploadSecrets},
};
use crate::{
    cache::DescriptorCache,
    context::{Clock, Context},
    distribution::{
        BackendError, BlobService, ManifestService, Namespace, Page, Paging, Repository, SignatureService, TagService,
    },
    driver::StorageDriver,
    name::RepositoryName,
};

/// What must exist before a manifest that names it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation {
    /// The configuration and layers of an image.
    pub layers: bool,
    /// The manifests of an index.
    pub platforms: bool,
}

impl Default for Validation {
    fn default() -> Self {
        Self { layers: true, platforms: true }
    }
}

/// How a registry over storage behaves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Send clients to the driver's own URLs for blobs, where it has them.
    pub redirect: bool,
    /// How blobs are taken that clients hand to the driver themselves; with `redirect` alone.
    pub direct: DirectOptions,
    /// What must exist before a manifest that names it is taken.
    pub validation: Validation,
    /// The secret that signs upload states; without one, the registry makes one and keeps it in storage.
    pub secret: Option<UploadSecret>,
    /// By which secrets follow one another.
    pub clock: Clock,
    /// The cache is shared by processes, so that a batch of it is one request: look up the blobs of a manifest
    /// that a client has read together.
    pub look_ahead: bool,
}

/// A registry over storage.
pub struct StorageRegistry {
    driver: Arc<dyn StorageDriver>,
    cache: Arc<dyn DescriptorCache>,
    secrets: Arc<UploadSecrets>,
    contents: Arc<Contents>,
    look_ahead: Option<Arc<LookAhead>>,
    open_layers: OpenLayers,
    options: Options,
}

impl StorageRegistry {
    /// A registry whose bytes are in `driver`, and whose descriptors are remembered by `cache`.
    pub fn new(driver: Arc<dyn StorageDriver>, cache: Arc<dyn DescriptorCache>, options: Options) -> Self {
        let open_layers: OpenLayers = {
            let (driver, cache) = (driver.clone(), cache.clone());
            Arc::new(move |name| LayerStore::new(name, &driver, &*cache))
        };
        let secrets = match &options.secret {
            Some(secret) => UploadSecrets::given(secret.clone()),
            None => UploadSecrets::stored(driver.clone(), options.clock.clone()),
        };
        Self {
            secrets: Arc::new(secrets),
            contents: Arc::new(Contents::new()),
            look_ahead: options.look_ahead.then(|| Arc::new(LookAhead::new())),
            open_layers,
            driver,
            cache,
            options,
        }
    }
}

#[async_trait]
impl Namespace for StorageRegistry {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        let layers = LayerStore::new(name, &self.driver, &*self.cache);
        let revisions = Revisions::new(name, &self.driver, &*self.cache, self.contents.clone());
        let tags = TagStore::new(name, &self.driver);
        // Who must not be sent to the driver to read must not be sent there to write either.
        let direct = self.options.direct.clone();
        Arc::new(StorageRepository {
            name: name.clone(),
            blobs: RepositoryBlobs {
                name: name.clone(),
                layers: layers.clone(),
                sessions: Sessions::new(
                    self.driver.clone(),
                    name.clone(),
                    self.secrets.clone(),
                    direct,
                    self.options.redirect,
                ),
                revisions: revisions.clone(),
                driver: self.driver.clone(),
                open_layers: self.open_layers.clone(),
                look_ahead: self.look_ahead.clone(),
                redirect: self.options.redirect,
            },
            manifests: RepositoryManifests {
                revisions: revisions.clone(),
                referrers: Referrers { name: name.clone(), driver: self.driver.clone() },
                layers,
                tags: tags.clone(),
                validation: self.options.validation,
                look_ahead: self.look_ahead.clone(),
            },
            tags,
            signatures: SignatureStore::new(name, &self.driver, revisions),
        })
    }

    async fn repositories(&self, ctx: &Context, paging: &Paging) -> Result<Page<RepositoryName>, BackendError> {
        catalog::repositories(ctx, &self.driver, paging).await
    }
}

/// One repository over storage.
struct StorageRepository {
    name: RepositoryName,
    blobs: RepositoryBlobs,
    manifests: RepositoryManifests,
    tags: TagStore,
    signatures: SignatureStore,
}

impl Repository for StorageRepository {
    fn name(&self) -> &RepositoryName {
        &self.name
    }

    fn blobs(&self) -> &dyn BlobService {
        &self.blobs
    }

    fn manifests(&self) -> &dyn ManifestService {
        &self.manifests
    }

    fn tags(&self) -> &dyn TagService {
        &self.tags
    }

    fn signatures(&self) -> &dyn SignatureService {
        &self.signatures
    }
}
