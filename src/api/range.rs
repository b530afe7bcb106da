//! Ranges: `Range` of a download (RFC 9110, section 14) and `Content-Range` of a chunk (OCI distribution
//! specification, "Pushing a blob in chunks").

use std::str::FromStr;

/// A part of something whose size is known: at least one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// Bytes in it.
    pub length: u64,
}

/// What a `Range` header asks of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranged {
    /// All of it: no range, one of another unit, or several (which a server may decline).
    Whole,
    /// This part.
    Part(ByteRange),
    /// Nothing that it has: 416.
    Unsatisfiable,
}

impl Ranged {
    /// What `header` asks of `size` bytes. A malformed byte range counts as unsatisfiable, rather than as absent:
    /// who asks for a part and is sent gigabytes is served worse than one who is told.
    pub fn of(header: Option<&str>, size: u64) -> Self {
        let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        if spec.contains(',') {
            return Self::Whole;
        }
        let Some((first, last)) = spec.split_once('-') else {
            return Self::Unsatisfiable;
        };
        let (start, end) = match (number(first), number(last)) {
            (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(size)),
            (Some(start), None) if last.trim().is_empty() => (start, size),
            (None, Some(suffix)) if first.trim().is_empty() && suffix > 0 => (size.saturating_sub(suffix), size),
            _ => return Self::Unsatisfiable,
        };
        if start >= end {
            return Self::Unsatisfiable;
        }
        Self::Part(ByteRange { start, length: end - start })
    }
}

/// The `Content-Range` of a chunk: `<first>-<last>`, both inclusive; `bytes ` before it and `/..` after it are
/// allowed, as some clients write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first byte.
    pub start: u64,
    /// Bytes in it.
    pub length: u64,
}

/// A text is no content range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Content-Range has the form <first byte>-<last byte>")]
pub struct RangeFault;

impl FromStr for ContentRange {
    type Err = RangeFault;

    fn from_str(text: &str) -> Result<Self, RangeFault> {
        let text = text.trim();
        let text = text.strip_prefix("bytes").map_or(text, |rest| rest.trim_start_matches(['=', ' ']));
        let text = text.split('/').next().unwrap_or_default();
        let (first, last) = text.split_once('-').ok_or(RangeFault)?;
        let (start, last) = number(first).zip(number(last)).ok_or(RangeFault)?;
        let length = last.checked_sub(start).and_then(|length| length.checked_add(1)).ok_or(RangeFault)?;
        Ok(Self { start, length })
    }
}

/// Decimal digits alone: `u64::from_str` would take a sign.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
