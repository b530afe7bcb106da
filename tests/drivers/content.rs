//! Content, and how it comes and goes.

use std::{io, time::Duration};

use berth::distribution::{Content, Reading};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

pub(crate) const KIB: usize = 1 << 10;
pub(crate) const MIB: usize = 1 << 20;

/// Sizes below and above what any driver writes at once.
pub(crate) const SHORT_AND_LONG: [usize; 2] = [100, 12 * MIB];

/// `size` bytes, which no piece of a round size has the same as another, and which differ by `seed`.
pub(crate) fn bytes(seed: u8, size: usize) -> Bytes {
    let words = (0..25_013_u32.min(size as u32 / 4 + 1)).map(|n| n.wrapping_mul(2_654_435_761) ^ u32::from(seed));
    let block: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    let mut bytes = block.repeat(size / block.len() + 1);
    bytes.truncate(size);
    bytes.into()
}

/// `content` in frames of odd sizes, short and long ones, of a length that is not said.
pub(crate) fn in_frames(content: &Bytes) -> Content {
    let sizes = [1, 7, 65_537, 300_001, 4_096, 0, 1_500_003, 16_384];
    let mut rest = content.clone();
    let mut frames = Vec::new();
    for size in sizes.into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        frames.push(Ok(rest.split_to(size.min(rest.len()))));
    }
    Content { length: None, stream: stream::iter(frames).boxed() }
}

/// `content` in frames, said to have `length` bytes.
pub(crate) fn said_to_have(length: usize, content: &Bytes) -> Content {
    Content { length: Some(length as u64), ..in_frames(content) }
}

/// `content`, and then its sender is gone.
pub(crate) fn broken_after(content: &Bytes, length: Option<u64>) -> Content {
    let gone = stream::iter([Err(io::Error::new(io::ErrorKind::ConnectionReset, "the sender is gone"))]);
    Content { length, stream: in_frames(content).stream.chain(gone).boxed() }
}

/// `content`, and then nothing more comes, though the sender is there.
pub(crate) fn stalled_after(content: &Bytes) -> Content {
    Content { length: None, stream: in_frames(content).stream.chain(stream::pending()).boxed() }
}

/// What a store takes to put.
pub(crate) trait IntoContent {
    fn into_content(self) -> Content;
}

impl IntoContent for Content {
    fn into_content(self) -> Content {
        self
    }
}

impl IntoContent for Bytes {
    fn into_content(self) -> Content {
        self.into()
    }
}

impl IntoContent for &'static str {
    fn into_content(self) -> Content {
        Bytes::from(self).into()
    }
}

/// All that is read.
pub(crate) async fn all(reading: Reading) -> Bytes {
    let read = reading.stream.try_fold(Vec::new(), async |mut all, bytes| {
        all.extend_from_slice(&bytes);
        Ok(all)
    });
    read.await.unwrap().into()
}

/// Compares long content without printing it.
#[track_caller]
pub(crate) fn assert_same(actual: &Bytes, expected: &Bytes) {
    assert_eq!(actual.len(), expected.len());
    assert!(actual == expected, "{} bytes that differ", actual.len());
}

/// Waits for a fact that another thread brings about.
pub(crate) async fn until(fact: impl Fn() -> bool) {
    let wait = async {
        while !fact() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it never came true");
}
