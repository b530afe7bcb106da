//! The writer of one session.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    chunk::{Tap, upload_error},
    direct::Direct,
    record::{Chunk, Progress, Record},
    session::{Session, Sessions},
};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::{Algorithm, Digest},
    distribution::{
        BackendError, BlobWriter, Content, DirectCommit, NewUpload, PartsPage, StagedCommit, Target, Upload,
        UploadError,
    },
    driver::{DriverErrorKind, Path, PutOptions},
    storage::{layers::LayerStore, path, path_spec::PathSpec},
};

/// A session, and the repository that it will link its blob to.
pub(in crate::storage) struct UploadWriter {
    pub(super) session: Session,
    pub(super) layers: LayerStore,
}

impl UploadWriter {
    /// Opens a session.
    pub(in crate::storage) async fn open(
        ctx: &Context,
        sessions: &Sessions,
        layers: LayerStore,
        new: &NewUpload,
    ) -> Result<Self, UploadError> {
        let session = sessions.open(ctx, new.algorithm.unwrap_or(Algorithm::CANONICAL)).await?;
        Ok(Self { session, layers })
    }

    /// The writer of `session`.
    pub(super) fn of(session: Session, layers: LayerStore) -> Self {
        Self { session, layers }
    }

    /// Where the session stands.
    pub(super) fn stands(&self) -> Upload {
        let Session { sessions, secret, id, progress, .. } = &self.session;
        Upload { id: id.clone(), state: secret.sign(&sessions.repository, id, progress), size: progress.size }
    }

    /// Continues a session.
    pub(in crate::storage) async fn resume(
        ctx: &Context,
        sessions: &Sessions,
        layers: LayerStore,
        id: &str,
        state: &str,
    ) -> Result<Self, UploadError> {
        Ok(Self { session: sessions.resume(ctx, id, state).await?, layers })
    }

    /// Goes to where the client says that it stands, or tells where it really stands.
    async fn stand_at(&mut self, ctx: &Context, at: Option<u64>) -> Result<(), UploadError> {
        let Some(at) = at.filter(|at| *at != self.session.progress.size) else {
            return Ok(());
        };
        self.session.refresh(ctx).await?;
        if at == self.session.progress.size {
            return Ok(());
        }
        Err(UploadError::RangeInvalid { stored: self.session.progress.size })
    }

    /// Writes `content` to a chunk, and returns how far the session will have come when that chunk counts. `None`
    /// when there turned out to be no bytes in it.
    pub(super) async fn write_chunk(
        &mut self,
        ctx: &Context,
        content: Content,
    ) -> Result<Option<Progress>, UploadError> {
        self.know_chunks(ctx).await?;
        let name = Uuid::new_v4().simple().to_string();
        let path = self.chunk_path(&name)?;
        let (tap, content) = Tap::on(self.session.hasher()?, content);
        let driver = &self.session.sessions.driver;
        let size = driver.put(ctx, &path, content, PutOptions::default()).await.map_err(upload_error)?;
        if size == 0 {
            driver.delete(ctx, &[path]).await.map_err(BackendError::from)?;
            return Ok(None);
        }
        let mut next = self.session.progress.clone();
        next.number += 1;
        next.size += size;
        next.hashes = tap.hasher().save();
        next.chunks.push(Chunk { name, size });
        Ok(Some(next))
    }

    /// Drops the last chunk of `progress`, which never counted.
    pub(super) async fn drop_chunk(&self, ctx: &Context, progress: &Progress) -> Result<(), UploadError> {
        let Some(chunk) = progress.chunks.last() else { return Ok(()) };
        let path = self.chunk_path(&chunk.name)?;
        Ok(self.session.sessions.driver.delete(ctx, &[path]).await.map_err(BackendError::from)?)
    }

    /// Reads the list of chunks, where the URL was too short for it.
    pub(super) async fn know_chunks(&mut self, ctx: &Context) -> Result<(), UploadError> {
        let Progress { size, chunks, .. } = &self.session.progress;
        if *size > 0 && chunks.is_empty() { self.session.load(ctx).await } else { Ok(()) }
    }

    pub(super) fn chunk_path(&self, name: &str) -> Result<Path, BackendError> {
        let place = PathSpec::UploadChunk(&self.session.sessions.repository, &self.session.id, name);
        path(place).map_err(BackendError::from)
    }

    /// Content that comes whole with the closing request, named by its canonical digest: it goes straight to its
    /// place, and the driver checks it on the way.
    async fn commit_at_once(
        &mut self,
        ctx: &Context,
        digest: &Digest,
        content: Content,
    ) -> Result<Descriptor, UploadError> {
        let length = content.length;
        let size = match self.layers.blobs().put(ctx, digest, content).await {
            Ok(size) => size.or(length),
            Err(error) if error.kind == DriverErrorKind::Checksum => {
                // The driver saw that it differs; what it is instead is not worth a second look at the bytes.
                return Err(UploadError::DigestMismatch { expected: *digest, actual: None });
            }
            Err(error) => return Err(upload_error(error)),
        };
        Ok(Descriptor::blob(*digest, size.unwrap_or_default()))
    }

