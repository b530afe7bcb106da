//! Closing a session over content that came in parts: they are put together out of sight, hashed, and copied to the
//! blob's place. Each step begins where the session's state says, in any process, and may be done twice.

use std::time::Instant;

use futures_util::StreamExt as _;

use super::{Direct, MOST_PARTS, Place, blob, close::present, plan};
use crate::{
    context::Context,
    digest::{Algorithm, HashState, Hasher, MultiHasher},
    distribution::{BackendError, BackendErrorKind, DirectCommit, DirectFault, PartPlan, UploadError},
    driver::{Copied, DirectStore, Path, StorageDriver, StoredPart},
    storage::upload::writer::UploadWriter,
};

/// What is hashed at least, in bytes, before a request leaves the rest to another.
const LEAST_HASHED: u64 = 8 << 20;

/// Parts that are listed at once.
const LISTED: u32 = 1000;

/// Parts that an error names.
const NAMED: usize = 100;

/// What came of one step.
enum Step {
    /// The session has come so far.
    At(Place),
    /// It has come so far, and another request must go on.
    Pause(Place),
    /// The content is in its place.
    Stored,
    /// The stage is not there: another request has ended the session.
    Over,
}

impl UploadWriter {
    /// Goes on until all is done, or until `until`.
    pub(super) async fn close_parts(
        &mut self,
        ctx: &Context,
        way: &dyn DirectStore,
        until: Instant,
        mut direct: Direct,
    ) -> Result<DirectCommit, UploadError> {
        loop {
            let step = match &direct.place {
                Place::Parts { upload, part } => self.join(ctx, way, upload, plan(direct.size, *part)).await?,
                Place::Joined { verified, hash } => self.verify_stage(ctx, &direct, *verified, hash, until).await?,
                Place::Verified { upload, .. } => self.copy(ctx, way, &direct, upload.as_deref(), until).await?,
                Place::Blob { .. } | Place::Stage { .. } => Step::Over,
            };
            let pauses = match step {
                Step::At(place) => {
                    direct.place = place;
                    Instant::now() >= until
                }
                Step::Pause(place) => {
                    direct.place = place;
                    true
                }
                Step::Stored => {
                    let done = self.linked(ctx, &direct).await?;
                    self.drop_stage(ctx).await;
                    return Ok(done);
                }
                Step::Over => return self.linked_before(ctx, &direct.digest, self.session.unknown()).await,
            };
            if pauses {
                let (verified, copied) = match &direct.place {
                    Place::Joined { verified, .. } => (*verified, 0),
                    Place::Verified { copied, .. } => (direct.size, *copied),
                    _ => (0, 0),
                };
                let size = direct.size;
                self.session.progress.direct = Some(direct);
                return Ok(DirectCommit::GoesOn { upload: self.stands(), size, verified, copied });
            }
        }
    }

    /// Puts the parts together, if all are there.
    async fn join(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        upload: &str,
        plan: PartPlan,
    ) -> Result<Step, UploadError> {
        let stage = self.session.stage()?;
        let mut parts: Vec<StoredPart> = Vec::new();
        let mut after = 0;
        let joined = loop {
            let Some(listed) = present(way.parts(ctx, &stage, upload, after, LISTED).await)? else { break None };
            match listed.last() {
                Some(last) => after = last.number,
                None => break Some(()),
            }
            parts.extend(listed);
            if parts.len() as u64 >= MOST_PARTS {
                break Some(());
            }
        };
        let joined = match joined {
            None => None,
            Some(()) => {
                parts.retain(|part| plan.size_of(part.number) == Some(part.size));
                complete(&parts, plan)?;
                present(way.join(ctx, &stage, upload, &parts).await)?
            }
        };
        if joined.is_none() {
            // By an earlier request, perhaps, whose answer was lost.
            let found = present(way.look(ctx, &stage).await)?;
            if found.is_none_or(|found| found.size != plan.size) {
                return Ok(Step::Over);
            }
        }
        let hash = Hasher::new(Algorithm::CANONICAL).save();
        Ok(Step::At(Place::Joined { verified: 0, hash }))
    }

