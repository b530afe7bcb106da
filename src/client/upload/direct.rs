//! Handing a blob to the registry's storage, by requests that the registry signs (`docs/direct-upload.md`).

mod close;
mod offer;
mod parts;
mod put;
mod signed;

use std::fmt;

use self::put::Sent;
use super::{
    Opened, Session,
    fault::Setback,
    kept::Kept,
    push::{Parcel, Pushed, SESSIONS},
};
use crate::{
    api::{Query, Route},
    client::{repository::Remote, transport::allowed},
    context::Context,
    digest::Digest,
    distribution::{Announced, DirectFault, NewUpload, Target, UploadError},
};

/// What a session was said to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) digest: Digest,
    /// In bytes.
    pub(super) size: u64,
}

impl Announcement {
    /// What [`fmt::Display`] wrote.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (digest, size) = text.split_once('/')?;
        Some(Self { digest: digest.parse().ok()?, size: size.parse().ok()? })
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.digest, self.size)
    }
}

/// What came of asking for the way past the registry.
pub(in crate::client) enum Direct {
    /// The repository has the blob.
    Done(Pushed),
    /// There is no such way; this is a session as ever.
    Ordinary(Box<Session>),
}

/// What became of one session.
enum Handed {
    Done,
    /// It is of no more use, for that reason; another may be.
    Over(UploadError),
}

impl Remote {
    /// Asks for the way past the registry, and goes it. What an earlier run sent is not sent again.
    pub(in crate::client) async fn push_direct(
        &self,
        ctx: &Context,
        parcel: Parcel<'_>,
    ) -> Result<Direct, UploadError> {
        let kept = self.kept(parcel.digest);
        if let Some(kept) = &kept
            && let Some(location) = kept.read().await
            && let Some(pushed) = self.go_on(ctx, parcel, &location, kept).await?
        {
            return Ok(Direct::Done(pushed));
        }
        let (digest, size) = (*parcel.digest, parcel.source.size());
        let mount = parcel.from.map(|from| (digest, Some(from.clone())));
        let announced = Some(Announced { digest, size, reads_all: false });
        let new = NewUpload { mount, algorithm: Some(digest.algorithm()), announced };
        let mut lost = 0;
        loop {
            let mut session = match Session::open(self, ctx, &new).await? {
                Opened::Mounted(_) => {
                    forget(kept.as_ref()).await;
                    return Ok(Direct::Done(Pushed::Mounted));
                }
                Opened::Session(session) => session,
            };
            let Some(target) = session.target.take() else { return Ok(Direct::Ordinary(session)) };
            match session.hand_over(ctx, parcel, Some(target), kept.as_ref()).await? {
                Handed::Done => return Ok(Direct::Done(Pushed::Sent)),
                Handed::Over(error) if lost == SESSIONS => return Err(error),
                Handed::Over(_) => lost += 1,
            }
        }
    }

    /// The place where the upload of `digest` is noted, if there is one.
    pub(super) fn kept(&self, digest: &Digest) -> Option<Kept> {
        let base = self.shared.transport.url(&Route::Base, &Query::default());
        self.shared.kept.as_ref().map(|uploads| uploads.of(base.as_str(), &self.name, digest))
    }

    /// Goes on with what an earlier run began at `location`, as far as that is of use.
    async fn go_on(
        &self,
        ctx: &Context,
        parcel: Parcel<'_>,
        location: &str,
        kept: &Kept,
    ) -> Result<Option<Pushed>, UploadError> {
        let base = self.shared.transport.url(&Route::Base, &Query::default());
        let Ok(url) = allowed(&base, location) else { return Ok(None) };
        let announced = Some(Announcement { digest: *parcel.digest, size: parcel.source.size() });
        let id = "of an earlier run".to_owned();
        let (remote, size, is_fresh, least, target) = (self.clone(), 0, false, 0, None);
        let mut session = Session { remote, id, url, size, is_fresh, least, announced, target };
        match session.hand_over(ctx, parcel, None, Some(kept)).await? {
            Handed::Done => Ok(Some(Pushed::Sent)),
            Handed::Over(_) => Ok(None),
        }
    }
}

impl Session {
    /// Sends the content to `target`, and closes; without a target it closes first, and sends what is missing then.
    async fn hand_over(
        &mut self,
        ctx: &Context,
        parcel: Parcel<'_>,
        mut target: Option<Target>,
        kept: Option<&Kept>,
    ) -> Result<Handed, UploadError> {
        if let Some(kept) = kept.filter(|_| target.is_some()) {
            kept.write(self.url.as_str()).await;
        }
        let put = match &target {
            Some(Target::Put(put)) => Some(put.clone()),
            _ => None,
        };
        let mut again = 0;
        let handed = loop {
            let sent = match target.take() {
                Some(Target::Put(put)) => self.send_whole(ctx, parcel, &put).await?,
                Some(Target::Parts(plan)) => self.send_parts(ctx, parcel, Some(plan)).await?,
                None => Sent::Stored,
            };
            if let Sent::Anew(error) = sent {
                break Handed::Over(error);
            }
            let fault = match self.close_direct(ctx, parcel, kept).await {
                Ok(()) => break Handed::Done,
                Err(Setback::Final(UploadError::Direct(fault))) => fault,
                Err(Setback::Final(error @ (UploadError::Unknown(_) | UploadError::StateInvalid))) => {
                    break Handed::Over(error);
                }
                Err(Setback::Final(error @ UploadError::DigestMismatch { .. })) => {
                    forget(kept).await;
                    return Err(error);
                }
                Err(setback) => return Err(setback.into()),
            };
            // A registry that never finds what is sent is not sent it forever.
            again += 1;
            match (fault, &put) {
                (fault @ (DirectFault::Missing | DirectFault::PartsMissing { .. }), _)
                    if again > 1 && put.is_some() =>
                {
                    return Err(fault.into());
                }
                (fault, _) if again > SESSIONS => return Err(fault.into()),
                (DirectFault::Missing, Some(put)) => target = Some(Target::Put(put.clone())),
                (DirectFault::PartsMissing { .. }, _) => {
                    if let Sent::Anew(error) = self.send_parts(ctx, parcel, None).await? {
                        break Handed::Over(error);
                    }
                }
                (fault, _) => break Handed::Over(fault.into()),
            }
        };
        // What is over is as good as never begun.
        forget(kept).await;
        Ok(handed)
    }
}

async fn forget(kept: Option<&Kept>) {
    if let Some(kept) = kept {
        kept.forget().await;
    }
}
