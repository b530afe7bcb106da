//! Request bodies on their way through.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::options::EarlyAnswers;

/// Bytes that are read on of a request which is answered already.
const PATIENCE: u64 = 64 << 20;

/// And for how long.
const LINGER: Duration = Duration::from_secs(30);

/// What is seen of a body while it passes.
#[derive(Debug)]
pub(super) struct Progress {
    start: Instant,
    bytes: Arc<AtomicU64>,
    /// Milliseconds from the start to the last of it.
    last: AtomicU64,
}

impl Progress {
    /// Counts into `bytes`.
    pub(super) fn new(bytes: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), bytes, last: AtomicU64::new(0) })
    }

    fn note(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(passed, Ordering::Relaxed);
    }

    /// Waits until nothing has passed for so long.
    pub(super) async fn silent(&self, patience: Duration) {
        loop {
            let last = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed));
            let Some(left) = (last + patience).checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                return;
            };
            tokio::time::sleep(left).await;
        }
    }
}

/// A request body that counts what passes. When it is dropped half read, what is left of it is read on beside the answer, if the
/// edge does that.
#[derive(Debug)]
pub(super) struct Passing {
    body: Option<Incoming>,
    progress: Arc<Progress>,
    lingers: bool,
}

impl Passing {
    /// `waits`: its sender waits for `100 Continue`, and has not sent it before it is asked for.
    pub(super) fn new(body: Incoming, progress: Arc<Progress>, early: EarlyAnswers, waits: bool) -> Self {
        Self { body: Some(body), progress, lingers: early == EarlyAnswers::ReadOn && !waits }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_end_stream()
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.progress.note(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take().filter(|body| self.lingers && !body.is_end_stream()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let progress = Arc::clone(&self.progress);
        runtime.spawn(tokio::time::timeout(LINGER, async move {
            let mut seen = 0;
            while let Some(Ok(frame)) = body.frame().await {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                progress.note(bytes);
                seen += bytes;
                if seen > PATIENCE {
                    return;
                }
            }
        }));
    }
}