    /// Hashes what is on the stage, from byte `verified` on; `hash` is of those before.
    async fn verify_stage(
        &self,
        ctx: &Context,
        direct: &Direct,
        verified: u64,
        hash: &HashState,
        until: Instant,
    ) -> Result<Step, UploadError> {
        let stage = self.session.stage()?;
        let driver = &self.session.sessions.driver;
        let hashes = std::slice::from_ref(hash);
        let actual = match hash_on(ctx, &**driver, (&stage, direct.size), verified, hashes, until).await? {
            Hashed::Gone => return Ok(Step::Over),
            Hashed::Partly { verified, mut hashes } => {
                let place = Place::Joined { verified, hash: hashes.swap_remove(0) };
                return Ok(Step::Pause(place));
            }
            Hashed::Whole(hasher) => hasher.finish().0,
        };
        if actual != direct.digest {
            driver.delete(ctx, &[stage]).await.map_err(BackendError::from)?;
            return Err(UploadError::DigestMismatch { expected: direct.digest, actual: Some(actual) });
        }
        Ok(Step::At(Place::Verified { upload: None, copied: 0 }))
    }

    /// Copies the stage to the blob's place, by the driver's `upload` where an earlier request began one.
    async fn copy(
        &self,
        ctx: &Context,
        way: &dyn DirectStore,
        direct: &Direct,
        upload: Option<&str>,
        until: Instant,
    ) -> Result<Step, UploadError> {
        let (stage, blob) = (self.session.stage()?, blob(&direct.digest)?);
        Ok(match copy_on(ctx, way, (&stage, direct.size), &blob, upload, until).await? {
            Some(Copied::Whole) => Step::Stored,
            Some(Copied::Partly { upload, bytes }) => Step::Pause(Place::Verified { upload, copied: bytes }),
            None => Step::Over,
        })
    }
}

/// What came of hashing on.
pub(in crate::storage::upload) enum Hashed {
    /// There is nothing.
    Gone,
    /// So many bytes have those hashes.
    Partly { verified: u64, hashes: Vec<HashState> },
    /// All of it has these.
    Whole(Box<MultiHasher>),
}

/// Hashes what lies at `path`, of `size` bytes, from byte `verified` on, until `until` or a little longer; `hashes` are of
/// those before.
pub(in crate::storage::upload) async fn hash_on(
    ctx: &Context,
    driver: &dyn StorageDriver,
    (path, size): (&Path, u64),
    mut verified: u64,
    hashes: &[HashState],
    until: Instant,
) -> Result<Hashed, BackendError> {
    let failed = |message: String| BackendError::new(BackendErrorKind::Failed, message);
    let mut hasher = MultiHasher::resume(hashes).map_err(|error| failed(error.to_string()))?;
    let Some(mut reading) = present(driver.read(ctx, path, verified, None).await)? else { return Ok(Hashed::Gone) };
    let begun = verified;
    while verified < size {
        match reading.stream.next().await {
            Some(Ok(bytes)) => {
                hasher.update(&bytes);
                verified += bytes.len() as u64;
            }
            // What was read is not read again.
            Some(Err(_)) if verified > begun => break,
            Some(Err(error)) => return Err(failed(error.to_string())),
            None => return Err(failed(format!("{path} ends at {verified} of {size} bytes"))),
        }
        if verified - begun >= LEAST_HASHED && Instant::now() >= until {
            break;
        }
    }
    Ok(if verified < size {
        Hashed::Partly { verified, hashes: hasher.save() }
    } else {
        Hashed::Whole(Box::new(hasher))
    })
}

/// Goes on copying `source` to `place` until `until`, by the driver's `upload` where an earlier request began one. `None`
/// when there is no source.
pub(in crate::storage::upload) async fn copy_on(
    ctx: &Context,
    way: &dyn DirectStore,
    source: (&Path, u64),
    place: &Path,
    upload: Option<&str>,
    until: Instant,
) -> Result<Option<Copied>, BackendError> {
    if upload.is_none() && present(way.look(ctx, place).await)?.is_some() {
        return Ok(Some(Copied::Whole));
    }
    present(way.copy(ctx, source, place, upload, Some(until)).await)
}

/// # Errors
/// [`DirectFault::PartsMissing`] unless `parts`, in order, are all that `plan` has.
fn complete(parts: &[StoredPart], plan: PartPlan) -> Result<(), DirectFault> {
    let mut there = parts.iter().map(|part| part.number).peekable();
    let mut missing = Vec::new();
    let mut count = 0;
    for number in 1..=plan.count() {
        if there.next_if_eq(&number).is_some() {
            continue;
        }
        count += 1;
        if missing.len() < NAMED {
            missing.push(number);
        }
    }
    if count == 0 { Ok(()) } else { Err(DirectFault::PartsMissing { missing, count }) }
}
