//! Content that waits in a file.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{
    client::Source,
    digest::{Algorithm, Digest, Hasher},
    distribution::{ByteStream, Content, UploadError},
};

/// Pieces of content on their way to or from a file: one is hashed and written while the next come in.
const AHEAD: usize = 4;
/// Bytes that are read at once.
const READ: usize = 256 << 10;

/// Content in a file, hashed as far as it came.
pub(super) struct Spooled {
    file: Arc<File>,
    size: u64,
    hashers: Vec<Hasher>,
}

/// Why content was not kept.
pub(super) enum Loss {
    /// Its sender's fault.
    Content(UploadError),
    /// The file's.
    File(io::Error),
}

impl Spooled {
    /// Nothing yet, to be called by its canonical digest or by one of `algorithm`.
    pub(super) fn new(file: File, algorithm: Option<Algorithm>) -> Self {
        let named = algorithm.filter(|algorithm| *algorithm != Algorithm::CANONICAL);
        let hashers = [Some(Algorithm::CANONICAL), named].into_iter().flatten().map(Hasher::new).collect();
        Self { file: Arc::new(file), size: 0, hashers }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds `content`: all of it, or nothing.
    pub(super) async fn take(&mut self, content: Content) -> Result<(), Loss> {
        let (pieces, coming) = mpsc::channel(AHEAD);
        let (file, at, hashers) = (self.file.clone(), self.size, self.hashers.clone());
        let writing = spawn_blocking(move || write(&file, at, hashers, coming));
        let fed = feed(content, pieces).await;
        let written = writing.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let loss = match (fed, written) {
            (Ok(()), Ok((size, hashers))) => {
                (self.size, self.hashers) = (size, hashers);
                return Ok(());
            }
            (_, Err(error)) => Loss::File(error),
            (Err(error), Ok(_)) => Loss::Content(error),
        };
        // The room is needed; what is there beyond the size would not be looked at.
        let (file, size) = (self.file.clone(), self.size);
        let _ = spawn_blocking(move || file.set_len(size)).await;
        Err(loss)
    }

    /// The digest of all of it.
    pub(super) async fn digest(&self, algorithm: Algorithm) -> io::Result<Digest> {
        if let Some(hasher) = self.hashers.iter().find(|hasher| hasher.algorithm() == algorithm) {
            return Ok(hasher.clone().finish());
        }
        let (mut hasher, mut stream) = (Hasher::new(algorithm), self.source().open(0, self.size).await?);
        while let Some(piece) = stream.next().await {
            hasher.update(&piece?);
        }
        Ok(hasher.finish())
    }

    /// All of it, to be sent on.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        Arc::new(Waiting { file: self.file.clone(), size: self.size })
    }
}

/// Hands `content` over.
async fn feed(mut content: Content, pieces: mpsc::Sender<Bytes>) -> Result<(), UploadError> {
    let (mut taken, expected) = (0, content.length);
    let is_wrong =
        |taken: u64, is_over: bool| expected.is_some_and(|length| taken > length || (is_over && taken < length));
    let wrong = || UploadError::SizeInvalid("the content has not the length that it was said to have".to_owned());
    while let Some(piece) = content.stream.next().await {
        let piece = piece.map_err(|error| UploadError::Interrupted(error.to_string()))?;
        taken += piece.len() as u64;
        if is_wrong(taken, false) {
            return Err(wrong());
        }
        // Who writes says why it stopped.
        if pieces.send(piece).await.is_err() {
            return Ok(());
        }
    }
    if is_wrong(taken, true) { Err(wrong()) } else { Ok(()) }
}

fn write(
    file: &File,
    mut at: u64,
    mut hashers: Vec<Hasher>,
    mut coming: mpsc::Receiver<Bytes>,
) -> io::Result<(u64, Vec<Hasher>)> {
    while let Some(piece) = coming.blocking_recv() {
        file.write_all_at(&piece, at)?;
        at += piece.len() as u64;
        hashers.iter_mut().for_each(|hasher| hasher.update(&piece));
    }
    Ok((at, hashers))
}

/// Content of a file without a name.
struct Waiting {
    file: Arc<File>,
    size: u64,
}

#[async_trait]
impl Source for Waiting {
    fn size(&self) -> u64 {
        self.size
    }

    async fn open(&self, offset: u64, length: u64) -> io::Result<ByteStream> {
        let (pieces, coming) = mpsc::channel(AHEAD);
        let file = self.file.clone();
        spawn_blocking(move || read(&file, offset, length, &pieces));
        let stream = stream::unfold(coming, |mut coming| async move { Some((coming.recv().await?, coming)) });
        Ok(stream.boxed())
    }
}

/// Reads until nobody wants more.
fn read(file: &File, mut at: u64, length: u64, pieces: &mpsc::Sender<io::Result<Bytes>>) {
    let end = at.saturating_add(length);
    while at < end {
        let mut piece = vec![0; usize::try_from(end - at).unwrap_or(READ).min(READ)];
        let piece = file.read_exact_at(&mut piece, at).map(|()| Bytes::from(piece));
        at += READ as u64;
        let is_last = piece.is_err();
        if pieces.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}
