//! A repository of a registry, at either end.

use std::{io, sync::Arc};

use async_trait::async_trait;

use super::{Destination, ImageName, Origin, Outcome, Plan, Planned, TransferError};
use crate::{
    client::{Host, Pushed, Registry, RemoteRepository, Source},
    context::Context,
    digest::Digest,
    distribution::{BlobError, ByteStream, ManifestError, Repository as _, StoredManifest, TagError, UploadError},
    manifest::{ContentReference, Manifest},
    name::{Reference, RepositoryName, Tag},
};

/// A repository that gives.
pub struct RegistryOrigin {
    remote: Arc<RemoteRepository>,
    host: Host,
    ctx: Context,
    place: String,
}

/// A repository that takes.
pub struct RegistryDestination {
    remote: RemoteRepository,
    host: Host,
    ctx: Context,
    place: String,
    /// How all of it is called there at last.
    tag: Option<Tag>,
}

/// A blob of a registry.
struct RemoteBlob {
    remote: Arc<RemoteRepository>,
    ctx: Context,
    digest: Digest,
    size: u64,
}

impl RegistryOrigin {
    /// The repository of `image`.
    pub fn new(registry: &Registry, ctx: &Context, image: &ImageName) -> Self {
        let remote = Arc::new(registry.remote(&image.repository));
        Self { remote, host: image.host.clone(), ctx: ctx.clone(), place: image.place() }
    }

    /// The manifest that `reference` names.
    ///
    /// # Errors
    /// [`TransferError::Remote`], also when there is none; [`TransferError::Manifest`].
    pub async fn find(&self, reference: &Reference) -> Result<Planned, TransferError> {
        let stored = self.remote.manifests().get(&self.ctx, reference).await;
        let StoredManifest { media_type, digest, bytes } =
            stored.map_err(|error| TransferError::remote(&self.place, error))?;
        let manifest = Manifest::parse(Some(&media_type), bytes);
        let refused = |fault| TransferError::Manifest { place: self.place.clone(), digest, fault };
        Ok(Planned { digest, manifest: manifest.map_err(refused)? })
    }
}

#[async_trait]
impl Origin for RegistryOrigin {
    fn place(&self) -> &str {
        &self.place
    }

    async fn manifest(&self, digest: &Digest) -> Result<Manifest, TransferError> {
        Ok(self.find(&Reference::Digest(*digest)).await?.manifest)
    }

    /// Whether the registry has it shows when it is read: nothing is asked for what need not move.
    async fn blob(&self, blob: &ContentReference) -> Result<Arc<dyn Source>, TransferError> {
        let (remote, ctx) = (self.remote.clone(), self.ctx.clone());
        Ok(Arc::new(RemoteBlob { remote, ctx, digest: blob.digest, size: blob.size }))
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Digest>, TransferError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.remote.manifests().referrers(&self.ctx, subject, None, after.as_ref()).await;
            let page = page.map_err(|error| TransferError::remote(&self.place, error))?;
            found.extend(page.referrers.into_iter().map(|referrer| referrer.digest));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    fn repository(&self) -> Option<(&Host, &RepositoryName)> {
        Some((&self.host, self.remote.name()))
    }
}

#[async_trait]
impl Source for RemoteBlob {
    fn size(&self) -> u64 {
        self.size
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        // All of it is checked on the way.
        let part = (offset > 0 || length < self.size).then_some(length);
        let reading = self.remote.blobs().open(&self.ctx, &self.digest, offset, part).await;
        let reading = reading.map_err(|error| match error {
            BlobError::Unknown(_) => io::Error::new(io::ErrorKind::NotFound, error),
            error => io::Error::other(error),
        })?;
        if reading.size != self.size {
            let what = format!("blob {} has {} bytes, and the manifest says {}", self.digest, reading.size, self.size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(reading.stream)
    }
}

impl RegistryDestination {
    /// The repository of `image`, in which all is called by its tag at last, if it has one.
    pub fn new(registry: &Registry, ctx: &Context, image: &ImageName) -> Self {
        let remote = registry.remote(&image.repository);
        let (host, ctx, place) = (image.host.clone(), ctx.clone(), image.place());
        Self { remote, host, ctx, place, tag: image.tag.clone() }
    }

    async fn put(&self, planned: &Planned, tags: &[Tag]) -> Result<(), TransferError> {
        // By a tag alone where that names it as well: that is one request, to any registry.
        let named = (tags.is_empty() || !planned.digest.is_canonical()).then_some(&planned.digest);
        let put = self.remote.manifests().put(&self.ctx, &planned.manifest, named, tags).await;
        put.map(drop).map_err(|error| TransferError::remote(&self.place, error))
    }
}

#[async_trait]
impl Destination for RegistryDestination {
    fn place(&self) -> &str {
        &self.place
    }

    async fn prepare(&self, _plan: &Plan) -> Result<(), TransferError> {
        Ok(())
    }

    async fn vouches_for(&self, digest: &Digest) -> Result<bool, TransferError> {
        match self.remote.manifests().get(&self.ctx, &Reference::Digest(*digest)).await {
            Ok(_) => Ok(true),
            Err(ManifestError::Unknown { .. }) => Ok(false),
            Err(error) => Err(TransferError::remote(&self.place, error)),
        }
    }

    async fn take_blob(
        &self,
        blob: &ContentReference,
        source: Arc<dyn Source>,
        origin: &dyn Origin,
    ) -> Result<Outcome, TransferError> {
        let from = origin.repository().filter(|(host, _)| host.address().eq_ignore_ascii_case(self.host.address()));
        let from = from.map(|(_, name)| name).filter(|name| *name != self.remote.name());
        match self.remote.push_blob(&self.ctx, &blob.digest, &source, from).await {
            Ok(Pushed::Present) => Ok(Outcome::Present),
            Ok(Pushed::Mounted) => Ok(Outcome::Mounted),
            Ok(Pushed::Sent) => Ok(Outcome::Sent),
            Err(UploadError::DigestMismatch { expected, actual }) => {
                let what = actual.map_or("the registry refused it".to_owned(), |actual| format!("it is {actual}"));
                Err(TransferError::Corrupt { place: origin.place().to_owned(), digest: expected, what })
            }
            Err(UploadError::Interrupted(cause)) => Err(TransferError::remote(
                origin.place(),
                format!("blob {} cannot be read to its end: {cause}", blob.digest),
            )),
            Err(error) => Err(TransferError::remote(&self.place, error)),
        }
    }

    async fn take_manifest(&self, manifest: &Planned) -> Result<Outcome, TransferError> {
        // Images were asked for before any blob was looked at.
        if manifest.manifest.media_type().is_index() && self.vouches_for(&manifest.digest).await? {
            return Ok(Outcome::Present);
        }
        self.put(manifest, &[]).await?;
        Ok(Outcome::Sent)
    }

    async fn finish(&self, plan: &Plan) -> Result<Outcome, TransferError> {
        let root = plan.root();
        match &self.tag {
            Some(tag) => {
                match self.remote.tags().resolve(&self.ctx, tag).await {
                    Ok(digest) if digest == root.digest => return Ok(Outcome::Present),
                    Ok(_) | Err(TagError::Unknown { .. } | TagError::RepositoryUnknown(_)) => {}
                    Err(error) => return Err(TransferError::remote(&self.place, error)),
                }
                self.put(root, std::slice::from_ref(tag)).await?;
            }
            None if self.vouches_for(&root.digest).await? => return Ok(Outcome::Present),
            None => self.put(root, &[]).await?,
        }
        Ok(Outcome::Sent)
    }
}
