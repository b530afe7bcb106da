//! Pushing a blob whose content is at hand: the way that a client should.

use std::sync::Arc;

use super::{Opened, Session};
use crate::{
    client::{RemoteRepository, Source, repository::Remote},
    context::Context,
    digest::Digest,
    distribution::{BlobError, NewUpload, UploadError},
    name::RepositoryName,
};

/// Sessions that one push may lose.
const SESSIONS: u32 = 3;

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

impl RemoteRepository {
    /// Has the repository hold the blob `digest`, whose content is `source`; nothing is sent where it does already, or
    /// where it can be mounted from repository `from`.
    ///
    /// Sent all at once as far as the registry takes so much, else in pieces. What was stored when a connection broke is
    /// not sent again; where the registry lost it, it is. The registry checks the content by its digest.
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
        match self.remote.stat(ctx, digest).await {
            Ok(_) => return Ok(Pushed::Present),
            Err(BlobError::Backend(error)) => return Err(error.into()),
            Err(_) => {}
        }
        self.remote.push(ctx, digest, source, from).await
    }
}

impl Remote {
    /// [`RemoteRepository::push_blob`], of a blob that is not known to be there.
    pub(in crate::client) async fn push(
        &self,
        ctx: &Context,
        digest: &Digest,
        source: &Arc<dyn Source>,
        from: Option<&RepositoryName>,
    ) -> Result<Pushed, UploadError> {
        let mount = from.map(|from| (*digest, Some(from.clone())));
        let new = NewUpload { mount, algorithm: Some(digest.algorithm()) };
        let mut lost = 0;
        loop {
            let mut session = match Session::open(self, ctx, &new).await? {
                Opened::Mounted(_) => return Ok(Pushed::Mounted),
                Opened::Session(session) => session,
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
