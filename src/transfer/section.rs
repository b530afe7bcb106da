//! A part of an open file.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::task::spawn_blocking;

use crate::{client::Source, distribution::ByteStream};

/// Bytes that are read at once.
const READ: u64 = 256 << 10;

/// Bytes of a file that stays open, so that whatever is put in its place is not read instead.
#[derive(Debug, Clone)]
pub(super) struct Section {
    file: Arc<File>,
    start: u64,
    size: u64,
}

impl Section {
    /// `size` bytes of `file` from `start`.
    pub(super) fn new(file: Arc<File>, start: u64, size: u64) -> Self {
        Self { file, start, size }
    }

    /// All of `file`.
    pub(super) fn whole(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), start: 0, size })
    }

    /// All of it, if it has at most `limit` bytes.
    pub(super) fn read(&self, limit: u64) -> io::Result<Bytes> {
        if self.size > limit {
            let what = format!("it has {} bytes, more than the {limit} that this may have", self.size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        read(&self.file, self.start, self.size)
    }

    /// The first bytes of it, at most `length`.
    pub(super) fn head(&self, length: u64) -> io::Result<Bytes> {
        self.part(0, self.size.min(length))
    }

    /// `length` bytes of it from `offset`, both within its size.
    pub(super) fn part(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        read(&self.file, self.start + offset, length)
    }
}

fn read(file: &File, start: u64, length: u64) -> io::Result<Bytes> {
    let mut buffer = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut buffer, start)?;
    Ok(buffer.into())
}

#[async_trait]
impl Source for Section {
    fn size(&self) -> u64 {
        self.size
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        let end = offset.checked_add(length).filter(|end| *end <= self.size).ok_or(io::ErrorKind::UnexpectedEof)?;
        let (file, start) = (self.file.clone(), self.start);
        let chunks = stream::try_unfold(offset, move |at| {
            let file = file.clone();
            async move {
                if at == end {
                    return Ok(None);
                }
                let length = READ.min(end - at);
                let chunk =
                    spawn_blocking(move || read(&file, start + at, length)).await.map_err(io::Error::other)??;
                Ok(Some((chunk, at + length)))
            }
        });
        Ok(chunks.boxed())
    }
}
