//! Writing: the content is gathered and hashed here, while a thread writes what was gathered before.

use std::{io, sync::Arc};

use bytes::{Bytes, BytesMut};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{
    batch::{BATCH, aligned},
    error,
    folder::Folder,
    temporary::Temporary,
};
use crate::{
    context::Context,
    distribution::Content,
    driver::{DriverError, Path, PutOptions, source::Source},
};

/// Writes `content` to `path`.
pub(super) async fn put(
    folder: &Arc<Folder>,
    ctx: &Context,
    path: &Path,
    content: Content,
    options: PutOptions,
) -> Result<u64, DriverError> {
    let source = Source::new(path, content, options.checksum);
    let mut incoming = Incoming { source, rest: Bytes::new() };
    let mut writer = Writer { folder: folder.clone(), writing: None };
    let written = async {
        let mut batch = BytesMut::new();
        while incoming.fill(&mut batch, ctx).await? {
            batch = writer.write(batch).await.map_err(|error| error::writing(path, error))?;
        }
        // All of the content has been checked, before the question whether something is there already.
        ctx.remaining().map_err(|passed| DriverError::deadline(path, passed))?;
        let published = writer.publish(batch, path, options.create_only).await;
        published.map_err(|error| error::writing(path, error))?;
        Ok(incoming.source.seen())
    }
    .await;
    if written.is_err() {
        writer.abandon().await;
    }
    written
}

/// The content as it comes in, in batches.
struct Incoming {
    source: Source,
    /// What has come, but is in no batch yet.
    rest: Bytes,
}

impl Incoming {
    /// Fills `batch`; `false` when the content has ended before it was full, and was as it should be.
    async fn fill(&mut self, batch: &mut BytesMut, ctx: &Context) -> Result<bool, DriverError> {
        while batch.len() < BATCH {
            if self.rest.is_empty() {
                match self.source.next_in_time(ctx).await? {
                    Some(frame) => self.rest = frame,
                    None => return Ok(false),
                }
            }
            // Copied, so that the sender's buffer can be used again at once: holding on to it costs more.
            let part = self.rest.split_to(self.rest.len().min(BATCH - batch.len()));
            batch.extend_from_slice(&part);
        }
        Ok(true)
    }
}

/// The file, and the batch that is in it now.
type Written = (Temporary, BytesMut);

/// Writes to a temporary file, one batch at a time. No thread waits for the sender: however slow and many the senders
/// are, threads are left for others.
struct Writer {
    folder: Arc<Folder>,
    writing: Option<JoinHandle<io::Result<Written>>>,
}

impl Writer {
    /// Begins to write `batch`, once the one before is written. Returns an empty one.
    async fn write(&mut self, batch: BytesMut) -> io::Result<BytesMut> {
        let (temporary, written) = self.finish().await?;
        let folder = self.folder.clone();
        self.writing = Some(spawn_blocking(move || {
            let mut temporary = temporary.map_or_else(|| Temporary::create(&folder), Ok)?;
            temporary.write(&batch)?;
            Ok((temporary, batch))
        }));
        Ok(aligned(written))
    }

    /// Writes the last batch and makes the file appear.
    async fn publish(&mut self, batch: BytesMut, path: &Path, create_only: bool) -> io::Result<()> {
        let (temporary, _) = self.finish().await?;
        let (folder, path) = (self.folder.clone(), path.clone());
        let published = spawn_blocking(move || {
            let mut temporary = temporary.map_or_else(|| Temporary::create(&folder), Ok)?;
            temporary.write(&batch)?;
            temporary.publish(&path, create_only)
        });
        published.await?
    }

    /// Removes what was written.
    async fn abandon(&mut self) {
        if let Ok((Some(temporary), _)) = self.finish().await {
            // Freeing a large file takes its time. That it fails has been logged, and sweeping will see to it.
            let _ = spawn_blocking(move || drop(temporary)).await;
        }
    }

    /// Waits for the batch that is being written.
    async fn finish(&mut self) -> io::Result<(Option<Temporary>, BytesMut)> {
        match self.writing.take() {
            None => Ok((None, BytesMut::new())),
            Some(writing) => writing.await?.map(|(temporary, batch)| (Some(temporary), batch)),
        }
    }
}
