//! A copy that one request begins and another ends: of parts, which S3 remembers.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart, MetadataDirective};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    attempt::{LONG, Question},
    bucket::Bucket,
    compose_parts::COPIES,
    conditional::Condition,
    direct::of_whole,
    direct_parts::OVER,
    error::S3Error,
    multipart::{Target, completed},
    plan::{Part, Piece, parts},
    put::CONTENT_TYPE,
};
use crate::{
    context::Context,
    digest::Digest,
    driver::{Copied, DriverError, DriverErrorKind, Path},
};

/// What S3 lists at once.
const LISTED: u32 = 1000;

impl Bucket {
    pub(super) async fn copy_on(
        self: &Arc<Self>,
        ctx: &Context,
        (source, size): (&Path, u64),
        destination: &Path,
        upload: Option<&str>,
        until: Option<Instant>,
    ) -> Result<Copied, DriverError> {
        let failed = |error: S3Error| error.on(destination, self);
        let pieces = self.pieces(size, destination)?;
        let Some(upload) = upload else {
            let target = Target::begin(self, ctx, self.key(destination)).await.map_err(failed)?;
            // Whoever goes on must know of it, even if what is copied now takes too long for its answer to be heard.
            if pieces.len() > COPIES {
                return Ok(Copied::Partly { upload: Some(target.id().to_owned()), bytes: 0 });
            }
            let copied = self.copy_pieces(ctx, (source, destination), &target, &pieces, BTreeMap::new(), until).await;
            if copied.is_err() {
                abandon(ctx, &target).await;
            }
            return copied;
        };
        let target = self.upload(ctx, destination, upload);
        match copied_before(ctx, &target, &pieces).await {
            Ok(copied) => self.copy_pieces(ctx, (source, destination), &target, &pieces, copied, until).await,
            Err(error) if error.has_code(OVER) => self.ended(ctx, destination).await,
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn copy_at_once(
        &self,
        ctx: &Context,
        (source, size): (&Path, u64),
        tag: Option<&str>,
        destination: &Path,
    ) -> Result<Option<Digest>, DriverError> {
        if size > self.sizes.single {
            let message = format!("{size} bytes, where S3 copies at most {} at once", self.sizes.single);
            return Err(DriverError::new(DriverErrorKind::TooLarge, source, message));
        }
        let (from, to) = (self.copy_source(source), self.key(destination));
        let question = Question { operation: "CopyObject", key: &to, patience: LONG };
        // A blob's key, or one that this call alone writes.
        let copied = self.ask_to_create(ctx, question, Condition::AbsentOrEqual, |if_none_match| {
            let copy = self.client.copy_object().bucket(&self.name).key(&to).copy_source(&from);
            let copy = copy.set_copy_source_if_match(tag.map(str::to_owned)).set_if_none_match(if_none_match);
            // What the source bears beside its content, whoever wrote it chose.
            let copy = copy.metadata_directive(MetadataDirective::Replace).content_type(CONTENT_TYPE);
            copy.checksum_algorithm(ChecksumAlgorithm::Sha256).send()
        });
        match copied.await {
            Ok(answer) => Ok(answer.copy_object_result.and_then(|copy| of_whole(copy.checksum_sha256()?))),
            Err(error) => Err(error.on(if error.is_not_found() { source } else { destination }, self)),
        }
    }

    /// Copies those of `pieces` that are not in `copied`, by `target`, until `until`.
    async fn copy_pieces(
        &self,
        ctx: &Context,
        (source, destination): (&Path, &Path),
        target: &Target,
        pieces: &[Piece],
        mut copied: BTreeMap<i32, CompletedPart>,
        until: Option<Instant>,
    ) -> Result<Copied, DriverError> {
        let failed = |error: S3Error| error.on(destination, self);
        let from = self.copy_source(source);
        let left: Vec<_> = (1..).zip(pieces).filter(|(number, _)| !copied.contains_key(number)).collect();
        for batch in left.chunks(COPIES) {
            let copies = batch.iter().map(|(number, piece)| {
                let range = (!piece.whole).then(|| (piece.offset, piece.offset + piece.length - 1));
                let from = &from;
                async move { target.copy(ctx, *number, from, range).await.map(|part| (*number, part)) }
            });
            let parts: Result<Vec<_>, S3Error> =
                stream::iter(copies.collect::<Vec<_>>()).buffer_unordered(COPIES).try_collect().await;
            match parts {
                Ok(parts) => copied.extend(parts),
                Err(error) if error.has_code(OVER) => return self.ended(ctx, destination).await,
                Err(error) if error.is_not_found() => return Err(error.on(source, self)),
                Err(error) => return Err(failed(error)),
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                let bytes = (1..).zip(pieces).filter(|(number, _)| copied.contains_key(number));
                let bytes = bytes.map(|(_, piece)| piece.length).sum();
                return Ok(Copied::Partly { upload: Some(target.id().to_owned()), bytes });
            }
        }
        match target.complete(ctx, copied.into_values().collect(), Condition::AbsentOrEqual).await {
            Ok(()) => Ok(Copied::Whole),
            Err(error) if error.is_precondition() => {
                abandon(ctx, target).await;
                Ok(Copied::Whole)
            }
            // After a conflict all of it is to be done again ("CompleteMultipartUpload").
            Err(error) if error.is_conflict() => {
                abandon(ctx, target).await;
                Ok(Copied::Partly { upload: None, bytes: 0 })
            }
            Err(error) if error.has_code(OVER) => self.ended(ctx, destination).await,
            Err(error) => Err(failed(error)),
        }
    }

    /// The stretches of a source of `size` bytes that S3 copies one by one.
    fn pieces(&self, size: u64, destination: &Path) -> Result<Vec<Piece>, DriverError> {
        let pieces = parts(&[size], self.sizes.copied_part).into_iter().map(|part| match part {
            Part::Copied(piece) => Some(piece),
            Part::Gathered(_) => None,
        });
        let impossible =
            || DriverError::new(DriverErrorKind::Failed, destination, "one source always is copied, never gathered");
        pieces.collect::<Option<Vec<_>>>().ok_or_else(impossible)
    }

    /// The upload is over: completed by another request, or aborted.
    async fn ended(&self, ctx: &Context, destination: &Path) -> Result<Copied, DriverError> {
        match self.exists(ctx, &self.key(destination)).await {
            Ok(true) => Ok(Copied::Whole),
            Ok(false) => Ok(Copied::Partly { upload: None, bytes: 0 }),
            Err(error) => Err(error.on(destination, self)),
        }
    }
}

/// The parts that earlier requests have copied, by number.
async fn copied_before(
    ctx: &Context,
    target: &Target,
    pieces: &[Piece],
) -> Result<BTreeMap<i32, CompletedPart>, S3Error> {
    let mut copied = BTreeMap::new();
    let mut after = 0;
    loop {
        let listed = target.list(ctx, after, LISTED).await?;
        let Some(last) = listed.last() else { return Ok(copied) };
        after = last.number;
        for part in listed {
            let index = usize::try_from(part.number).unwrap_or(0).wrapping_sub(1);
            let number = i32::try_from(part.number).unwrap_or(0);
            if pieces.get(index).is_some_and(|piece| piece.length == part.size) {
                copied.insert(number, completed(number, Some(part.tag)));
            }
        }
    }
}

async fn abandon(ctx: &Context, target: &Target) {
    if let Err(error) = target.abort(ctx).await {
        tracing::warn!(%error, "a copy in parts is left; a lifecycle rule should take it");
    }
}
