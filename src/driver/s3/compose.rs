//! One object of several, mostly by S3 itself.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    attempt::{LONG, Question},
    bucket::Bucket,
    conditional::Condition,
    error::S3Error,
};
use crate::{
    context::Context,
    driver::{DriverError, Path},
};

/// Small files that are read at once.
const READS: usize = 8;

impl Bucket {
    pub(super) async fn compose(
        self: &Arc<Self>,
        ctx: &Context,
        sources: &[(Path, u64)],
        destination: &Path,
    ) -> Result<(), DriverError> {
        match self.compose_there(ctx, sources, destination).await {
            // S3 looks at the sources first. What matters more is that the work was done already.
            Err(error) if error.is_not_found() && self.exists(ctx, &self.key(destination)).await.unwrap_or(false) => {
                Err(S3Error::exists().during("HeadObject").on(destination, self))
            }
            composed => composed,
        }
    }

    async fn compose_there(
        self: &Arc<Self>,
        ctx: &Context,
        sources: &[(Path, u64)],
        destination: &Path,
    ) -> Result<(), DriverError> {
        if sources.iter().any(|(source, _)| source == destination) {
            // S3 calls a copy onto itself illegal. Here it is one onto something that is there, or of nothing.
            self.stat(ctx, destination).await?;
            return Err(S3Error::exists().during("HeadObject").on(destination, self));
        }
        for (empty, _) in sources.iter().filter(|(_, size)| *size == 0) {
            self.stat(ctx, empty).await?;
        }
        let sources: Vec<_> = sources.iter().filter(|(_, size)| *size > 0).cloned().collect();
        let size: u64 = sources.iter().map(|(_, size)| size).sum();
        match sources.as_slice() {
            [] => self.put_whole(ctx, destination, Bytes::new(), Condition::AbsentOrEqual, None).await,
            [(source, size)] if *size <= self.sizes.single => self.copy(ctx, source, destination).await,
            _ if size <= self.sizes.part => {
                let files = sources.iter().map(|(path, size)| (path, 0, *size));
                let whole = concatenate(self, ctx, files, size).await?;
                self.put_whole(ctx, destination, whole, Condition::AbsentOrEqual, None).await
            }
            _ => self.compose_parts(ctx, &sources, size, destination).await,
        }
    }

    async fn copy(&self, ctx: &Context, source: &Path, destination: &Path) -> Result<(), DriverError> {
        let (from, to) = (self.copy_source(source), self.key(destination));
        let question = Question { operation: "CopyObject", key: &to, patience: LONG };
        // A blob's key, which only content of its digest is composed at.
        let copied = self.ask_to_create(ctx, question, Condition::AbsentOrEqual, |if_none_match| {
            let copy = self.client.copy_object().bucket(&self.name).key(&to).copy_source(&from);
            copy.set_if_none_match(if_none_match).send()
        });
        match copied.await {
            Ok(_) => Ok(()),
            Err(error) => {
                let subject = if error.is_not_found() { source } else { destination };
                Err(error.on(subject, self))
            }
        }
    }
}

/// The bytes of `files` (path, offset and length), `size` in all, one after the other.
pub(super) async fn concatenate(
    bucket: &Bucket,
    ctx: &Context,
    files: impl Iterator<Item = (&Path, u64, u64)>,
    size: u64,
) -> Result<Bytes, DriverError> {
    let reads: Vec<_> = files.map(|(path, offset, length)| bucket.get_range(ctx, path, offset, length)).collect();
    let mut reads = stream::iter(reads).buffered(READS);
    let mut whole = BytesMut::with_capacity(usize::try_from(size).unwrap_or(0));
    while let Some(read) = reads.try_next().await? {
        whole.extend_from_slice(&read);
    }
    Ok(whole.freeze())
}
