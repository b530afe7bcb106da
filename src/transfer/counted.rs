//! Content whose reading is watched.

use std::{io, sync::Arc};

use async_trait::async_trait;
use futures_util::StreamExt as _;

use super::Progress;
use crate::{client::Source, digest::Digest, distribution::ByteStream};

/// A source that tells how much of it is read.
pub(super) struct Counted {
    pub(super) source: Arc<dyn Source>,
    pub(super) digest: Digest,
    pub(super) progress: Arc<dyn Progress>,
}

#[async_trait]
impl Source for Counted {
    fn size(&self) -> u64 {
        self.source.size()
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        let (digest, progress) = (self.digest, self.progress.clone());
        let stream = self.source.open(offset, length).await?;
        Ok(stream
            .inspect(move |chunk| {
                if let Ok(chunk) = chunk {
                    progress.moved(&digest, chunk.len() as u64);
                }
            })
            .boxed())
    }
}
