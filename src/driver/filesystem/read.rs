//! Reading.
//!
//! What lies in the page cache is read where the caller runs: for a link or a manifest that takes a few microseconds,
//! for a mebibyte less than handing it to another thread and back. Only content that must come from the disk goes to
//! a thread that may wait; a name that must, which the system keeps longer, is waited for.

use std::{io, sync::Arc};

use bytes::Bytes;
use cap_std::fs::File;
use futures_util::{StreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::{error, folder::Folder};
use crate::{
    distribution::{ByteStream, Reading},
    driver::{DriverError, DriverErrorKind, Path},
};

/// The most that is read at once, into one buffer.
const WHOLE: u64 = 2 << 20;

/// How much of longer content is read at a time.
const PIECE: u64 = 1 << 20;

/// The whole content at `path`, at most `limit` bytes.
pub(super) async fn get(folder: &Folder, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
    let (file, size) = folder.file(path).map_err(|error| error::reading(path, error))?;
    if size > limit {
        return Err(DriverError::new(DriverErrorKind::TooLarge, path, format!("{size} bytes, {limit} at most")));
    }
    read(&Arc::new(file), 0, size).await.map_err(|error| error::reading(path, error))
}

/// The content at `path` from `offset`, at most `length` bytes.
pub(super) async fn open(folder: &Folder, path: &Path, offset: u64, length: Option<u64>) -> io::Result<Reading> {
    let (file, size) = folder.file(path)?;
    let file = Arc::new(file);
    let left = size.saturating_sub(offset);
    let length = length.map_or(left, |length| length.min(left));
    let stream = match length {
        0 => stream::empty().boxed(),
        1..=WHOLE => stream::iter([Ok(read(&file, offset, length).await?)]).boxed(),
        _ => pieces(file, offset, length),
    };
    Ok(Reading { size, stream })
}

/// The `length` bytes from `offset`, piece by piece, each read when it is asked for.
fn pieces(file: Arc<File>, offset: u64, length: u64) -> ByteStream {
    let end = offset + length;
    stream::unfold((file, offset), move |(file, offset)| async move {
        let length = PIECE.min(end - offset);
        if length == 0 {
            return None;
        }
        let piece = read(&file, offset, length).await;
        // After an error there is nothing more to come.
        let next = if piece.is_ok() { offset + length } else { end };
        read_ahead(&file, next, PIECE.min(end - next));
        Some((piece, (file, next)))
    })
    .boxed()
}

/// The `length` bytes of `file` from `offset`.
async fn read(file: &Arc<File>, offset: u64, length: u64) -> io::Result<Bytes> {
    if is_cached(file, offset, length) {
        return read_now(file, offset, length);
    }
    let file = file.clone();
    spawn_blocking(move || read_now(&file, offset, length)).await?
}

fn read_now(file: &File, offset: u64, length: u64) -> io::Result<Bytes> {
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let at = offset + bytes.len() as u64;
        let read =
            rustix::io::retry_on_intr(|| rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), at))?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was read"));
        }
    }
    // The vector may have had room for more than was asked for.
    bytes.truncate(length);
    Ok(bytes.into())
}

/// The unit of the page cache, at least.
#[cfg(target_os = "linux")]
const PAGE: u64 = 4096;

/// Whether these bytes are in the page cache, as far as the first and the last of them tell. Where that cannot be
/// asked, as on network file systems, they are not.
#[cfg(target_os = "linux")]
fn is_cached(file: &File, offset: u64, length: u64) -> bool {
    use rustix::io::{ReadWriteFlags, preadv2};
    let probe = |at| {
        let mut byte = [0];
        let read = preadv2(file, &mut [io::IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT);
        read.is_ok()
    };
    let last = offset + length.saturating_sub(1);
    length == 0 || (probe(last) && (last / PAGE == offset / PAGE || probe(offset)))
}

#[cfg(not(target_os = "linux"))]
fn is_cached(_: &File, _: u64, length: u64) -> bool {
    length <= 64 << 10
}

/// Has the kernel begin to fetch what will be read next, while this piece is on its way to the client.
#[cfg(target_os = "linux")]
fn read_ahead(file: &File, offset: u64, length: u64) {
    // Of no length would mean: to the end.
    if let Some(length) = std::num::NonZeroU64::new(length) {
        // Only advice: without it the next piece takes longer.
        let _ = rustix::fs::fadvise(file, offset, Some(length), rustix::fs::Advice::WillNeed);
    }
}

#[cfg(not(target_os = "linux"))]
fn read_ahead(_: &File, _: u64, _: u64) {}
