//! A copy that S3 hashes, and that nobody sees before its hash was compared.
//!
//! The source may be overwritten by others at any time. Still the destination gets content of the expected digest or nothing:
//!
//! 1. One `UploadPartCopy` without a range copies the whole source into part 1 of a new multipart upload.
//! 2. The upload was created with `ChecksumAlgorithm: SHA256`, so S3 hashes the bytes that it stores as the part, whatever they
//!    are, and the answer has their SHA-256 ("Checking object integrity"; `ChecksumSHA256` of `CopyPartResult`). The part is the
//!    whole object to be, so this is the object's SHA-256. S3 reads the source as one object; if it mixed two, the hash would
//!    show that.
//! 3. The upload's id is known to this call alone, and part 1 is written by one request alone: one whose answer was lost is not
//!    repeated into the same upload. So nothing replaces the part after it was hashed.
//! 4. The upload is completed only if the hash is the expected one, and the list of parts names the part by its SHA-256. Until
//!    then there is no object.
//! 5. `If-None-Match: *` on the completion keeps what is at the destination (see `conditional`).
//!
//! An attempt that fails aborts its upload. A process that dies before, and an abort that fails, leave an upload, which nobody
//! can see or complete; a lifecycle rule of the bucket removes it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use super::{attempt::Pauses, bucket::Bucket, direct::of_whole, error::S3Error, multipart::Upload};
use crate::{
    context::Context,
    digest::Digest,
    driver::{DriverError, DriverErrorKind, Path, VerifiedCopy},
};

/// How often all is done again when another write of the destination comes between.
const CONFLICTS: u32 = 3;

impl Bucket {
    pub(super) async fn copy_verified(
        self: &Arc<Self>,
        ctx: &Context,
        (source, size): (&Path, Option<u64>),
        destination: &Path,
        expected: &Digest,
        until: Instant,
    ) -> Result<VerifiedCopy, DriverError> {
        if let Some(size) = size.filter(|size| *size > self.sizes.single) {
            let message = format!("{size} bytes, where S3 copies at most {} at once", self.sizes.single);
            return Err(DriverError::new(DriverErrorKind::TooLarge, source, message));
        }
        // S3 hashes parts by no other algorithm that digests have; whether it copies an empty part, it does not say.
        let is_hashed = expected.is_canonical() && *expected != Digest::canonical(b"");
        if !is_hashed || self.hides_part_checksums.load(Ordering::Relaxed) {
            return Ok(VerifiedCopy::Unverified);
        }
        let copying = ctx.before(until);
        let mut pauses = Pauses::default();
        let mut conflicts = 0;
        loop {
            let error = match self.try_verified(ctx, &copying, source, destination, expected).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            conflicts += u32::from(error.is_conflict());
            match pauses.before_another(&copying, &error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None if error.is_conflict() && conflicts < CONFLICTS => {}
                None => return Err(error.on(if error.is_not_found() { source } else { destination }, self)),
            }
        }
    }

    async fn try_verified(
        self: &Arc<Self>,
        ctx: &Context,
        copying: &Context,
        source: &Path,
        destination: &Path,
        expected: &Digest,
    ) -> Result<VerifiedCopy, S3Error> {
        let upload = match Upload::begin_hashed(self, copying, self.key(destination)).await {
            Ok(upload) => upload,
            Err(error) if error.is_refused_form() => return Ok(VerifiedCopy::Unverified),
            Err(error) => return Err(error),
        };
        let copied = upload.target().copy_hashed(copying, &self.copy_source(source)).await;
        let outcome = match copied {
            Ok((part, checksum)) => match checksum.as_deref().and_then(of_whole) {
                Some(actual) if actual == *expected => {
                    // The copy is done, and what is left is short: it has all the time of the request.
                    return upload.complete_equal(ctx, part).await.map(|()| VerifiedCopy::Stored);
                }
                Some(actual) => Ok(VerifiedCopy::Mismatch { actual }),
                None => {
                    // The next call spares a copy in vain, for the life of the process.
                    self.hides_part_checksums.store(true, Ordering::Relaxed);
                    Ok(VerifiedCopy::Unverified)
                }
            },
            Err(error) if error.is_refused_form() => Ok(VerifiedCopy::Unverified),
            Err(error) => Err(error),
        };
        upload.abandon(ctx).await;
        outcome
    }
}
