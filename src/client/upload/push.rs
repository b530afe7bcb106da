//! Pushing a blob whose content is at hand: the way that a client should.

use std::sync::Arc;

use super::{Opened, Session, Watch, direct::Direct};
use crate::{
    client::{RemoteRepository, Source, door::Scopes, repository::Remote},
    context::Context,
    digest::Digest,
    distribution::{BlobError, NewUpload, UploadError},
    name::RepositoryName,
};

/// Sessions that one push may lose.
pub(super) const SESSIONS: u32 = 3;

/// The least that is sent to the registry's storage, where there is that way: below, one request more costs more than
/// the bytes.
const DIRECT: u64 = 64 << 10;

/// How a blob came to be in its repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    Present,
    /// It was elsewhere in the registry, and nothing was sent.
    Mounted,
    /// It was sent.
    Sent,
}

/// A blob to push.
#[derive(Clone, Copy)]
pub(in crate::client) struct Parcel<'a> {
    pub(in crate::client) digest: &'a Digest,
    pub(in crate::client) source: &'a Arc<dyn Source>,
    /// A repository that may have it.
    pub(in crate::client) from: Option<&'a RepositoryName>,
    pub(in crate::client) watch: &'a dyn Watch,
}

impl Parcel<'_> {
    /// Whether to ask for a way past the registry.
    fn goes_direct(&self) -> bool {
        self.digest.is_canonical() && self.source.size() >= DIRECT
    }
}

impl RemoteRepository {
    /// Has the repository hold the blob `digest`, whose content is `source`; nothing is sent where it does already, or
    /// where it can be mounted from repository `from`.
    ///
    /// Sent to the registry's storage where it offers that (`docs/direct-upload.md`), else all at once as far as the
    /// registry takes so much, else in pieces. What was stored when a connection broke is not sent again; where the
    /// registry lost it, it is. The registry checks the content by its digest.
    ///
    /// # Errors
    /// [`UploadError::DigestMismatch`] when `source` is something else: then nothing is stored under `digest`;
    /// [`UploadError::Interrupted`] when it cannot be read; [`UploadError::Backend`].
    pub async fn push_blob(
        &self,
        ctx: &Context,
        digest: &Digest,
        source: &Arc<dyn Source>,
        from: Option<&RepositoryName>,
    ) -> Result<Pushed, UploadError> {
        self.push_blob_watched(ctx, digest, source, from, &()).await
    }

    /// [`Self::push_blob`], and `watch` is told how it goes.
    ///
    /// # Errors
    /// As there.
    pub async fn push_blob_watched(
        &self,
        ctx: &Context,
        digest: &Digest,
        source: &Arc<dyn Source>,
        from: Option<&RepositoryName>,
        watch: &dyn Watch,
    ) -> Result<Pushed, UploadError> {
        let parcel = Parcel { digest, source, from, watch };
        // Where announcing a blob answers the same question, it is not asked twice.
        let announces = parcel.goes_direct() && *self.remote.shared.is_direct.get().unwrap_or(&true);
        if !announces {
            return match self.remote.has(ctx, digest).await? {
                true => Ok(Pushed::Present),
                false => self.remote.push(ctx, parcel).await,
            };
        }
        match self.remote.push_direct(ctx, parcel).await? {
            Direct::Done(Pushed::Mounted) if from.is_none() => Ok(Pushed::Present),
            Direct::Done(pushed) => Ok(pushed),
            Direct::Ordinary(session) => {
                let _ = self.remote.shared.is_direct.set(false);
                if self.remote.has(ctx, digest).await? {
                    // It would end by itself, some day.
                    let _ = session.cancel(ctx).await;
                    return Ok(Pushed::Present);
                }
                self.remote.push_through(ctx, parcel, Some(session)).await
            }
        }
    }

    /// [`Self::push_blob`] for who has asked already, and knows that the repository has no such blob.
    ///
    /// # Errors
    /// As there.
    pub async fn send_blob(
        &self,
        ctx: &Context,
        digest: &Digest,
        source: &Arc<dyn Source>,
    ) -> Result<Pushed, UploadError> {
        self.remote.push(ctx, Parcel { digest, source, from: None, watch: &() }).await
    }
}

impl Remote {
    /// Whether the repository has the blob; asked with the token that an upload needs too.
    async fn has(&self, ctx: &Context, digest: &Digest) -> Result<bool, UploadError> {
        match self.stat_for(ctx, digest, Scopes::push(&self.name)).await {
            Ok(_) => {
                // An earlier run may have ended just before it learnt that.
                if let Some(kept) = self.kept(digest) {
                    kept.forget().await;
                }
                Ok(true)
            }
            Err(BlobError::Backend(error)) => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    /// [`RemoteRepository::push_blob`], of a blob that is not known to be there.
    pub(in crate::client) async fn push(&self, ctx: &Context, parcel: Parcel<'_>) -> Result<Pushed, UploadError> {
        let opened = match parcel.goes_direct() {
            true => match self.push_direct(ctx, parcel).await? {
                Direct::Done(pushed) => return Ok(pushed),
                Direct::Ordinary(session) => Some(session),
            },
            false => None,
        };
        self.push_through(ctx, parcel, opened).await
    }

    /// Sends it to the registry itself, by session `opened` if there is one already.
    async fn push_through(
        &self,
        ctx: &Context,
        parcel: Parcel<'_>,
        mut opened: Option<Box<Session>>,
    ) -> Result<Pushed, UploadError> {
        let Parcel { digest, source, from, .. } = parcel;
        let mount = from.map(|from| (*digest, Some(from.clone())));
        let new = NewUpload { mount, algorithm: Some(digest.algorithm()), announced: None };
        let mut lost = 0;
        loop {
            let mut session = match opened.take() {
                Some(session) => session,
                None => match Session::open(self, ctx, &new).await? {
                    Opened::Mounted(_) => return Ok(Pushed::Mounted),
                    Opened::Session(session) => session,
                },
            };
            match session.close(ctx, digest, Some(source)).await {
                Ok(()) => return Ok(Pushed::Sent),
                // Some registries end a session whose client was cut off.
                Err(UploadError::Unknown(_) | UploadError::StateInvalid | UploadError::RangeInvalid { .. })
                    if lost < SESSIONS =>
                {
                    lost += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
