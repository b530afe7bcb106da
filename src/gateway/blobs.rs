//! The blobs of one repository: read from the registry, taken in here.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{registry::Shared, spooled::Spooled, writer::GatewayWriter};
use crate::{
    client::RemoteRepository,
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{
        BlobError, BlobIngester, BlobProvider, BlobServer, BlobService, BlobStatter, BlobWriter, Created, NewUpload,
        Reading, Repository as _, Served, UploadError,
    },
};

/// The blobs of one repository.
pub(super) struct GatewayBlobs {
    pub(super) shared: Arc<Shared>,
    pub(super) remote: Arc<RemoteRepository>,
}

impl GatewayBlobs {
    fn known(&self, digest: &Digest) -> Option<Descriptor> {
        self.shared.known.get(self.remote.name(), digest)
    }
}

#[async_trait]
impl BlobStatter for GatewayBlobs {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        match self.known(digest) {
            Some(descriptor) => Ok(descriptor),
            None => self.remote.blobs().stat(ctx, digest).await,
        }
    }
}

#[async_trait]
impl BlobProvider for GatewayBlobs {
    async fn get(&self, ctx: &Context, digest: &Digest, limit: u64) -> Result<Bytes, BlobError> {
        self.remote.blobs().get(ctx, digest, limit).await
    }

    async fn open(
        &self,
        ctx: &Context,
        digest: &Digest,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Reading, BlobError> {
        self.remote.blobs().open(ctx, digest, offset, length).await
    }
}

#[async_trait]
impl BlobServer for GatewayBlobs {
    async fn serve(&self, ctx: &Context, digest: &Digest, head: bool) -> Result<Served, BlobError> {
        match self.known(digest).filter(|_| head) {
            Some(descriptor) => Ok(Served::Here(descriptor)),
            None => self.remote.blobs().serve(ctx, digest, head).await,
        }
    }
}

#[async_trait]
impl BlobIngester for GatewayBlobs {
    async fn put(&self, ctx: &Context, media_type: &str, content: Bytes) -> Result<Descriptor, BlobError> {
        self.remote.blobs().put(ctx, media_type, content).await
    }

    /// A mount is the registry's matter; whatever else a client wants to send comes here first.
    async fn create(&self, ctx: &Context, new: NewUpload) -> Result<Created, UploadError> {
        if let Some((digest, _)) = &new.mount {
            let mount = NewUpload { announced: None, ..new.clone() };
            if let Created::Mounted(descriptor) = self.remote.blobs().create(ctx, mount).await? {
                self.shared.known.insert(self.remote.name(), *digest, descriptor.clone());
                return Ok(Created::Mounted(descriptor));
            }
        }
        let spooled = Spooled::new(self.shared.spool.file().await?, new.algorithm);
        let session = self.shared.sessions.open(self.remote.name(), spooled)?;
        let (shared, remote) = (self.shared.clone(), self.remote.clone());
        Ok(Created::Session(Box::new(GatewayWriter { shared, remote, session, size: 0 })))
    }

    async fn resume(&self, _ctx: &Context, id: &str, _state: &str) -> Result<Box<dyn BlobWriter>, UploadError> {
        let session = self.shared.sessions.get(self.remote.name(), id);
        let session = session.ok_or_else(|| UploadError::Unknown(id.to_owned()))?;
        let (shared, remote, size) = (self.shared.clone(), self.remote.clone(), session.size());
        Ok(Box::new(GatewayWriter { shared, remote, session, size }))
    }
}

#[async_trait]
impl BlobService for GatewayBlobs {
    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError> {
        self.shared.known.remove(self.remote.name(), digest);
        self.remote.blobs().delete(ctx, digest).await
    }
}
