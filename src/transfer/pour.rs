//! Writing content into a file, and checking it.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use futures_util::TryStreamExt as _;
use tokio::task::spawn_blocking;

use super::TransferError;
use crate::{
    client::Source,
    digest::{Digest, Hasher},
    manifest::ContentReference,
};

/// Bytes that are read at once of what was written before.
const READ: usize = 256 << 10;

/// Where in which file content is to stand.
pub(super) struct Place<'a> {
    pub(super) file: &'a Arc<File>,
    pub(super) start: u64,
    /// Bytes of it that are there already, perhaps.
    pub(super) written: u64,
    /// What the file is called.
    pub(super) name: &'a str,
}

/// Why content did not get there.
pub(super) enum Spilt {
    /// The content is another; of which digest.
    Other(Digest),
    /// It cannot be read or written.
    Failed(TransferError),
}

/// Writes what is missing of `blob`, whose content is `source`, and checks all of it.
pub(super) async fn pour(
    blob: &ContentReference,
    source: &dyn Source,
    place: Place<'_>,
    origin: &str,
) -> Result<(), Spilt> {
    let Place { file, start, written, name } = place;
    let local = |cause| Spilt::Failed(TransferError::local(name, cause));
    let broken = |cause: io::Error| Spilt::Failed(TransferError::local(origin, cause));
    let mut hasher = Hasher::new(blob.digest.algorithm());
    let mut at = written.min(blob.size);
    if at > 0 {
        let file = file.clone();
        hasher = blocking(move || hashed(hasher, &file, start, at)).await.map_err(local)?;
    }
    let mut stream = source.open(at, blob.size - at).await.map_err(broken)?;
    while let Some(chunk) = stream.try_next().await.map_err(broken)? {
        let length = chunk.len() as u64;
        if length > blob.size - at {
            return Err(broken(io::Error::new(io::ErrorKind::InvalidData, "there is more of a blob than its size")));
        }
        let (file, position) = (file.clone(), start + at);
        hasher = blocking(move || {
            file.write_all_at(&chunk, position)?;
            hasher.update(&chunk);
            Ok(hasher)
        })
        .await
        .map_err(local)?;
        at += length;
    }
    let actual = hasher.finish();
    if actual == blob.digest { Ok(()) } else { Err(Spilt::Other(actual)) }
}

fn hashed(mut hasher: Hasher, file: &File, start: u64, length: u64) -> io::Result<Hasher> {
    let mut buffer = vec![0; READ];
    let mut at = 0;
    while at < length {
        let part = &mut buffer[..usize::try_from(length - at).unwrap_or(READ).min(READ)];
        file.read_exact_at(part, start + at)?;
        hasher.update(part);
        at += part.len() as u64;
    }
    Ok(hasher)
}

/// What `work` gives, done where it may wait for a disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
