//! Writing content of unknown length, or too much for one request, in parts.

use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use bytes::Bytes;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::{
    bucket::Bucket,
    config::MOST_PARTS,
    error::S3Error,
    multipart::{Target, Upload},
    source::Source,
};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, Path},
};

/// Parts that are held in memory: one is sent while the next is gathered, or two are sent.
const IN_FLIGHT: usize = 2;

type Sending = JoinSet<Result<CompletedPart, S3Error>>;

impl Bucket {
    /// `first` and the rest of `source`. Nothing is stored unless all of it was as it should be.
    pub(super) async fn put_parts(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        first: Bytes,
        mut source: Source,
        create_only: bool,
    ) -> Result<u64, DriverError> {
        let failed = |error: S3Error| error.on(path, self);
        let upload = Upload::begin(self, ctx, self.key(path)).await.map_err(failed)?;
        let mut sending = Sending::new();
        match self.send_parts(ctx, path, upload.target(), first, &mut source, &mut sending).await {
            Ok(parts) => {
                upload.complete(ctx, parts, source.seen(), create_only).await.map_err(failed)?;
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
            let send = async move { target.put(&ctx, number_there, part).await };
            sending.spawn(send.instrument(span));
            if source.is_finished() {
                break;
            }
            self.take_sent(path, sending, IN_FLIGHT - 1, &mut parts).await?;
            part = source.gather(self.sizes.part_at(number + 1)).await?;
        }
        self.take_sent(path, sending, 0, &mut parts).await?;
        parts.sort_by_key(CompletedPart::part_number);
        Ok(parts)
    }

    /// Waits until no more than `rest` are being sent.
    async fn take_sent(
        &self,
        path: &Path,
        sending: &mut Sending,
        rest: usize,
        parts: &mut Vec<CompletedPart>,
    ) -> Result<(), DriverError> {
        while sending.len() > rest {
            match sending.join_next().await {
                Some(Ok(Ok(part))) => parts.push(part),
                Some(Ok(Err(error))) => return Err(error.on(path, self)),
                Some(Err(error)) => return Err(DriverError::new(DriverErrorKind::Failed, path, error.to_string())),
                None => break,
            }
        }
        Ok(())
    }
}
