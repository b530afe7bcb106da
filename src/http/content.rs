//! What a client sends, as content to store.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, BodyStream};

use super::{call::Call, fault::Fault};
use crate::{
    api::{ContentRange, ErrorCode},
    distribution::{Content, UploadError},
};

/// A chunk of an upload: where it begins, if the client says, and its bytes.
pub(super) struct Chunk {
    pub(super) at: Option<u64>,
    pub(super) content: Content,
}

impl Chunk {
    /// The chunk that a request carries. What comes in chunked coding is as long as its Content-Range says, or the
    /// storage refuses it.
    ///
    /// # Errors
    /// [`UploadError::SizeInvalid`] when Content-Range and Content-Length contradict each other. `None` for a
    /// Content-Range that is none.
    pub(super) fn of(call: &Call, body: Body) -> Option<Result<Self, UploadError>> {
        let mut content = content(body);
        let Some(range) = call.parts.headers.get(header::CONTENT_RANGE) else {
            return Some(Ok(Self { at: None, content }));
        };
        let range = range.to_str().ok()?.parse::<ContentRange>().ok()?;
        if content.length.is_some_and(|actual| actual != range.length) {
            let message = "the chunk is not as long as its Content-Range says".to_owned();
            return Some(Err(UploadError::SizeInvalid(message)));
        }
        content.length = Some(range.length);
        Some(Ok(Self { at: Some(range.start), content }))
    }
}

/// The body as content. Its length is known but for chunked transfer coding.
pub(super) fn content(body: Body) -> Content {
    let length = body.size_hint().exact();
    let frames = BodyStream::new(body);
    let bytes = frames.try_filter_map(async |frame| Ok(frame.into_data().ok())).map_err(io::Error::other);
    Content { length, stream: bytes.boxed() }
}

/// `content`, of which it is known now if there is nothing: a body may end before it has said how long it is.
pub(super) async fn settled(mut content: Content) -> Content {
    if content.length.is_some() {
        return content;
    }
    loop {
        match content.stream.next().await {
            None => return Content::empty(),
            Some(Ok(bytes)) if bytes.is_empty() => {}
            Some(first) => {
                let stream = stream::once(std::future::ready(first)).chain(content.stream).boxed();
                return Content { length: None, stream };
            }
        }
    }
}

/// The whole body, which has at most `limit` bytes.
///
/// # Errors
/// 413 when it is longer; 400 when it broke off.
pub(super) async fn whole(mut body: Body, limit: usize) -> Result<Bytes, Fault> {
    let too_large = || {
        let message = format!("the content is longer than the {limit} bytes that are taken here");
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message)
    };
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > limit {
        return Err(too_large());
    }
    // Copied, since what is kept of it must not hold on to the connection's larger buffers.
    let mut content = Vec::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let broken = |error| Fault::from(UploadError::Interrupted(format!("{error}")));
        let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
        if content.len() + bytes.len() > limit {
            return Err(too_large());
        }
        content.extend_from_slice(&bytes);
    }
    Ok(content.into())
}
