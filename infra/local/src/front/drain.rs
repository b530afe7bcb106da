//! Request bodies that an answer leaves unread.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;

/// Beyond this an unread body is not worth reading: the connection is closed instead.
const PATIENCE: u64 = 64 << 20;

/// A request body that, when dropped half read, hands what is left of it to its [`Rest`].
#[derive(Debug)]
pub(crate) struct Upload(Option<(Incoming, oneshot::Sender<Incoming>)>);

/// What is left of a request body.
#[derive(Debug)]
pub(crate) struct Rest(oneshot::Receiver<Incoming>);

/// Parts a body from its remainder.
pub(crate) fn split(body: Incoming) -> (Upload, Rest) {
    let (sender, receiver) = oneshot::channel();
    (Upload(Some((body, sender))), Rest(receiver))
}

impl Rest {
    /// Reads and forgets what the answer left of the body, so that a client which is still sending sees the answer and not
    /// a broken pipe. The [`Upload`] must have been dropped.
    pub(crate) async fn drain(mut self) {
        let Ok(mut body) = self.0.try_recv() else { return };
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, |data| data.len() as u64);
            if seen > PATIENCE {
                return;
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Some((body, _)) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(SizeHint::default, |(body, _)| body.size_hint())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some((body, rest)) = self.0.take()
            && !body.is_end_stream()
        {
            // The other end is gone when the connection is: then nobody needs the remainder.
            let _ = rest.send(body);
        }
    }
}
