//! One object of several, in parts that S3 copies.

use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;

use super::{
    bucket::Bucket,
    compose::concatenate,
    conditional::Condition,
    config::MOST_PARTS,
    error::S3Error,
    multipart::{Target, Upload},
    plan::{Part, parts},
};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, Path},
};

/// Parts that S3 copies at once.
pub(super) const COPIES: usize = 4;

/// Parts that pass through this process, and so are in its memory, at once.
const GATHERED: usize = 2;

/// How often the whole is done when another write of the destination comes between.
const TIMES: u32 = 3;

/// What is to become one object.
struct Composition<'a> {
    bucket: &'a Bucket,
    ctx: &'a Context,
    sources: &'a [(Path, u64)],
    destination: &'a Path,
    room: Semaphore,
}

impl Bucket {
    /// `destination`, of `size` bytes, of `sources`, none of which is empty.
    pub(super) async fn compose_parts(
        self: &Arc<Self>,
        ctx: &Context,
        sources: &[(Path, u64)],
        size: u64,
        destination: &Path,
    ) -> Result<(), DriverError> {
        let sizes: Vec<u64> = sources.iter().map(|(_, size)| *size).collect();
        let plan = parts(&sizes, self.sizes.copied_part);
        if plan.len() as u64 > MOST_PARTS {
            let message = format!("{} parts, where S3 takes at most {MOST_PARTS}", plan.len());
            return Err(DriverError::new(DriverErrorKind::TooLarge, destination, message));
        }
        let failed = |error: S3Error| error.on(destination, self);
        let composition = Composition { bucket: self, ctx, sources, destination, room: Semaphore::new(GATHERED) };
        let mut time = 1;
        loop {
            let upload = Upload::begin(self, ctx, self.key(destination)).await.map_err(failed)?;
            let parts = match composition.send(upload.target(), &plan).await {
                Ok(parts) => parts,
                Err(error) => {
                    upload.abandon(ctx).await;
                    return Err(error);
                }
            };
            match upload.complete(ctx, parts, size, Condition::AbsentOrEqual).await {
                Err(error) if error.is_conflict() && time < TIMES => time += 1,
                completed => return completed.map_err(failed),
            }
        }
    }
}

impl Composition<'_> {
    async fn send(&self, target: &Target, plan: &[Part]) -> Result<Vec<CompletedPart>, DriverError> {
        let parts: Vec<_> = (1..).zip(plan).map(|(number, part)| self.send_part(target, number, part)).collect();
        stream::iter(parts).buffered(COPIES).try_collect().await
    }

    async fn send_part(&self, target: &Target, number: i32, part: &Part) -> Result<CompletedPart, DriverError> {
        let Self { bucket, ctx, sources, destination, room } = self;
        match part {
            Part::Copied(piece) => {
                let (path, _) = &sources[piece.source];
                let range = (!piece.whole).then(|| (piece.offset, piece.offset + piece.length - 1));
                let copied = target.copy(ctx, number, &bucket.copy_source(path), range).await;
                copied.map_err(|error| error.on(path, bucket))
            }
            Part::Gathered(pieces) => {
                // It is never closed.
                let _permit = room.acquire().await;
                let files = pieces.iter().map(|piece| (&sources[piece.source].0, piece.offset, piece.length));
                let size = pieces.iter().map(|piece| piece.length).sum();
                let content = concatenate(bucket, ctx, files, size).await?;
                target.put(ctx, number, content).await.map_err(|error| error.on(destination, bucket))
            }
        }
    }
}
