//! Response bodies, which a fault may cut short.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// Any error of a body; the connection ends with it.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What both emulators answer with.
pub(crate) type ResponseBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// Ends in an error after so many bytes, and the connection with it.
#[derive(Debug)]
pub(super) struct Cut {
    body: ResponseBody,
    left: u64,
    pause: Option<Pin<Box<Sleep>>>,
}

/// hyper sends what it has while the body pauses; an error at once would take the bytes before it along.
const PAUSE: Duration = Duration::from_millis(10);

impl Cut {
    pub(super) fn new(body: ResponseBody, after: u64) -> Self {
        Self { body, left: after, pause: None }
    }
}

impl Body for Cut {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            ready!(self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(PAUSE))).as_mut().poll(cx));
            return Poll::Ready(Some(Err("the answer is cut here on command".into())));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(mut data) => {
                    data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= data.len() as u64;
                    Frame::data(data)
                }
                Err(frame) => frame,
            })
        }))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
