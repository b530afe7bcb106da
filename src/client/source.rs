//! Content that can be sent as often as it takes.

use std::{io, path::PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::distribution::{ByteStream, Content};

/// Bytes that are read from a file at once.
const READ: usize = 256 << 10;

/// Content of known size that can be read again from anywhere: whoever shows progress wraps one in another.
#[async_trait]
pub trait Source: Send + Sync {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// `length` bytes from `offset`, both within the size.
    ///
    /// # Errors
    /// It cannot be read.
    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream>;
}

#[async_trait]
impl Source for Bytes {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        let range = usize::try_from(offset).ok().zip(usize::try_from(offset.saturating_add(length)).ok());
        let range = range.filter(|(_, end)| *end <= self.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Content::from(self.slice(range.0..range.1)).stream)
    }
}

/// A file, or a part of one, as a blob in an archive is. It is opened anew for each reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSource {
    path: PathBuf,
    start: u64,
    size: u64,
}

impl FileSource {
    /// All of the file at `path`, as long as it is now.
    ///
    /// # Errors
    /// There is none.
    pub async fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let size = tokio::fs::metadata(&path).await?.len();
        Ok(Self { path, start: 0, size })
    }

    /// `size` bytes of the file at `path`, from `start`.
    pub fn part(path: impl Into<PathBuf>, start: u64, size: u64) -> Self {
        Self { path: path.into(), start, size }
    }
}

#[async_trait]
impl Source for FileSource {
    fn size(&self) -> u64 {
        self.size
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        let mut file = tokio::fs::File::open(&self.path).await?;
        let start = self.start.checked_add(offset).ok_or(io::ErrorKind::InvalidInput)?;
        file.seek(io::SeekFrom::Start(start)).await?;
        file.set_max_buf_size(READ);
        Ok(ReaderStream::with_capacity(file.take(length), READ).boxed())
    }
}
