//! Writing content of unknown length, or too much for one request, in parts.

use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::{
    bucket::Bucket,
    conditional::Condition,
    config::MOST_PARTS,
    error::S3Error,
    multipart::{Target, Upload},
};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, Path, source::Source},
};

/// Parts that are held in memory: one is sent while the next is gathered, or two are sent.
const IN_FLIGHT: usize = 2;

/// Parts being sent; each gives its memory back.
type Sending = JoinSet<(Result<CompletedPart, S3Error>, Bytes)>;

impl Bucket {
    /// `first` and the rest of `source`. Nothing is stored unless all of it was as it should be.
    pub(super) async fn put_parts(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        first: Bytes,
        mut source: Source,
        condition: Condition,
    ) -> Result<u64, DriverError> {
        let failed = |error: S3Error| error.on(path, self);
        let upload = Upload::begin(self, ctx, self.key(path)).await.map_err(failed)?;
        let mut sending = Sending::new();
        match self.send_parts(ctx, path, upload.target(), first, &mut source, &mut sending).await {
            Ok(parts) => {
                upload.complete(ctx, parts, source.seen(), condition).await.map_err(failed)?;
                Ok(source.seen())
            }
            Err(error) => {
                // A part that came after the abort would be kept and charged.
                sending.shutdown().await;
                upload.abandon(ctx).await;
                Err(error)
            }
        }
    }

    async fn send_parts(
        &self,
        ctx: &Context,
        path: &Path,
        target: &Target,
        first: Bytes,
        source: &mut Source,
        sending: &mut Sending,
    ) -> Result<Vec<CompletedPart>, DriverError> {
        let mut parts = Vec::new();
        let mut part = first;
        for number in 1.. {
            if number > MOST_PARTS {
                let message = format!("longer than {MOST_PARTS} parts");
                return Err(DriverError::new(DriverErrorKind::TooLarge, path, message));
            }
            let (target, ctx) = (target.clone(), ctx.clone());
            let span = ctx.span().clone();
            let number_there = i32::try_from(number).unwrap_or(i32::MAX);
            let send = async move { (target.put(&ctx, number_there, part.clone()).await, part) };
            sending.spawn(send.instrument(span));
            if source.is_finished() {
                break;
            }
            let buffer = self.take_sent(path, sending, IN_FLIGHT - 1, &mut parts).await?;
            let size = self.sizes.part_at(number + 1);
            part = match buffer {
                Some(buffer) => source.gather_into(buffer, size).await?,
                None => source.gather_into(BytesMut::with_capacity(capacity(size)), size).await?,
            };
        }
        self.take_sent(path, sending, 0, &mut parts).await?;
        parts.sort_by_key(CompletedPart::part_number);
        Ok(parts)
    }

    /// Waits until no more than `rest` are being sent. Gives the memory of one that was, emptied, if there is any.
    async fn take_sent(
        &self,
        path: &Path,
        sending: &mut Sending,
        rest: usize,
        parts: &mut Vec<CompletedPart>,
    ) -> Result<Option<BytesMut>, DriverError> {
        let mut buffer = None;
        while sending.len() > rest {
            match sending.join_next().await {
                Some(Ok((Ok(part), content))) => {
                    parts.push(part);
                    // The client may hold on to it for a moment longer; then it is the allocator's again.
                    buffer = content.try_into_mut().ok().map(|mut buffer| {
                        buffer.clear();
                        buffer
                    });
                }
                Some(Ok((Err(error), _))) => return Err(error.on(path, self)),
                Some(Err(error)) => return Err(DriverError::new(DriverErrorKind::Failed, path, error.to_string())),
                None => break,
            }
        }
        Ok(buffer)
    }
}

fn capacity(size: u64) -> usize {
    usize::try_from(size).unwrap_or(0)
}
