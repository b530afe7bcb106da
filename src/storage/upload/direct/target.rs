//! Where announced content goes.

use std::ops::RangeInclusive;

use super::{Direct, Place, blob, plan};
use crate::{
    context::Context,
    distribution::{BackendError, DirectFault, PartStanding, PartState, PartsPage, Target, UploadError},
    driver::{DirectWrite, StoredPart},
    storage::upload::writer::UploadWriter,
};

/// The most parts that one answer gives: what S3 lists at once.
const PAGE: u32 = 1000;

impl UploadWriter {
    /// The target of what was announced to this session.
    pub(in crate::storage::upload) async fn direct_target(&self, ctx: &Context) -> Result<Option<Target>, UploadError> {
        let session = &self.session;
        let (Some((way, options)), Some(direct)) = (session.sessions.way(), &session.progress.direct) else {
            return Ok(None);
        };
        let Direct { digest, size, place } = direct;
        let (at, mark) = match place {
            Place::Blob { uploader } => (blob(digest)?, uploader),
            Place::Stage { uploader } => (session.stage()?, uploader),
            Place::Parts { part, .. } => return Ok(Some(Target::Parts(plan(*size, *part)))),
            Place::Joined { .. } | Place::Verified { .. } => return Ok(None),
        };
        let write = DirectWrite::File { checksum: digest, size: *size, mark };
        let signed = way.sign(ctx, &at, write, options.life).await.map_err(BackendError::from)?;
        Ok(Some(Target::Put(signed)))
    }

    /// Parts of what was announced to this session.
    pub(in crate::storage::upload) async fn direct_parts(
        &self,
        ctx: &Context,
        numbers: RangeInclusive<u32>,
    ) -> Result<PartsPage, UploadError> {
        let session = &self.session;
        let (Some((way, options)), Some(direct)) = (session.sessions.way(), &session.progress.direct) else {
            return Err(DirectFault::NoParts.into());
        };
        let (upload, plan) = match &direct.place {
            Place::Parts { upload, part } => (upload, plan(direct.size, *part)),
            Place::Joined { .. } | Place::Verified { .. } => return Err(DirectFault::PartsComplete.into()),
            Place::Blob { .. } | Place::Stage { .. } => return Err(DirectFault::NoParts.into()),
        };
        let first = (*numbers.start()).max(1);
        let last = (*numbers.end()).min(plan.count()).min(first.saturating_add(PAGE - 1));
        if first > last {
            return Ok(PartsPage { plan, parts: Vec::new() });
        }
        let stage = session.stage()?;
        let stored = match way.parts(ctx, &stage, upload, first - 1, last - first + 1).await {
            Ok(stored) => stored,
            Err(error) if error.is_not_found() => return Err(self.over(ctx).await?),
            Err(error) => return Err(BackendError::from(error).into()),
        };
        let mut stored = stored.into_iter().peekable();
        let mut parts = Vec::new();
        for number in first..=last {
            let Some(size) = plan.size_of(number) else { break };
            let there = stored.next_if(|part| part.number == number).filter(|part| part.size == size);
            let standing = match there {
                Some(StoredPart { tag, .. }) => PartStanding::Stored(tag),
                None => {
                    let write = DirectWrite::Part { upload, number, size };
                    PartStanding::Wanted(way.sign(ctx, &stage, write, options.life).await.map_err(BackendError::from)?)
                }
            };
            parts.push(PartState { number, size, standing });
        }
        Ok(PartsPage { plan, parts })
    }

    /// Why the upload in parts takes no more: all were put together, or the session is over.
    async fn over(&self, ctx: &Context) -> Result<UploadError, UploadError> {
        let session = &self.session;
        let Some((way, _)) = session.sessions.way() else { return Ok(session.unknown()) };
        match way.look(ctx, &session.stage()?).await {
            Ok(_) => Ok(DirectFault::PartsComplete.into()),
            Err(error) if error.is_not_found() => Ok(session.unknown()),
            Err(error) => Err(BackendError::from(error).into()),
        }
    }
}
