//! Closing a session over content that the edge put on a stage for its client, who knows nothing of it.
//!
//! Whoever holds the session's URL may overwrite the stage at any time, and what names its content to the backend is MD5,
//! to which one may find two contents. So nothing that was seen there counts, and only bytes that the backend has hashed
//! while it copied them, or that were hashed here after they were copied, become a blob:
//!
//! - **By sha256** the backend copies the stage to the blob's place and hashes what it copies; the copy becomes visible only if
//!   it has the digest ([`crate::driver::DirectStore::copy_verified`]). That is one copy of the data.
//! - **Otherwise**, by sha512, where the backend reports no hash, and for content that is too large for that or takes too long,
//!   the backend copies the stage to where no one else writes; what has the digest there, and has been there ever since, goes
//!   to the blob's place. A name of such a copy is used once: by one copy at once, or by one upload in parts, which can be
//!   completed once. Otherwise a hash of half of one content could be carried over to the other half of the next.
//!
//! Each step begins where the session's state says, in any process, and may be done twice and by several at once.

mod steps;

use std::time::Instant;

use futures_util::future::join;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{direct::present, record::Record, session::Session, writer::UploadWriter};
use crate::{
    context::Context,
    digest::{Digest, HashState, MultiHasher},
    distribution::{BackendError, BackendErrorKind, DirectFault, StagedCommit, UploadError},
    driver::Path,
    storage::{path, path_spec::PathSpec},
};

/// How often the work is left to another request. The client is redirected to that: by the edge once, then by each of
/// these; those written in Go follow ten in all ("CheckRedirect", package net/http).
const MOST_HOPS: u8 = 8;

/// Content on its way from the stage to its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged {
    /// As the client names it.
    digest: Digest,
    /// Its size in bytes; not known before [`Step::Asked`] is over.
    size: u64,
    /// How often the work was left to another request.
    hops: u8,
    /// The name of the copy.
    copy: String,
    step: Step,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    /// The backend was asked to copy it, and has not said in time that it did.
    Asked,
    /// The driver's upload of that id copies it.
    Parts { upload: String },
    /// The copy is there, and so many bytes of it have those hashes.
    Copied { verified: u64, hashes: Vec<HashState> },
    /// The copy has the digest, and this canonical one. To the blob's place it is copied at once, or, where the backend was
    /// asked for that and did not say in time that it did, by the driver's upload of that id.
    Verified { canonical: Digest, asked: bool, upload: Option<String>, copied: u64 },
}

/// What came of one step.
enum Next {
    At(Step),
    /// It has come so far, and another request must go on.
    Pause(Step),
    /// The blob of this canonical digest is in its place.
    Stored(Digest),
    /// What was to be copied is not there: another request has closed the session, perhaps.
    Over,
}

impl Session {
    fn edge_stage(&self, digest: &Digest) -> Result<Path, BackendError> {
        path(PathSpec::UploadStaged(&self.sessions.repository, &self.id, digest)).map_err(BackendError::from)
    }

    fn copy(&self, name: &str) -> Result<Path, BackendError> {
        path(PathSpec::UploadCopy(&self.sessions.repository, &self.id, name)).map_err(BackendError::from)
    }
}

impl Staged {
    fn new(digest: Digest, size: u64) -> Self {
        Self { digest, size, hops: 0, copy: unused(), step: Step::Asked }
    }

    /// Of a copy that has this sha256, as the backend says: whether that is the digest, or is to be hashed by another
    /// algorithm.
    fn judged(&self, actual: Option<Digest>) -> Result<Step, UploadError> {
        match actual {
            Some(actual) if self.digest.is_canonical() => {
                if actual == self.digest {
                    Ok(verified(actual))
                } else {
                    Err(UploadError::DigestMismatch { expected: self.digest, actual: Some(actual) })
                }
            }
            _ => Ok(Step::Copied { verified: 0, hashes: MultiHasher::new(self.digest.algorithm()).save() }),
        }
    }
}

fn unused() -> String {
    Uuid::new_v4().simple().to_string()
}

fn verified(canonical: Digest) -> Step {
    Step::Verified { canonical, asked: false, upload: None, copied: 0 }
}

