//! The steps by which staged content comes to its place.

use std::time::Instant;

use super::{Next, Staged, Step, unused};
use crate::{
    context::Context,
    digest::Digest,
    distribution::{BackendError, BackendErrorKind, UploadError},
    driver::{Copied, DirectStore, DriverErrorKind, Found, VerifiedCopy},
    storage::upload::{
        direct::{Hashed, blob, copy_on, hash_on, present},
        writer::UploadWriter,
    },
};

/// How often the content may be replaced while it is copied, within one request.
const REPLACED: u32 = 3;

/// Whether the backend may yet do what it was asked, or does it in parts alone.
fn takes_longer(kind: DriverErrorKind) -> bool {
    matches!(kind, DriverErrorKind::Timeout | DriverErrorKind::TooLarge)
}

impl UploadWriter {
    /// Has the stage copied to the blob's place, if it has the digest, a sha256; where the backend does not report that, has it
    /// copied aside. `size` is what its sender has told.
    pub(super) async fn store_verified(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        staged: &mut Staged,
        size: Option<u64>,
        until: Instant,
    ) -> Result<Next, UploadError> {
        let (stage, place) = (self.session.edge_stage(&staged.digest)?, blob(&staged.digest)?);
        match way.copy_verified(ctx, (&stage, size), &place, &staged.digest, until).await {
            Ok(VerifiedCopy::Stored) => Ok(Next::Stored(staged.digest)),
            Ok(VerifiedCopy::Mismatch { actual }) => {
                self.drop_staged(ctx, staged).await?;
                Err(UploadError::DigestMismatch { expected: staged.digest, actual: Some(actual) })
            }
            Ok(VerifiedCopy::Unverified) => match present(way.look(ctx, &stage).await)? {
                Some(found) => {
                    staged.size = found.size;
                    self.copy_aside(ctx, way, staged, found, until).await
                }
                None => Ok(Next::Over),
            },
            // The stage had the content: its sender has it, wherever the blob came from.
            Err(error) if error.kind == DriverErrorKind::Precondition => Ok(Next::Stored(staged.digest)),
            Err(error) if error.is_not_found() => Ok(Next::Over),
            Err(error) if error.kind == DriverErrorKind::TooLarge => Ok(Next::At(Step::Asked)),
            Err(error) if error.kind == DriverErrorKind::Timeout => Ok(Next::Pause(Step::Asked)),
            Err(error) => Err(BackendError::from(error).into()),
        }
    }

    /// Has what was `found` on the stage copied to where no one else writes.
    pub(super) async fn copy_aside(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        staged: &mut Staged,
        mut found: Found,
        until: Instant,
    ) -> Result<Next, UploadError> {
        let stage = self.session.edge_stage(&staged.digest)?;
        for _ in 0..REPLACED {
            let copy = self.session.copy(&staged.copy)?;
            match way.copy_at_once(ctx, (&stage, found.size), found.tag.as_deref(), &copy, until).await {
                Ok(actual) => return self.judge(ctx, staged, actual).await,
                Err(error) if error.kind == DriverErrorKind::Precondition => {
                    if let Some(copied) = present(way.look(ctx, &copy).await)? {
                        return self.judge(ctx, staged, copied.checksum).await;
                    }
                }
                Err(error) if error.is_not_found() => return Ok(Next::Over),
                Err(error) if takes_longer(error.kind) => return Ok(Next::Pause(Step::Asked)),
                Err(error) => return Err(BackendError::from(error).into()),
            }
            // Other content has come since it was found.
            match present(way.look(ctx, &stage).await)? {
                Some(again) => found = again,
                None => return Ok(Next::Over),
            }
            *staged = Staged::new(staged.digest, found.size);
        }
        let message = "the content is replaced again and again while it is stored";
        Err(BackendError::new(BackendErrorKind::Throttled, message).into())
    }

