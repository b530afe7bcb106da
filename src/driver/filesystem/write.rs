//! Writing: the content is gathered and hashed here, while a thread writes what was gathered before.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{error, folder::Folder, temporary::Temporary};
use crate::{
    context::Context,
    digest::{Digest, Hasher},
    distribution::{ByteStream, Content},
    driver::{DriverError, DriverErrorKind, Path, PutOptions},
};

/// How much is written at once. Twice this is all the memory that a write needs. Content that is shorter is written
/// in one visit to another thread.
const BATCH: usize = 1 << 20;

/// Writes `content` to `path`.
pub(super) async fn put(
    folder: &Arc<Folder>,
    ctx: &Context,
    path: &Path,
    content: Content,
    options: PutOptions,
) -> Result<u64, DriverError> {
    let mut incoming = Incoming::new(content, options.checksum);
    let mut writer = Writer { folder: folder.clone(), writing: None };
    let written = async {
        let mut batch = Vec::new();
        while incoming.fill(&mut batch, ctx, path).await? {
            batch = writer.write(batch).await.map_err(|error| error::writing(path, error))?;
        }
        // The checksum comes before the question whether something is there: all the content must have been read.
        let size = incoming.verify(path)?;
        ctx.remaining().map_err(|passed| DriverError::deadline(path, passed))?;
        let published = writer.publish(batch, path, options.create_only).await;
        published.map_err(|error| error::writing(path, error))?;
        Ok(size)
    }
    .await;
    if written.is_err() {
        writer.abandon().await;
    }
    written
}

/// The content as it comes in.
struct Incoming {
    stream: ByteStream,
    /// What has come, but is in no batch yet.
    rest: Bytes,
    length: Option<u64>,
    size: u64,
    checksum: Option<(Digest, Hasher)>,
}

impl Incoming {
    fn new(content: Content, checksum: Option<Digest>) -> Self {
        let checksum = checksum.map(|digest| (digest, Hasher::new(digest.algorithm())));
        Self { stream: content.stream, rest: Bytes::new(), length: content.length, size: 0, checksum }
    }

    /// Fills `batch`; `false` when the content has ended before it was full.
    async fn fill(&mut self, batch: &mut Vec<u8>, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        let expected = self.length.map_or(BATCH as u64, |length| length.saturating_sub(self.size));
        batch.reserve_exact(expected.min(BATCH as u64) as usize);
        while batch.len() < BATCH {
            if self.rest.is_empty() {
                match self.next(ctx, path).await? {
                    Some(frame) => self.rest = frame,
                    None => return Ok(false),
                }
            }
            // Copied, so that the sender's buffer can be used again at once: holding on to it costs more.
            let part = self.rest.split_to(self.rest.len().min(BATCH - batch.len()));
            if let Some((_, hasher)) = &mut self.checksum {
                hasher.update(&part);
            }
            batch.extend_from_slice(&part);
        }
        Ok(true)
    }

    async fn next(&mut self, ctx: &Context, path: &Path) -> Result<Option<Bytes>, DriverError> {
        let incomplete = |message: String| DriverError::new(DriverErrorKind::Content, path, message);
        let next = match ctx.remaining().map_err(|passed| DriverError::deadline(path, passed))? {
            None => self.stream.next().await,
            Some(left) => tokio::time::timeout(left, self.stream.next()).await.map_err(|_| {
                DriverError::new(DriverErrorKind::Timeout, path, "the content did not come within the time there was")
            })?,
        };
        let frame = next.transpose().map_err(|error| incomplete(format!("it broke off: {error}")))?;
        self.size += frame.as_ref().map_or(0, |frame| frame.len() as u64);
        match self.length {
            Some(length) if self.size > length => {
                Err(incomplete(format!("longer than the {length} bytes it was to have")))
            }
            Some(length) if frame.is_none() && self.size < length => {
                Err(incomplete(format!("{} bytes instead of {length}", self.size)))
            }
            _ => Ok(frame),
        }
    }

    /// The size of the content, all of which has come, if it has the checksum that it is to have.
    fn verify(&mut self, path: &Path) -> Result<u64, DriverError> {
        if let Some((expected, hasher)) = self.checksum.take() {
            let actual = hasher.finish();
            if actual != expected {
                let message = format!("{actual} instead of {expected}");
                return Err(DriverError::new(DriverErrorKind::Checksum, path, message));
            }
        }
        Ok(self.size)
    }
}

/// Writes to a temporary file, one batch at a time. No thread waits for the sender: however slow and many the senders
/// are, threads are left for others.
struct Writer {
    folder: Arc<Folder>,
    writing: Option<JoinHandle<io::Result<(Temporary, Vec<u8>)>>>,
}

impl Writer {
    /// Begins to write `batch`, once the one before is written. Returns an empty one.
    async fn write(&mut self, batch: Vec<u8>) -> io::Result<Vec<u8>> {
        let (temporary, mut free) = self.finish().await?;
        free.clear();
        let folder = self.folder.clone();
        self.writing = Some(spawn_blocking(move || {
            let mut temporary = temporary.map_or_else(|| Temporary::create(&folder), Ok)?;
            temporary.write(&batch)?;
            Ok((temporary, batch))
        }));
        Ok(free)
    }

    /// Writes the last batch and makes the file appear.
    async fn publish(&mut self, batch: Vec<u8>, path: &Path, create_only: bool) -> io::Result<()> {
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
    async fn finish(&mut self) -> io::Result<(Option<Temporary>, Vec<u8>)> {
        match self.writing.take() {
            None => Ok((None, Vec::new())),
            Some(writing) => writing.await?.map(|(temporary, batch)| (Some(temporary), batch)),
        }
    }
}
