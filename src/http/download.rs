//! The body of a download: exactly as many bytes as its Content-Length says.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::distribution::ByteStream;

/// A stream of a known length. When storage gives less, the body ends in an error, so that the connection breaks off
/// and the client knows; more is never sent.
pub(super) struct Download {
    stream: ByteStream,
    left: u64,
}

impl Download {
    pub(super) fn new(stream: ByteStream, length: u64) -> Self {
        Self { stream, left: length }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(match ready!(self.stream.as_mut().poll_next(cx)) {
            Some(Ok(mut bytes)) => {
                bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= bytes.len() as u64;
                Ok(Frame::data(bytes))
            }
            Some(Err(error)) => {
                tracing::warn!(%error, left = self.left, "a download broke off");
                Err(error)
            }
            None => {
                tracing::error!(left = self.left, "stored content ended early");
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::distribution::Content;

    /// What a body of `length` bytes gives of a stream of `content`, without a server that would mind its length.
    async fn given(content: &'static [u8], length: u64) -> io::Result<Bytes> {
        let stream = Content::from(Bytes::from_static(content)).stream;
        Ok(Download::new(stream, length).collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn never_more_than_its_length_and_never_silently_less() {
        assert_eq!(given(b"0123456789", 4).await.unwrap(), "0123");
        assert_eq!(given(b"0123", 4).await.unwrap(), "0123");
        assert_eq!(given(b"", 0).await.unwrap(), "");
        assert_eq!(given(b"012", 4).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
