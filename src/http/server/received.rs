//! The body of a request, as it comes in from the socket.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::Timeouts;

/// Bytes of a body that are read on though nobody wants them. Beyond, the connection closes: sending gigabytes only to
/// see a refusal is the client's loss.
const LINGER: u64 = 256 << 20;

/// A body that does not wait forever for its client, and that is read on for a while when it is dropped before its end.
pub(super) struct Received {
    /// `None` when it has ended, well or badly.
    body: Option<Incoming>,
    timeouts: Timeouts,
    /// When the client, whose bytes are being waited for, is given up.
    patience: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    /// The client sends nothing before it is told to (RFC 9110, section 10.1.1), and reading is what tells it.
    withheld: bool,
}

impl Received {
    /// `body` as the router takes it.
    pub(super) fn body(headers: &HeaderMap, body: Incoming, timeouts: Timeouts) -> Body {
        if body.is_end_stream() {
            return Body::empty();
        }
        let withheld = headers.contains_key(header::EXPECT);
        Body::new(Self { body: Some(body), timeouts, patience: None, waiting: false, withheld })
    }

    /// Whether the client's time is up.
    fn gave_up(&mut self, cx: &mut Context<'_>) -> bool {
        let until = Instant::now() + self.timeouts.body;
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if !self.waiting {
            self.waiting = true;
            patience.as_mut().reset(until);
        }
        patience.as_mut().poll(cx).is_ready()
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.withheld = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting = false;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.body = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                self.body = None;
                Poll::Ready(Some(Err(io::Error::other(error))))
            }
            Poll::Pending if self.gave_up(cx) => {
                self.body = None;
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the client stopped sending"))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !self.withheld && !body.is_end_stream()) else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(linger(body, self.timeouts.linger));
        }
    }
}

/// Reads `body` and forgets it, for at most `time`. While it is read, hyper keeps the connection; some clients write
/// all of a body before they look for an answer, and would see a broken pipe instead.
async fn linger(mut body: Incoming, time: Duration) {
    let _ = timeout(time, async {
        let mut left = LINGER;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            match left.checked_sub(length) {
                Some(still) => left = still,
                None => break,
            }
        }
    })
    .await;
}
