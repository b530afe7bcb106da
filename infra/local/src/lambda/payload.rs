//! Bodies that are read whole, up to a limit.

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

/// Why a body is not had whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It has more bytes than the limit; what is left of it has not been read.
    TooLarge,
    /// The connection broke.
    Broken,
}

/// Reads a body of at most `limit` bytes. One that announces more is not read at all.
pub(super) async fn collect<B: Body<Data = Bytes> + Unpin>(body: &mut B, limit: usize) -> Result<Bytes, Unread> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Unread::TooLarge);
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if first.len() + whole.len() + data.len() > limit {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && whole.is_empty() {
            // Most bodies are one frame, and need no copy.
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.max(first.len() + data.len()));
            whole.extend_from_slice(&first);
            first = Bytes::new();
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}
