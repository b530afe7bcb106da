//! Content whose readings are counted.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use berth::{client::Source, digest::Digest, distribution::ByteStream};
use bytes::Bytes;
use futures_util::StreamExt as _;

/// Content, and how many bytes of it were read so far.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) content: Bytes,
    read: Arc<AtomicU64>,
}

impl Watched {
    pub(crate) fn new(content: Bytes) -> Self {
        Self { content, read: Arc::default() }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::canonical(&self.content)
    }

    pub(crate) fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.clone())
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Source for Watched {
    fn size(&self) -> u64 {
        self.content.len() as u64
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        let read = self.read.clone();
        let count = move |chunk: &io::Result<Bytes>| {
            read.fetch_add(chunk.as_ref().map_or(0, Bytes::len) as u64, Ordering::Relaxed);
        };
        let part = self.content.slice(offset as usize..(offset + length) as usize);
        // In pieces, so that a broken connection takes a part of it.
        let pieces: Vec<io::Result<Bytes>> = part.chunks(256 << 10).map(|piece| Ok(part.slice_ref(piece))).collect();
        Ok(futures_util::stream::iter(pieces).inspect(count).boxed())
    }
}
