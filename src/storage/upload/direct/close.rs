//! Closing a session over content that its sender handed to the backend.

use futures_util::future::join;

use super::{Direct, Place, blob};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BackendErrorKind, BlobError, DirectCommit, DirectFault, UploadError},
    driver::{DirectStore, DriverError, Found, PutOptions},
    storage::upload::{record::Record, writer::UploadWriter},
};

impl UploadWriter {
    /// Stores and links what was announced as `digest`, or does a part of that; `None` for content that came through the
    /// registry.
    pub(in crate::storage::upload) async fn direct_commit(
        &mut self,
        ctx: &Context,
        digest: &Digest,
    ) -> Result<Option<DirectCommit>, UploadError> {
        let sessions = self.session.sessions.clone();
        let progress = &self.session.progress;
        let (Some((way, options)), Some(direct)) = (sessions.way(), progress.direct.clone()) else { return Ok(None) };
        if direct.digest != *digest || progress.size > 0 {
            return Ok(None);
        }
        match &direct.place {
            Place::Blob { uploader } => self.close_blob(ctx, way, &direct, uploader).await,
            Place::Stage { uploader } => self.close_stage(ctx, way, &direct, uploader).await.map(Some),
            Place::Parts { .. } | Place::Joined { .. } | Place::Verified { .. } => {
                // A copy that was begun would be ended although the session was cancelled, by an older place of it.
                match self.session.log().read(ctx, 1).await.map_err(BackendError::from)? {
                    None => self.close_parts(ctx, way, options.until(ctx), direct).await.map(Some),
                    Some(Record::Open(_)) => Ok(None),
                    Some(Record::Cancelled) => Err(self.session.unknown()),
                }
            }
        }
    }

    /// Content at the blob's own place: it must be this uploader's.
    async fn close_blob(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        direct: &Direct,
        uploader: &str,
    ) -> Result<Option<DirectCommit>, UploadError> {
        let at = blob(&direct.digest)?;
        let log = self.session.log();
        let (record, found) = join(log.read(ctx, 1), way.look(ctx, &at)).await;
        match record.map_err(BackendError::from)? {
            None => {}
            Some(Record::Open(_)) => return Ok(None),
            Some(Record::Cancelled) => return Err(self.session.unknown()),
        }
        match found {
            Ok(found) if found.mark.as_deref() == Some(uploader) => {
                direct.agrees(&found)?;
                self.linked(ctx, direct).await.map(Some)
            }
            Ok(_) => self.linked_before(ctx, &direct.digest, DirectFault::Superseded.into()).await.map(Some),
            Err(error) if error.is_not_found() => Err(DirectFault::Missing.into()),
            Err(error) => Err(BackendError::from(error).into()),
        }
    }

    /// Content on the stage: that it is there shows that its sender has it. The blob was there before.
    async fn close_stage(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        direct: &Direct,
        uploader: &str,
    ) -> Result<DirectCommit, UploadError> {
        let stage = self.session.stage()?;
        let at = blob(&direct.digest)?;
        let (staged, found) = join(way.look(ctx, &stage), way.look(ctx, &at)).await;
        match staged {
            Ok(staged) if staged.mark.as_deref() == Some(uploader) => direct.agrees(&staged)?,
            // What a cancelled session leaves there.
            Ok(_) => return Err(self.session.unknown()),
            Err(error) if error.is_not_found() => {
                return self.linked_before(ctx, &direct.digest, DirectFault::Missing.into()).await;
            }
            Err(error) => return Err(BackendError::from(error).into()),
        }
        match found {
            Ok(_) => {}
            // It was removed meanwhile.
            Err(error) if error.is_not_found() => {
                let sources = [(stage, direct.size)];
                self.layers.blobs().compose(ctx, &sources, &direct.digest).await.map_err(BackendError::from)?;
            }
            Err(error) => return Err(BackendError::from(error).into()),
        }
        let done = self.linked(ctx, direct).await?;
        self.drop_stage(ctx).await;
        Ok(done)
    }

    /// Links content that is stored.
    pub(super) async fn linked(&self, ctx: &Context, direct: &Direct) -> Result<DirectCommit, UploadError> {
        let descriptor = Descriptor::blob(direct.digest, direct.size);
        self.layers.link_stored(ctx, &direct.digest, &descriptor).await?;
        Ok(DirectCommit::Done(descriptor))
    }

    /// What the repository links already needs nothing of this session: an earlier request may have closed it. Otherwise,
    /// `error`.
    pub(in crate::storage::upload) async fn linked_before(
        &self,
        ctx: &Context,
        digest: &Digest,
        error: UploadError,
    ) -> Result<DirectCommit, UploadError> {
        match self.layers.stat_stored(ctx, digest).await {
            Ok(descriptor) => Ok(DirectCommit::Done(descriptor)),
            Err(BlobError::Backend(error)) => Err(error.into()),
            Err(_) => Err(error),
        }
    }

    /// Frees the stage; that it could not be freed must not fail a commit that has succeeded.
    pub(super) async fn drop_stage(&self, ctx: &Context) {
        let dropped = match self.session.stage() {
            Ok(stage) => self.session.sessions.driver.delete(ctx, &[stage]).await.map_err(BackendError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = dropped {
            tracing::warn!(%error, upload = %self.session.id, "a closed upload was not cleaned up; purging will");
        }
    }

    /// Frees what came for a session that another way ended: a stage that is closed for good where it was `cancelled`, so that
    /// requests signed for it store nothing any more.
    pub(in crate::storage::upload) async fn drop_direct(
        &self,
        ctx: &Context,
        direct: Option<&Direct>,
        cancelled: bool,
    ) -> Result<(), BackendError> {
        let session = &self.session;
        let (Some((way, _)), Some(direct)) = (session.sessions.way(), direct) else { return Ok(()) };
        let driver = &session.sessions.driver;
        let stage = session.stage()?;
        match &direct.place {
            Place::Blob { .. } => return Ok(()),
            Place::Stage { .. } if cancelled => {
                driver.put(ctx, &stage, bytes::Bytes::new().into(), PutOptions::default()).await?;
                return Ok(());
            }
            Place::Parts { upload, .. } => way.abort(ctx, &stage, upload).await?,
            Place::Verified { upload: Some(upload), .. } => way.abort(ctx, &blob(&direct.digest)?, upload).await?,
            Place::Stage { .. } | Place::Joined { .. } | Place::Verified { upload: None, .. } => {}
        }
        Ok(driver.delete(ctx, &[stage]).await?)
    }
}

impl Direct {
    /// Whether what was `found` is what was announced.
    fn agrees(&self, found: &Found) -> Result<(), UploadError> {
        if found.size != self.size {
            let message = format!("{} bytes were sent, {} announced", found.size, self.size);
            return Err(UploadError::SizeInvalid(message));
        }
        if found.checksum.is_some_and(|checksum| checksum != self.digest) {
            // The driver promised to take no other.
            let message = format!("storage took other content for {}", self.digest);
            return Err(BackendError::new(BackendErrorKind::Failed, message).into());
        }
        Ok(())
    }
}

/// Whether there is nothing, if all else is well.
pub(in crate::storage::upload) fn present<T>(looked: Result<T, DriverError>) -> Result<Option<T>, BackendError> {
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