    /// Frees what the session stored; that it could not be freed must not fail a commit that has succeeded.
    async fn clean_up(&self, ctx: &Context) {
        let Progress { number, chunks, .. } = &self.session.progress;
        if let Err(error) = self.session.log().remove(ctx, 1..=*number, chunks).await {
            tracing::warn!(%error, upload = %self.session.id, "a closed upload was not cleaned up; purging will");
        }
    }

    /// Frees what came directly for a session that was closed in the ordinary way.
    pub(super) async fn forget(&self, ctx: &Context, direct: Option<&Direct>) {
        if let Err(error) = self.drop_direct(ctx, direct, false).await {
            tracing::warn!(%error, upload = %self.session.id, "a closed upload was not cleaned up; purging will");
        }
    }
}

#[async_trait]
impl BlobWriter for UploadWriter {
    fn upload(&self) -> Upload {
        self.stands()
    }

    async fn refresh(&mut self, ctx: &Context) -> Result<Upload, UploadError> {
        self.session.refresh(ctx).await?;
        Ok(self.upload())
    }

    async fn append(&mut self, ctx: &Context, at: Option<u64>, content: Content) -> Result<Upload, UploadError> {
        self.stand_at(ctx, at).await?;
        if self.session.progress.number > 0 {
            // Of a session that is over, all records are gone but the first: appending would revive it.
            self.session.load(ctx).await?;
        }
        let next = if content.is_empty() { None } else { self.write_chunk(ctx, content).await? };
        let Some(next) = next else {
            return self.refresh(ctx).await;
        };
        if self.session.log().append(ctx, next.number, &Record::Open(next.clone())).await.map_err(BackendError::from)? {
            self.session.progress = next;
            return Ok(self.upload());
        }
        // Another writer came first, or the session was cancelled: these bytes never counted.
        self.drop_chunk(ctx, &next).await?;
        self.session.refresh(ctx).await?;
        Err(UploadError::RangeInvalid { stored: self.session.progress.size })
    }

    async fn commit(
        mut self: Box<Self>,
        ctx: &Context,
        digest: &Digest,
        at: Option<u64>,
        content: Content,
    ) -> Result<Descriptor, UploadError> {
        let direct = self.session.progress.direct.clone();
        self.stand_at(ctx, at).await?;
        if self.session.progress.number == 0 {
            // Nothing stored, says the URL. It may be an old one, or the session cancelled.
            self.session.refresh(ctx).await?;
            self.stand_at(ctx, at).await?;
        }
        let whole = self.session.progress.size == 0 && digest.is_canonical() && content.length.is_some();
        if whole && !content.is_empty() {
            let descriptor = self.commit_at_once(ctx, digest, content).await?;
            self.layers.link_stored(ctx, digest, &descriptor).await?;
            self.forget(ctx, direct.as_ref()).await;
            return Ok(descriptor);
        }
        let canonical = self.complete(ctx, digest, content).await?;
        self.compose(ctx, &canonical).await?;
        let descriptor = Descriptor::blob(canonical, self.session.progress.size);
        self.layers.link_stored(ctx, digest, &descriptor).await?;
        self.clean_up(ctx).await;
        self.forget(ctx, direct.as_ref()).await;
        Ok(descriptor)
    }

    async fn target(&mut self, ctx: &Context) -> Result<Option<Target>, UploadError> {
        self.direct_target(ctx).await
    }

    async fn parts(&mut self, ctx: &Context, numbers: RangeInclusive<u32>) -> Result<PartsPage, UploadError> {
        self.direct_parts(ctx, numbers).await
    }

    async fn commit_direct(&mut self, ctx: &Context, digest: &Digest) -> Result<Option<DirectCommit>, UploadError> {
        self.direct_commit(ctx, digest).await
    }

    async fn commit_staged(
        &mut self,
        ctx: &Context,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Option<StagedCommit>, UploadError> {
        self.staged_commit(ctx, digest, size).await
    }

    async fn cancel(mut self: Box<Self>, ctx: &Context) -> Result<(), UploadError> {
        let direct = self.session.progress.direct.clone();
        self.session.refresh(ctx).await?;
        let log = self.session.log();
        let Progress { number, chunks, .. } = &self.session.progress;
        if !log.append(ctx, number + 1, &Record::Cancelled).await.map_err(BackendError::from)? {
            // A writer came between; it has its bytes stored, so the client decides again.
            return Err(UploadError::RangeInvalid { stored: self.session.progress.size });
        }
        if *number > 0 {
            // The first record stays, saying so, for those who hold the very first URL.
            log.replace(ctx, 1, &Record::Cancelled).await.map_err(BackendError::from)?;
            log.remove(ctx, 2..=number + 1, chunks).await.map_err(BackendError::from)?;
        }
        self.drop_direct(ctx, direct.as_ref(), true).await?;
        Ok(())
    }
}
