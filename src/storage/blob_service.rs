//! What a repository offers for its blobs.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    layers::LayerStore,
    look_ahead::LookAhead,
    manifests::Revisions,
    path,
    path_spec::PathSpec,
    upload::{DirectWay, Opened, Sessions, UploadWriter},
};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{
        BackendError, BlobError, BlobIngester, BlobProvider, BlobServer, BlobService, BlobStatter, BlobWriter, Content,
        Created, NewUpload, Reading, Served, UploadError, Wish,
    },
    driver::{PresignedMethod, StorageDriver, cloudfront::CloudFront},
    name::RepositoryName,
};

/// How long a presigned URL lives: long enough to begin a download (one that has begun goes on), short enough that
/// a URL that leaks is soon worthless.
const PRESIGNED_LIFE: Duration = Duration::from_secs(20 * 60);

/// Makes the view that another repository has of the blob store, to mount from it.
pub(super) type OpenLayers = Arc<dyn Fn(&RepositoryName) -> LayerStore + Send + Sync>;

/// The blobs of one repository.
pub(super) struct RepositoryBlobs {
    pub(super) name: RepositoryName,
    pub(super) layers: LayerStore,
    pub(super) sessions: Sessions,
    pub(super) revisions: Revisions,
    pub(super) driver: Arc<dyn StorageDriver>,
    pub(super) open_layers: OpenLayers,
    /// With a cache that is shared.
    pub(super) look_ahead: Option<Arc<LookAhead>>,
    /// Whether clients are sent to the driver's own URLs, where it has them.
    pub(super) redirect: bool,
    /// What stands before the bucket, if they are sent there instead.
    pub(super) cloudfront: Option<Arc<CloudFront>>,
}

impl RepositoryBlobs {
    /// Links a blob that another repository has; `None` when it cannot be had there.
    async fn mount(
        &self,
        ctx: &Context,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<Option<Descriptor>, BackendError> {
        let found = match from {
            Some(from) => (self.open_layers)(from).statter().stat(ctx, digest).await,
            None => self.layers.stat_anywhere(ctx, digest).await,
        };
        let descriptor = match found {
            Ok(descriptor) => descriptor,
            Err(BlobError::Backend(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        self.layers.link_stored(ctx, digest, &descriptor).await?;
        Ok(Some(descriptor))
    }
}

#[async_trait]
impl BlobStatter for RepositoryBlobs {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        let statter = self.layers.statter();
        if let Some(blobs) = self.look_ahead.as_ref().and_then(|ahead| ahead.with(&self.name, digest))
            && let Some(found) = statter.cached(ctx, &blobs).await
        {
            let found = blobs.iter().zip(found).find_map(|(blob, found)| found.filter(|_| blob == digest));
            return match found {
                Some(descriptor) => Ok(descriptor),
                None => statter.stat_behind(ctx, digest).await,
            };
        }
        statter.stat(ctx, digest).await
    }

    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        self.layers.statter().stat_many(ctx, digests).await
    }
}

#[async_trait]
impl BlobProvider for RepositoryBlobs {
    async fn get(&self, ctx: &Context, digest: &Digest, limit: u64) -> Result<Bytes, BlobError> {
        let descriptor = self.stat(ctx, digest).await?;
        self.layers.blobs().get(ctx, &descriptor.digest, limit).await
    }

    async fn open(
        &self,
        ctx: &Context,
        digest: &Digest,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Reading, BlobError> {
        let descriptor = self.stat(ctx, digest).await?;
        self.layers.blobs().open(ctx, &descriptor.digest, offset, length).await
    }
}

#[async_trait]
impl BlobServer for RepositoryBlobs {
    async fn serve(&self, ctx: &Context, digest: &Digest, wish: Wish<'_>) -> Result<Served, BlobError> {
        let descriptor = self.stat(ctx, digest).await?;
        if self.redirect {
            let path = path(PathSpec::Blob(&descriptor.digest)).map_err(BackendError::from)?;
            if let Some(url) = self.cloudfront.as_ref().and_then(|before| before.url(wish.origin?, &path)) {
                return Ok(Served::Redirect(url));
            }
            let method = if wish.head { PresignedMethod::Head } else { PresignedMethod::Get };
            let url = self.driver.presign(ctx, &path, method, PRESIGNED_LIFE).await.map_err(BackendError::from)?;
            if let Some(url) = url {
                return Ok(Served::Redirect(url));
            }
        }
        Ok(Served::Here(descriptor))
    }
}

#[async_trait]
impl BlobIngester for RepositoryBlobs {
    async fn put(&self, ctx: &Context, media_type: &str, content: Bytes) -> Result<Descriptor, BlobError> {
        let digest = Digest::canonical(&content);
        let descriptor = Descriptor { media_type: media_type.to_owned(), size: content.len() as u64, digest };
        self.layers.blobs().put(ctx, &digest, Content::from(content)).await.map_err(BackendError::from)?;
        self.layers.link_stored(ctx, &digest, &descriptor).await?;
        Ok(descriptor)
    }

    async fn create(&self, ctx: &Context, new: NewUpload) -> Result<Created, UploadError> {
        if let Some((digest, from)) = &new.mount
            && let Some(descriptor) = self.mount(ctx, digest, from.as_ref()).await?
        {
            return Ok(Created::Mounted(descriptor));
        }
        if let Some(announced) = &new.announced {
            let way = DirectWay { sessions: &self.sessions, layers: &self.layers };
            match way.open(ctx, announced).await? {
                Some(Opened::Linked(descriptor)) => return Ok(Created::Mounted(descriptor)),
                Some(Opened::Session(writer)) => return Ok(Created::Session(writer)),
                None => {}
            }
        }
        let writer = UploadWriter::open(ctx, &self.sessions, self.layers.clone(), &new).await?;
        Ok(Created::Session(Box::new(writer)))
    }

    async fn resume(&self, ctx: &Context, id: &str, state: &str) -> Result<Box<dyn BlobWriter>, UploadError> {
        let writer = UploadWriter::resume(ctx, &self.sessions, self.layers.clone(), id, state).await?;
        Ok(Box::new(writer))
    }
}

#[async_trait]
impl BlobService for RepositoryBlobs {
    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError> {
        // Storage is asked, not a cache: it must know what it revokes.
        let linked = self.layers.linked();
        let names = linked.names(ctx, &linked.resolve(ctx, digest).await?).await?;
        if let Some(manifest) = self.revisions.naming(ctx, &names).await? {
            return Err(BlobError::InUse { blob: *digest, manifest });
        }
        self.layers.statter().revoke(ctx, &names).await?;
        // A manifest that was pushed meanwhile found the blob still there, and must keep it.
        if let Some(manifest) = self.revisions.naming(ctx, &names).await? {
            linked.relink(ctx, &names).await?;
            return Err(BlobError::InUse { blob: *digest, manifest });
        }
        Ok(())
    }
}
