//! What is written at once.

use bytes::{Buf as _, BytesMut};

/// How much is written at once. Twice this is all the memory that a write needs. Content that is shorter is written
/// in one visit to another thread.
pub(super) const BATCH: usize = 1 << 20;

/// Where memory must begin, and how long it must be, for a disk to take it from there (open(2), "O_DIRECT"): every
/// disk's block divides this.
const PAGE: usize = 4096;

/// `used`, emptied, if it takes a whole batch from where a disk can take it; else another that does. What the first
/// bytes of content were gathered in, before anyone knew that there would be so many, does not.
pub(super) fn aligned(mut used: BytesMut) -> BytesMut {
    used.clear();
    if used.capacity() >= BATCH && used.as_ptr().align_offset(PAGE) == 0 {
        return used;
    }
    let mut buffer = BytesMut::with_capacity(BATCH + PAGE);
    let skipped = buffer.as_ptr().align_offset(PAGE);
    // It may be that it cannot be told (`align_offset` gives `usize::MAX`); then the kernel copies.
    if skipped < PAGE {
        buffer.resize(skipped, 0);
        buffer.advance(skipped);
    }
    buffer
}

/// Whether a disk can take `bytes` from where they are, to byte `offset` of a file.
pub(super) fn is_aligned(bytes: &[u8], offset: u64) -> bool {
    !bytes.is_empty()
        && bytes.as_ptr().align_offset(PAGE) == 0
        && bytes.len().is_multiple_of(PAGE)
        && offset.is_multiple_of(PAGE as u64)
}
