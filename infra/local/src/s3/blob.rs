//! Bytes at rest, and reading them back.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::task::JoinHandle;

/// How much is read at once: large enough for gigabytes a second, small enough that fifty readers fit in memory.
const STRIDE: u64 = 512 << 10;

/// The immutable bytes of one upload. A file is removed when the last object or reader that shares it is gone.
#[derive(Debug)]
pub(super) enum Blob {
    Memory(Bytes),
    File(PathBuf),
}

impl Drop for Blob {
    fn drop(&mut self) {
        if let Blob::File(path) = self {
            // The whole folder goes at the end; until then a file that stays costs only space.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A run of bytes within a blob.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) blob: Arc<Blob>,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// An object's bytes: runs of blobs, so that copies and completed uploads move nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    segments: Vec<Segment>,
    length: u64,
}

impl Content {
    pub(super) fn of(blob: Arc<Blob>, length: u64) -> Self {
        let segments = if length == 0 { Vec::new() } else { vec![Segment { blob, offset: 0, length }] };
        Self { segments, length }
    }

    pub(super) fn joined<'c>(parts: impl IntoIterator<Item = &'c Content>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            whole.segments.extend(part.segments.iter().cloned());
            whole.length += part.length;
        }
        whole
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes from `range.start` up to `range.end`, which must lie within.
    pub(super) fn slice(&self, range: std::ops::Range<u64>) -> Self {
        let mut slice = Self { segments: Vec::new(), length: range.end - range.start };
        let mut at = 0;
        for segment in &self.segments {
            let from = range.start.max(at);
            let to = range.end.min(at + segment.length);
            if from < to {
                let blob = Arc::clone(&segment.blob);
                slice.segments.push(Segment { blob, offset: segment.offset + (from - at), length: to - from });
            }
            at += segment.length;
        }
        slice
    }

    /// All of it in memory.
    pub(super) fn whole(&self) -> io::Result<Bytes> {
        let parts = self.segments.iter().map(|Segment { blob, offset, length }| read_at(blob, None, *offset, *length));
        let parts = parts.map(|part| part.map(|(bytes, _)| bytes)).collect::<io::Result<Vec<_>>>()?;
        Ok(if let [one] = parts.as_slice() { one.clone() } else { parts.concat().into() })
    }

    /// A stream over the bytes that reads one stride ahead.
    pub(super) fn read(&self) -> Reading {
        Reading { left: self.length, segments: self.segments.clone().into(), file: None, ahead: None }
    }
}

/// A stream of an object's bytes.
#[derive(Debug)]
pub(super) struct Reading {
    /// What the consumer has yet to get.
    left: u64,
    segments: VecDeque<Segment>,
    /// The file of the first segment, once it is open.
    file: Option<Arc<File>>,
    ahead: Option<JoinHandle<io::Result<Stride>>>,
}

/// What was read at once, and the file it is from while there is more of it.
type Stride = (Bytes, Option<Arc<File>>);

impl Reading {
    /// Starts reading the next stride, if there is one.
    fn reach_ahead(&mut self) {
        let Some(first) = self.segments.front_mut() else { return };
        let blob = Arc::clone(&first.blob);
        let (offset, length) = (first.offset, first.length.min(STRIDE));
        first.offset += length;
        first.length -= length;
        let last_of_segment = first.length == 0;
        let open = self.file.take();
        if last_of_segment {
            self.segments.pop_front();
        }
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            let (bytes, file) = read_at(&blob, open, offset, length)?;
            Ok((bytes, file.filter(|_| !last_of_segment)))
        }));
    }
}

fn read_at(blob: &Blob, open: Option<Arc<File>>, offset: u64, length: u64) -> io::Result<Stride> {
    let size = usize::try_from(length).map_err(io::Error::other)?;
    match blob {
        Blob::Memory(bytes) => {
            let from = usize::try_from(offset).map_err(io::Error::other)?;
            Ok((bytes.slice(from..from + size), None))
        }
        Blob::File(path) => {
            let file = match open {
                Some(file) => file,
                None => Arc::new(File::open(path)?),
            };
            let mut buffer = vec![0; size];
            file.read_exact_at(&mut buffer, offset)?;
            Ok((buffer.into(), Some(file)))
        }
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ahead.is_none() {
            // Small objects in memory need no other thread.
            if let Some(Segment { blob, offset, length }) = self.segments.front()
                && matches!(**blob, Blob::Memory(_))
            {
                let read = read_at(blob, None, *offset, *length);
                self.segments.pop_front();
                return Poll::Ready(Some(read.map_err(Into::into).map(|(bytes, _)| {
                    self.left -= bytes.len() as u64;
                    bytes
                })));
            }
            self.reach_ahead();
        }
        let Some(ahead) = &mut self.ahead else { return Poll::Ready(None) };
        let done = ready!(Pin::new(ahead).poll(cx));
        self.ahead = None;
        let read = done.map_err(io::Error::other).and_then(|read| read);
        Poll::Ready(Some(read.map_err(Into::into).map(|(bytes, file)| {
            self.file = file;
            self.left -= bytes.len() as u64;
            if self.segments.front().is_some_and(|next| matches!(*next.blob, Blob::File(_))) {
                self.reach_ahead();
            }
            bytes
        })))
    }
}

impl ByteStream for Reading {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.left).map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}
