//! Signatures of manifests, linked beside the revision that they sign.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{blob_store::BlobStore, links::Links, manifests::Revisions, path, path_spec::PathSpec};
use crate::{
    context::Context,
    digest::{Algorithm, Digest},
    distribution::{BackendError, BlobError, Content, ManifestError, SignatureService},
    driver::StorageDriver,
    name::{Reference, RepositoryName},
};

/// The longest signature.
const LONGEST: u64 = 1 << 20;

/// The signatures of one repository's manifests.
pub(super) struct SignatureStore {
    name: RepositoryName,
    driver: Arc<dyn StorageDriver>,
    links: Links,
    blobs: BlobStore,
    revisions: Revisions,
}

impl SignatureStore {
    pub(super) fn new(name: &RepositoryName, driver: &Arc<dyn StorageDriver>, revisions: Revisions) -> Self {
        Self {
            name: name.clone(),
            driver: driver.clone(),
            links: Links::new(driver.clone()),
            blobs: BlobStore::new(driver.clone()),
            revisions,
        }
    }

    /// The canonical digest of a manifest that the repository has.
    async fn manifest(&self, ctx: &Context, manifest: &Digest) -> Result<Digest, ManifestError> {
        self.revisions.linked().resolve(ctx, manifest).await.map_err(|error| match error {
            BlobError::Backend(error) => ManifestError::Backend(error),
            _ => {
                ManifestError::Unknown { name: self.name.clone(), reference: Reference::Digest(*manifest).to_string() }
            }
        })
    }
}

#[async_trait]
impl SignatureService for SignatureStore {
    async fn get(&self, ctx: &Context, manifest: &Digest) -> Result<Vec<Bytes>, ManifestError> {
        let manifest = self.manifest(ctx, manifest).await?;
        let folder = path(PathSpec::Signatures(&self.name, &manifest)).map_err(BackendError::from)?;
        let folder = folder.join(Algorithm::CANONICAL.as_str()).map_err(super::no_path).map_err(BackendError::from)?;
        let entries = match self.driver.list(ctx, &folder).await {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(BackendError::from(error).into()),
        };
        let mut signatures = Vec::with_capacity(entries.len());
        for entry in entries {
            let Ok(digest) = format!("{}:{}", Algorithm::CANONICAL, entry.name).parse::<Digest>() else { continue };
            let place = PathSpec::SignatureLink(&self.name, &manifest, &digest);
            if let Some(target) = self.links.read(ctx, place).await.map_err(BackendError::from)? {
                match self.blobs.get(ctx, &target, LONGEST).await {
                    Ok(signature) => signatures.push(signature),
                    Err(BlobError::Backend(error)) => return Err(error.into()),
                    Err(_) => {}
                }
            }
        }
        Ok(signatures)
    }

    async fn put(&self, ctx: &Context, manifest: &Digest, signatures: &[Bytes]) -> Result<(), ManifestError> {
        let manifest = self.manifest(ctx, manifest).await?;
        for signature in signatures {
            let digest = Digest::canonical(signature);
            let stored = self.blobs.put(ctx, &digest, Content::from(signature.clone())).await;
            stored.map_err(BackendError::from)?;
            let place = PathSpec::SignatureLink(&self.name, &manifest, &digest);
            self.links.write(ctx, place, &digest).await.map_err(BackendError::from)?;
        }
        Ok(())
    }
}
