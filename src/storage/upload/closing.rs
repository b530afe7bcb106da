//! Closing a session over content that came through the registry.

use futures_util::StreamExt as _;

use super::{chunk::upload_error, writer::UploadWriter};
use crate::{
    context::Context,
    digest::{Algorithm, Digest, Hasher},
    distribution::{BackendError, BackendErrorKind, BlobError, Content, UploadError},
    driver::Path,
};

impl UploadWriter {
    /// The canonical digest of what is stored, if it has `digest` too.
    async fn verify(&mut self, ctx: &Context, digest: &Digest) -> Result<Digest, UploadError> {
        let hasher = self.session.hasher()?;
        let (canonical, provisional) = hasher.finish();
        let actual = match provisional {
            _ if digest.is_canonical() => canonical,
            Some(provisional) if provisional.algorithm() == digest.algorithm() => provisional,
            // The client did not announce its algorithm: the bytes are read again.
            _ => self.hash_again(ctx, digest.algorithm()).await?,
        };
        if actual == *digest {
            Ok(canonical)
        } else {
            Err(UploadError::DigestMismatch { expected: *digest, actual: Some(actual) })
        }
    }

    async fn hash_again(&mut self, ctx: &Context, algorithm: Algorithm) -> Result<Digest, UploadError> {
        self.know_chunks(ctx).await?;
        let mut hasher = Hasher::new(algorithm);
        for (path, _) in self.sources()? {
            let reading = self.session.sessions.driver.read(ctx, &path, 0, None).await;
            let mut stream = reading.map_err(BackendError::from)?.stream;
            while let Some(bytes) = stream.next().await {
                let failed = |error: std::io::Error| BackendError::new(BackendErrorKind::Failed, error.to_string());
                hasher.update(&bytes.map_err(failed)?);
            }
        }
        Ok(hasher.finish())
    }

    /// The chunks' files and their sizes.
    fn sources(&self) -> Result<Vec<(Path, u64)>, BackendError> {
        self.session.progress.chunks.iter().map(|chunk| Ok((self.chunk_path(&chunk.name)?, chunk.size))).collect()
    }

    /// The canonical digest of the session's content with `content` at its end, if it has `digest`. Nothing counts
    /// yet: when it has not, the session is left as it was.
    pub(super) async fn complete(
        &mut self,
        ctx: &Context,
        digest: &Digest,
        content: Content,
    ) -> Result<Digest, UploadError> {
        let next = if content.is_empty() { None } else { self.write_chunk(ctx, content).await? };
        let Some(next) = next else {
            return match self.verify(ctx, digest).await {
                // The URL may be an old one: what the session really holds decides.
                Err(mismatch @ UploadError::DigestMismatch { .. }) => {
                    let before = self.session.progress.number;
                    self.session.refresh(ctx).await?;
                    if self.session.progress.number == before { Err(mismatch) } else { self.verify(ctx, digest).await }
                }
                verified => verified,
            };
        };
        let before = std::mem::replace(&mut self.session.progress, next);
        let verified = self.verify(ctx, digest).await;
        if verified.is_err() {
            let dropped = std::mem::replace(&mut self.session.progress, before);
            self.drop_chunk(ctx, &dropped).await?;
            let stood = self.session.progress.number;
            self.session.refresh(ctx).await?;
            if self.session.progress.number != stood {
                // Another writer appended meanwhile: that is why the digest differs.
                return Err(UploadError::RangeInvalid { stored: self.session.progress.size });
            }
        }
        verified
    }

    /// Makes the blob of the chunks.
    pub(super) async fn compose(&mut self, ctx: &Context, canonical: &Digest) -> Result<(), UploadError> {
        self.know_chunks(ctx).await?;
        if self.session.progress.size == 0 {
            self.layers.blobs().put(ctx, canonical, Content::empty()).await.map_err(upload_error)?;
            return Ok(());
        }
        match self.layers.blobs().compose(ctx, &self.sources()?, canonical).await {
            Ok(()) => Ok(()),
            // The chunks are gone: another request closed this session with success, or cancelled it.
            Err(error) if error.is_not_found() => match self.layers.stat_stored(ctx, canonical).await {
                Ok(_) => Ok(()),
                Err(BlobError::Backend(error)) => Err(error.into()),
                Err(_) => Err(self.session.unknown()),
            },
            Err(error) => Err(BackendError::from(error).into()),
        }
    }
}
