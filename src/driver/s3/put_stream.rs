//! Writing content as one stream, which S3 checks against its checksum.

use std::{
    io,
    pin::{Pin, pin},
    task::{Poll, ready},
    time::{Duration, Instant},
};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::{
    attempt::{LONG, Pauses, Question, note, within},
    bucket::Bucket,
    conditional::Condition,
    error::S3Error,
};
use crate::{
    context::Context,
    digest::Digest,
    driver::{DriverError, Path, source::Source},
};

/// How long S3 may take no bytes.
const STALL: Duration = Duration::from_secs(60);

impl Bucket {
    /// Writes `length` bytes of `source`, which have `digest`, by one request.
    ///
    /// The source stays on this side, and feeds the request: S3 may answer before it has read all of the content,
    /// and then it is still to be known whether the content was right, and an early failure can be made good as long
    /// as what was fed is at hand.
    pub(super) async fn put_stream(
        &self,
        ctx: &Context,
        path: &Path,
        mut source: Source,
        length: u64,
        digest: &Digest,
        condition: Condition,
    ) -> Result<u64, DriverError> {
        let key = self.key(path);
        let question = Question { operation: "PutObject", key: &key, patience: LONG };
        let mut fed = Fed::new(self.sizes.part);
        let mut pauses = Pauses::default();
        loop {
            let conditional = self.sends_condition(question.operation, condition);
            if condition != Condition::None
                && !conditional
                && self.exists(ctx, &key).await.map_err(|error| error.on(path, self))?
            {
                source.drain().await?;
                return Err(S3Error::exists().during(question.operation).on(path, self));
            }
            let started = Instant::now();
            let (sender, body) = Feed::open(length);
            let put = self.put_object(&key, conditional, Some(digest));
            let put = put.content_length(i64::try_from(length).unwrap_or(i64::MAX)).body(body);
            let answer = async { put.customize().disable_payload_signing().send().await.map_err(S3Error::from) };
            let answer = exchange(ctx, &mut source, &mut fed, sender, answer).await?;
            let answer = answer.map(|_| ()).map_err(|error| error.during(question.operation));
            note(ctx, question, started, answer.as_ref().err());
            let Err(error) = answer else {
                source.drain().await?;
                return Ok(source.seen());
            };
            // Where the beginning is gone, its sender has to come again.
            if self.does_without(question.operation, condition, &error) && conditional && fed.is_at_hand() {
                continue;
            }
            if fed.is_at_hand()
                && !error.is_precondition()
                && let Some(pause) = pauses.before_another(ctx, &error)
            {
                tokio::time::sleep(pause).await;
                continue;
            }
            // S3 may close the connection on its early answer, which then is lost; or on its late one.
            let exists =
                condition != Condition::None && error.is_doubtful() && self.exists(ctx, &key).await.unwrap_or(false);
            if !exists && !error.is_precondition() {
                return Err(error.on(path, self));
            }
            // The content's own fault comes before that of its place.
            source.drain().await?;
            let there = if exists { S3Error::exists().during(question.operation) } else { error };
            return Err(there.on(path, self));
        }
    }
}

/// Feeds a request from `source` until it is answered. The outer error is the content's.
async fn exchange<T>(
    ctx: &Context,
    source: &mut Source,
    fed: &mut Fed,
    sender: mpsc::Sender<Bytes>,
    answer: impl Future<Output = Result<T, S3Error>>,
) -> Result<Result<T, S3Error>, DriverError> {
    let mut answer = pin!(answer);
    let feeding = async {
        for bytes in fed.again() {
            if let Some(end) = pass(&sender, bytes).await {
                return Ok(end);
            }
        }
        while let Some(bytes) = source.next().await? {
            fed.keep(&bytes);
            if let Some(end) = pass(&sender, bytes).await {
                return Ok(end);
            }
        }
        Ok(Ok(()))
    };
    tokio::select! {
        answer = &mut answer => return Ok(answer),
        fed = feeding => match fed {
            Ok(Ok(())) => {}
            Ok(Err(stalled)) => return Ok(Err(stalled)),
            // The request breaks off with its content, and S3 stores nothing.
            Err(content) => return Err(content),
        },
    }
    Ok(within(ctx, LONG, answer).await)
}

/// Feeds `bytes` to a request. `None` when it takes more; else the end: it needs no more, or it has stalled.
async fn pass(sender: &mpsc::Sender<Bytes>, bytes: Bytes) -> Option<Result<(), S3Error>> {
    match tokio::time::timeout(STALL, sender.send(bytes)).await {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some(Ok(())),
        Err(_) => Some(Err(S3Error::late())),
    }
}

/// What a request was fed, as long as it is little enough to be held.
struct Fed {
    chunks: Vec<Bytes>,
    size: u64,
    limit: u64,
}

impl Fed {
    fn new(limit: u64) -> Self {
        Self { chunks: Vec::new(), size: 0, limit }
    }

    fn keep(&mut self, bytes: &Bytes) {
        self.size += bytes.len() as u64;
        if self.is_at_hand() {
            self.chunks.push(bytes.clone());
        } else {
            self.chunks = Vec::new();
        }
    }

    /// Whether all of it can be sent again.
    fn is_at_hand(&self) -> bool {
        self.size <= self.limit
    }

    fn again(&self) -> Vec<Bytes> {
        self.chunks.clone()
    }
}

/// A request's body of known length, fed through a channel.
struct Feed {
    chunks: mpsc::Receiver<Bytes>,
    left: u64,
}

impl Feed {
    fn open(length: u64) -> (mpsc::Sender<Bytes>, ByteStream) {
        let (sender, chunks) = mpsc::channel(2);
        (sender, ByteStream::new(SdkBody::from_body_1_x(Self { chunks, left: length })))
    }
}

impl Body for Feed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let bytes = ready!(self.chunks.poll_recv(cx));
        Poll::Ready(match bytes {
            Some(bytes) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            None if self.left == 0 => None,
            None => Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the content broke off"))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
