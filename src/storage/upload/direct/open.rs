//! Opening a session over announced content.

use std::time::SystemTime;

use super::{Direct, LARGEST, MOST_PARTS, Place, blob};
use crate::{
    context::{Caller, Context},
    descriptor::Descriptor,
    digest::Algorithm,
    distribution::{Announced, BackendError, BlobError, UploadError},
    driver::Found,
    storage::{
        layers::LayerStore,
        upload::{
            Sessions, UploadSecret,
            session::{SESSION_LIFE, Session},
            writer::UploadWriter,
        },
    },
};

/// What came of announced content.
pub(in crate::storage) enum Opened {
    /// The repository has it.
    Linked(Descriptor),
    /// A session is open.
    Session(Box<UploadWriter>),
}

/// Opens sessions over announced content.
pub(in crate::storage) struct DirectWay<'a> {
    pub(in crate::storage) sessions: &'a Sessions,
    pub(in crate::storage) layers: &'a LayerStore,
}

impl DirectWay<'_> {
    /// Looks whether `announced` is here already, and opens a session over where it is to come if not. `None` where it can
    /// only come through the registry.
    pub(in crate::storage) async fn open(
        &self,
        ctx: &Context,
        announced: &Announced,
    ) -> Result<Option<Opened>, UploadError> {
        let Some((way, options)) = self.sessions.way() else { return Ok(None) };
        let Announced { digest, size, .. } = announced;
        // Nothing needs no way to come by.
        if !digest.is_canonical() || *size == 0 {
            return Ok(None);
        }
        if *size > LARGEST.min(options.part.max(5 << 30).saturating_mul(MOST_PARTS)) {
            return Err(UploadError::SizeInvalid(format!("a blob has at most {LARGEST} bytes")));
        }
        let mut session = self.sessions.open(ctx, Algorithm::CANONICAL).await?;
        let caller = session.secret.uploader(&self.sessions.repository, ctx.caller(), &session.id);
        let found = match way.look(ctx, &blob(digest)?).await {
            Ok(found) => Some(found),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(BackendError::from(error).into()),
        };
        if let Some(found) = &found
            && self.may_link(ctx, announced, found, &session.id).await?
        {
            if found.size != *size {
                let message = format!("blob {digest} has {} bytes, not {size}", found.size);
                return Err(UploadError::SizeInvalid(message));
            }
            let descriptor = Descriptor::blob(*digest, found.size);
            self.layers.link_stored(ctx, digest, &descriptor).await?;
            return Ok(Some(Opened::Linked(descriptor)));
        }
        let place = match &found {
            _ if *size > options.largest_put => {
                let upload = way.begin(ctx, &session.stage()?).await.map_err(BackendError::from)?;
                Place::Parts { upload, part: options.part_of(*size) }
            }
            None => Place::Blob { uploader: caller },
            Some(_) => Place::Stage { uploader: stage_mark(&session) },
        };
        session.progress.direct = Some(Direct { digest: *digest, size: *size, place });
        Ok(Some(Opened::Session(Box::new(UploadWriter::of(session, self.layers.clone())))))
    }

    /// Whether who asks has shown already, or need not show, that they have what was `found` under the announced digest.
    async fn may_link(
        &self,
        ctx: &Context,
        announced: &Announced,
        found: &Found,
        session: &str,
    ) -> Result<bool, UploadError> {
        // They sent it lately, and closed no session over it: the process that was to has died.
        let lately = |modified| SystemTime::now().duration_since(modified).unwrap_or_default() < SESSION_LIFE;
        if announced.reads_all {
            return Ok(true);
        }
        if let Some(mark) = found.mark.as_deref().filter(|_| found.modified.is_some_and(lately)) {
            let repository = &self.sessions.repository;
            let theirs = |secret: &UploadSecret| secret.uploader(repository, ctx.caller(), session) == mark;
            if self.sessions.secrets.any(ctx, theirs).await? {
                return Ok(true);
            }
        }
        match self.layers.linked().resolve(ctx, &announced.digest).await {
            Ok(_) => Ok(true),
            Err(BlobError::Backend(error)) => Err(error.into()),
            Err(_) => Ok(false),
        }
    }
}

/// A stage is one session's, whoever closes that.
fn stage_mark(session: &Session) -> String {
    session.secret.uploader(&session.sessions.repository, &Caller::Anonymous, &session.id)
}