    /// Does the step at which `staged` stands.
    pub(super) async fn go_on(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        staged: &mut Staged,
        until: Instant,
    ) -> Result<Next, UploadError> {
        let copy = self.session.copy(&staged.copy)?;
        match staged.step.clone() {
            Step::Asked => {
                // Its size was perhaps only told; from here on it counts.
                if let Some(found) = present(way.look(ctx, &copy).await)? {
                    staged.size = found.size;
                    return self.judge(ctx, staged, found.checksum).await;
                }
                let stage = self.session.edge_stage(&staged.digest)?;
                let Some(found) = present(way.look(ctx, &stage).await)? else { return Ok(Next::Over) };
                staged.size = found.size;
                staged.copy = unused();
                let upload = way.begin(ctx, &self.session.copy(&staged.copy)?).await.map_err(BackendError::from)?;
                Ok(Next::At(Step::Parts { upload }))
            }
            Step::Parts { upload } => {
                let stage = self.session.edge_stage(&staged.digest)?;
                Ok(match copy_on(ctx, way, (&stage, staged.size), &copy, Some(&upload), until).await? {
                    Some(Copied::Whole) => Next::At(staged.judged(None)?),
                    Some(Copied::Partly { upload: Some(upload), .. }) => Next::Pause(Step::Parts { upload }),
                    // Another request has ended it, or stood in its way.
                    Some(Copied::Partly { upload: None, .. }) => Next::Pause(Step::Asked),
                    None => {
                        way.abort(ctx, &copy, &upload).await.map_err(BackendError::from)?;
                        Next::Over
                    }
                })
            }
            Step::Copied { verified, hashes } => {
                let driver = &*self.session.sessions.driver;
                match hash_on(ctx, driver, (&copy, staged.size), verified, &hashes, until).await? {
                    Hashed::Gone => Ok(Next::Over),
                    Hashed::Partly { verified, hashes } => Ok(Next::Pause(Step::Copied { verified, hashes })),
                    Hashed::Whole(hasher) => {
                        let (canonical, provisional) = hasher.finish();
                        let actual = provisional.unwrap_or(canonical);
                        if actual != staged.digest {
                            let expected = staged.digest;
                            self.drop_staged(ctx, staged).await?;
                            return Err(UploadError::DigestMismatch { expected, actual: Some(actual) });
                        }
                        Ok(Next::At(super::verified(canonical)))
                    }
                }
            }
            Step::Verified { canonical, asked: false, .. } => {
                let stored = way.copy_at_once(ctx, (&copy, staged.size), None, &blob(&canonical)?, until).await;
                match stored {
                    Ok(_) => Ok(Next::Stored(canonical)),
                    Err(error) if error.kind == DriverErrorKind::Precondition => Ok(Next::Stored(canonical)),
                    Err(error) if error.is_not_found() => Ok(Next::Over),
                    Err(error) if takes_longer(error.kind) => {
                        Ok(Next::Pause(Step::Verified { canonical, asked: true, upload: None, copied: 0 }))
                    }
                    Err(error) => Err(BackendError::from(error).into()),
                }
            }
            Step::Verified { canonical, asked: true, upload, .. } => {
                let place = blob(&canonical)?;
                Ok(match copy_on(ctx, way, (&copy, staged.size), &place, upload.as_deref(), until).await? {
                    Some(Copied::Whole) => Next::Stored(canonical),
                    Some(Copied::Partly { upload, bytes }) => {
                        Next::Pause(Step::Verified { canonical, asked: true, upload, copied: bytes })
                    }
                    None => {
                        if let Some(upload) = &upload {
                            way.abort(ctx, &place, upload).await.map_err(BackendError::from)?;
                        }
                        Next::Over
                    }
                })
            }
        }
    }

    /// What is to be done about a copy that has this sha256, as the backend says. Other content is removed.
    async fn judge(&self, ctx: &Context, staged: &Staged, actual: Option<Digest>) -> Result<Next, UploadError> {
        match staged.judged(actual) {
            Ok(step) => Ok(Next::At(step)),
            Err(mismatch) => {
                self.drop_staged(ctx, staged).await?;
                Err(mismatch)
            }
        }
    }
}
