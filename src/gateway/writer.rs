//! An upload to the gateway as the interfaces have it.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use tokio::sync::MutexGuard;

use super::{
    known::Word,
    registry::Shared,
    sessions::Session,
    spooled::{Loss, Spooled},
};
use crate::{
    client::RemoteRepository,
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BlobWriter, Content, Repository as _, Upload, UploadError},
};

/// A session, at one of its clients' requests.
pub(super) struct GatewayWriter {
    pub(super) shared: Arc<Shared>,
    pub(super) remote: Arc<RemoteRepository>,
    pub(super) session: Arc<Session>,
    /// Bytes that it held when this request found it.
    pub(super) size: u64,
}

impl GatewayWriter {
    fn unknown(&self) -> UploadError {
        UploadError::Unknown(self.session.id.clone())
    }

    fn loss(&self, loss: Loss) -> UploadError {
        match loss {
            Loss::Content(error) => error,
            Loss::File(error) => self.shared.spool.fault(&error).into(),
        }
    }

    /// The content, for who finds the session as this request did.
    async fn hold(&self, at: Option<u64>) -> Result<MutexGuard<'_, Option<Spooled>>, UploadError> {
        let held = self.session.spooled.lock().await;
        let stored = held.as_ref().ok_or_else(|| self.unknown())?.size();
        // Another request came first, or this one is about another place.
        if stored != self.size || at.is_some_and(|at| at != stored) {
            return Err(UploadError::RangeInvalid { stored });
        }
        Ok(held)
    }

    /// Adds `content` to what is `held`.
    async fn take(&self, held: &mut Option<Spooled>, content: Content) -> Result<u64, UploadError> {
        let spooled = held.as_mut().ok_or_else(|| self.unknown())?;
        spooled.take(content).await.map_err(|loss| self.loss(loss))?;
        self.session.grew(spooled.size());
        Ok(spooled.size())
    }
}

#[async_trait]
impl BlobWriter for GatewayWriter {
    fn upload(&self) -> Upload {
        // The id is all that it takes to find it again.
        Upload { id: self.session.id.clone(), state: "gateway".to_owned(), size: self.size }
    }

    async fn refresh(&mut self, _ctx: &Context) -> Result<Upload, UploadError> {
        self.size = self.session.size();
        Ok(self.upload())
    }

    async fn append(&mut self, _ctx: &Context, at: Option<u64>, content: Content) -> Result<Upload, UploadError> {
        let size = {
            let mut held = self.hold(at).await?;
            self.take(&mut held, content).await?
        };
        self.size = size;
        Ok(self.upload())
    }

    /// The content goes to the registry, and the session ends when it is there. What the registry did not take can be
    /// closed again.
    async fn commit(
        self: Box<Self>,
        ctx: &Context,
        digest: &Digest,
        at: Option<u64>,
        content: Content,
    ) -> Result<Descriptor, UploadError> {
        let (name, known) = (self.remote.name(), &self.shared.known);
        let held = self.hold(at).await;
        // Closed a moment ago by the same client, which did not hear of it.
        if let (Err(UploadError::Unknown(_)), Some(descriptor)) = (&held, known.there(name, digest)) {
            return Ok(descriptor);
        }
        let mut held = held?;
        self.take(&mut held, content).await?;
        let spooled = held.as_ref().ok_or_else(|| self.unknown())?;
        let actual = spooled.digest(digest.algorithm()).await.map_err(|error| self.loss(Loss::File(error)))?;
        if actual != *digest {
            held.take();
            self.shared.sessions.end(&self.session.id);
            return Err(UploadError::DigestMismatch { expected: *digest, actual: Some(actual) });
        }
        let (size, began) = (spooled.size(), Instant::now());
        let pushed = self.remote.send_blob(ctx, digest, &spooled.source()).await?;
        let seconds = began.elapsed().as_secs_f64();
        tracing::info!(repository = %name, %digest, size, seconds, ?pushed, "blob passed on");
        let descriptor = Descriptor::blob(*digest, size);
        known.insert(name, *digest, Word::There(descriptor.clone()));
        held.take();
        self.shared.sessions.end(&self.session.id);
        Ok(descriptor)
    }

    async fn cancel(self: Box<Self>, _ctx: &Context) -> Result<(), UploadError> {
        let held = self.session.spooled.lock().await.take();
        self.shared.sessions.end(&self.session.id);
        held.map(drop).ok_or_else(|| self.unknown())
    }
}
