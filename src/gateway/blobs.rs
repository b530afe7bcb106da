//! The blobs of one repository: read from the registry, taken in here.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{known::Word, registry::Shared, spooled::Spooled, writer::GatewayWriter};
use crate::{
    client::RemoteRepository,
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{
        BlobError, BlobIngester, BlobProvider, BlobServer, BlobService, BlobStatter, BlobWriter, Created, NewUpload,
        Reading, Repository as _, Served, UploadError, Wish,
    },
};

/// The blobs of one repository.
pub(super) struct GatewayBlobs {
    pub(super) shared: Arc<Shared>,
    pub(super) remote: Arc<RemoteRepository>,
}

impl GatewayBlobs {
    /// What the registry says, or has just said.
    async fn told<T>(
        &self,
        digest: &Digest,
        there: impl FnOnce(Descriptor) -> T,
        ask: impl Future<Output = Result<T, BlobError>>,
    ) -> Result<T, BlobError> {
        let name = self.remote.name();
        match self.shared.known.get(name, digest) {
            Some(Word::There(descriptor)) => return Ok(there(descriptor)),
            Some(Word::Missing) => return Err(BlobError::Unknown(*digest)),
            None => {}
        }
        let told = ask.await;
        if let Err(BlobError::Unknown(_)) = &told {
            self.shared.known.insert(name, *digest, Word::Missing);
        }
        told
    }
}

#[async_trait]
impl BlobStatter for GatewayBlobs {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        self.told(digest, |descriptor| descriptor, self.remote.blobs().stat(ctx, digest)).await
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
    async fn serve(&self, ctx: &Context, digest: &Digest, wish: Wish<'_>) -> Result<Served, BlobError> {
        let served = self.remote.blobs().serve(ctx, digest, wish);
        if wish.head { self.told(digest, Served::Here, served).await } else { served.await }
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
                self.shared.known.insert(self.remote.name(), *digest, Word::There(descriptor.clone()));
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