impl UploadWriter {
    /// Stores and links what the edge stored for this session as `digest`, or does a part of that; `None` where the backend
    /// takes nothing from others.
    pub(super) async fn staged_commit(
        &mut self,
        ctx: &Context,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Option<StagedCommit>, UploadError> {
        let sessions = self.session.sessions.clone();
        let Some((way, options)) = sessions.staging() else { return Ok(None) };
        if self.session.progress.number > 0 {
            return Err(UploadError::RangeInvalid { stored: self.session.progress.size });
        }
        let until = options.edge_until(ctx);
        let carried = self.session.progress.staged.take();
        let carried = carried.filter(|staged| staged.digest == *digest).map(|staged| *staged);
        let stage = self.session.edge_stage(digest)?;
        // What the backend hashes as it copies needs no look before: the copy itself says what is missing or too large.
        let looks = carried.is_none() && !digest.is_canonical();
        let look = async { if looks { Some(way.look(ctx, &stage).await) } else { None } };
        let log = self.session.log();
        let (record, found) = join(log.read(ctx, 1), look).await;
        match record.map_err(BackendError::from)? {
            None => {}
            Some(Record::Open(progress)) => return Err(UploadError::RangeInvalid { stored: progress.size }),
            Some(Record::Cancelled) => return Err(self.session.unknown()),
        }
        let found = found.map(present).transpose()?.flatten();
        let in_time = |next| match next {
            Next::At(step) if Instant::now() >= until => Next::Pause(step),
            next => next,
        };
        let (mut staged, mut next) = match (carried, found) {
            (Some(staged), _) => {
                let step = staged.step.clone();
                (staged, Next::At(step))
            }
            (None, None) if looks => return self.done_before(ctx, digest).await.map(Some),
            (None, None) => {
                let mut staged = Staged::new(*digest, 0);
                let next = self.store_verified(ctx, way, &mut staged, size, until).await?;
                (staged, in_time(next))
            }
            (None, Some(found)) => {
                let mut staged = Staged::new(*digest, found.size);
                let next = self.copy_aside(ctx, way, &mut staged, found, until).await?;
                (staged, in_time(next))
            }
        };
        loop {
            let pauses = match next {
                Next::At(step) => {
                    staged.step = step;
                    false
                }
                Next::Pause(step) => {
                    staged.step = step;
                    true
                }
                Next::Stored(canonical) => {
                    self.layers.link(ctx, digest, &canonical).await?;
                    if let Err(error) = self.drop_staged(ctx, &staged).await {
                        tracing::warn!(%error, upload = %self.session.id, "a closed upload was not cleaned up; purging will");
                    }
                    self.forget(ctx, self.session.progress.direct.as_ref()).await;
                    return Ok(Some(StagedCommit::Done));
                }
                Next::Over => return self.done_before(ctx, digest).await.map(Some),
            };
            if pauses {
                return self.pause(staged).map(Some);
            }
            next = in_time(self.go_on(ctx, way, &mut staged, until).await?);
        }
    }

    /// There is nothing: an earlier request may have closed the session.
    async fn done_before(&self, ctx: &Context, digest: &Digest) -> Result<StagedCommit, UploadError> {
        self.linked_before(ctx, digest, DirectFault::Missing.into()).await.map(|_| StagedCommit::Done)
    }

    /// Leaves the rest to another request.
    fn pause(&mut self, mut staged: Staged) -> Result<StagedCommit, UploadError> {
        if staged.hops >= MOST_HOPS {
            let message =
                format!("storage has not put {} in its place after {} requests", staged.digest, MOST_HOPS + 1);
            return Err(BackendError::new(BackendErrorKind::Timeout, message).into());
        }
        staged.hops += 1;
        self.session.progress.staged = Some(Box::new(staged));
        Ok(StagedCommit::GoesOn(self.stands()))
    }

    /// Frees the stage and the copy.
    async fn drop_staged(&self, ctx: &Context, staged: &Staged) -> Result<(), BackendError> {
        let paths = [self.session.edge_stage(&staged.digest)?, self.session.copy(&staged.copy)?];
        Ok(self.session.sessions.driver.delete(ctx, &paths).await?)
    }
}
